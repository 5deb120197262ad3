using System.Globalization;
using System.Runtime.InteropServices;

namespace Antbot.Testing.StoreWorker;

/// <summary>
/// A disk that fills up and is cleared again, for any user on any machine: the limit on the size of this process's files.
/// The input's lines are <c>limit &lt;bytes&gt;</c> and <c>limit none</c>.
/// </summary>
internal static class FileSizeLimit
{
    private const int LimitFileSize = 1;
    private const int SignalFileSize = 25;

    public static async Task ObeyAsync(TextReader input)
    {
        // The signal's default is to end the process; without it the write fails, as on a full disk.
        using var ignored = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create((PosixSignal)SignalFileSize, context => context.Cancel = true);
        while (await input.ReadLineAsync() is { } line)
        {
            if (line.Split(' ') is ["limit", var size])
                Set(size == "none" ? null : ulong.Parse(size, CultureInfo.InvariantCulture));
        }
    }

    private static void Set(ulong? bytes)
    {
        if (getrlimit(LimitFileSize, out var limit) != 0)
            throw new InvalidOperationException($"getrlimit: {Marshal.GetLastPInvokeErrorMessage()}");
        limit.Soft = (nuint)Math.Min(bytes ?? ulong.MaxValue, limit.Hard);
        if (setrlimit(LimitFileSize, limit) != 0)
            throw new InvalidOperationException($"setrlimit: {Marshal.GetLastPInvokeErrorMessage()}");
        Worker.Say($"limited {limit.Soft}");
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int getrlimit(int resource, out Limit limit);

    [DllImport("libc", SetLastError = true)]
    private static extern int setrlimit(int resource, in Limit limit);

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public nuint Soft;
        public nuint Hard;
    }
}
