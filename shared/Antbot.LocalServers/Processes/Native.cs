using System.Runtime.InteropServices;

namespace Antbot.LocalServers.Processes;

/// <summary>The few system calls that .NET has no door to.</summary>
internal static class Native
{
    public const int SigInt = 2;
    public const int SigQuit = 3;
    public const int SigKill = 9;
    public const int SigTerm = 15;
    private const int RemoveSegment = 0;

    public static uint UserId => geteuid();

    public static uint GroupId => getegid();

    public static bool IsRoot => UserId == 0;

    /// <summary>False when there is no such process (any more).</summary>
    public static bool Signal(int pid, int signal)
    {
        // 0, 1 and negative ids address process groups, init or everything.
        ArgumentOutOfRangeException.ThrowIfLessThan(pid, 2);
        return kill(pid, signal) == 0;
    }

    public static void ChangeOwner(string path, uint user, uint group)
    {
        if (lchown(path, user, group) != 0)
            throw new ServerException($"Could not give {path} to user {user}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    public static void RemoveSharedMemory(int id) => _ = shmctl(id, RemoveSegment, nint.Zero);

    [DllImport("libc")]
    private static extern uint geteuid();

    [DllImport("libc")]
    private static extern uint getegid();

    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int pid, int signal);

    [DllImport("libc", SetLastError = true)]
    private static extern int lchown([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint user, uint group);

    [DllImport("libc", SetLastError = true)]
    private static extern int shmctl(int id, int command, nint buffer);
}
