using System.Diagnostics;

namespace Antbot.Cli.Commands;

/// <summary>One line on the terminal that says how far a long work has come. Silent where the error stream is no terminal.</summary>
internal sealed class Progress(string doing) : IDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);

    private readonly long _started = Stopwatch.GetTimestamp();
    private long _shown = Stopwatch.GetTimestamp();
    private bool _any;

    public void Report(long done, long all)
    {
        if (Console.IsErrorRedirected || Stopwatch.GetElapsedTime(_shown) < Pace)
            return;
        _shown = Stopwatch.GetTimestamp();
        _any = true;
        var rate = done / Math.Max(0.001, Stopwatch.GetElapsedTime(_started).TotalSeconds);
        var share = all > 0 ? $" of {all:N0} ({100.0 * done / all:0} %)" : "";
        Console.Error.Write($"\r{doing}: {done:N0}{share}, {rate:N0}/s   ");
    }

    public void Dispose()
    {
        if (_any)
            Console.Error.WriteLine();
    }
}
