using System.Runtime.InteropServices;

namespace Antbot.Chaos.Running;

/// <summary>What is done to a process from outside, by its id.</summary>
internal static class Signals
{
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    /// <summary>False where there is no such process any more.</summary>
    public static bool Send(int processId, int signal)
    {
        // 0, 1 and negative ids address process groups, init or everything.
        ArgumentOutOfRangeException.ThrowIfLessThan(processId, 2);
        return kill(processId, signal) == 0;
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int pid, int signal);
}
