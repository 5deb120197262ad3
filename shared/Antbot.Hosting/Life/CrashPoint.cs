using System.Diagnostics;
using System.Globalization;
using Antbot.Runtime.Pipeline;

namespace Antbot.Hosting;

/// <summary>Ends this process as <c>kill -9</c> would when a point is reached for the n-th time. For tests of real processes.</summary>
internal sealed class CrashPoint : ICrashPoints
{
    private readonly string _point;
    private int _left;

    public CrashPoint(string text)
    {
        var (point, count) = Parse(text) ?? throw new ArgumentException(FaultOf(text), nameof(text));
        (_point, _left) = (point, count);
    }

    public static string? FaultOf(string text) => Parse(text) is null ? $"'{text}' is no crash point of the form consumer.place:count, such as risk.after-append:3." : null;

    public void Reach(string point)
    {
        if (!string.Equals(point, _point, StringComparison.Ordinal) || Interlocked.Decrement(ref _left) != 0)
            return;
        using var self = Process.GetCurrentProcess();
        self.Kill();
        // The signal may take a moment; nothing of ours may happen in it.
        Thread.Sleep(Timeout.Infinite);
    }

    private static (string Point, int Count)? Parse(string text)
    {
        var at = text.LastIndexOf(':');
        var (point, count) = at < 0 ? (text, "1") : (text[..at], text[(at + 1)..]);
        return point.Contains('.', StringComparison.Ordinal) && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n > 0 ? (point, n) : null;
    }
}
