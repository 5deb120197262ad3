namespace Antbot.Hosting.Life;

/// <summary>
/// Ends a process by force whose end takes too long. It is the first that a host's container makes and so the last that is disposed:
/// a host that has ended within another program's process leaves that process alone.
/// </summary>
internal sealed class Deadline : IDisposable
{
    /// <summary>For the ends of what the host stops last: containers, sockets, the log's last lines.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    private readonly ManualResetEvent _ended = new(initialState: false);

    public void Begin(int seconds, Func<int> exitCode)
    {
        // A thread of its own: whatever keeps the process may keep the pool.
        new Thread(() => Wait(seconds, exitCode)) { IsBackground = true, Name = "deadline" }.Start();
    }

    public void Dispose() => _ended.Set();

    private void Wait(int seconds, Func<int> exitCode)
    {
        if (_ended.WaitOne(TimeSpan.FromSeconds(seconds) + Grace))
            return;
        Console.Error.WriteLine($"antbot: it had not ended {seconds} s after it was asked to; it is ended by force.");
        Environment.Exit(exitCode() is var code && code == ExitCodes.Ok ? ExitCodes.Forced : code);
    }
}
