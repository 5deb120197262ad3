namespace Antbot.Runtime.Telemetry;

/// <summary>The log of a process that goes on and has no host: text where a person looks at it, else a <see cref="LogLine"/> an entry.</summary>
/// <param name="mark">What stands before trouble in a text.</param>
public sealed class ProcessLog(string service, string instance, string category, string mark, bool isText, TextWriter output, TimeProvider clock)
{
    private const string InstanceVariable = "ANTBOT_INSTANCE";

    public bool IsText => isText;

    /// <summary>On the standard error: the standard output is the answer of whoever was called.</summary>
    public static ProcessLog OnStandardError(string service, string category, string mark) => new(
        service, Environment.GetEnvironmentVariable(InstanceVariable) is { Length: > 0 } named ? named : Environment.MachineName, category, mark, isText: !Console.IsErrorRedirected, Console.Error, TimeProvider.System);

    public void Say(string what) => Write("Information", "", what);

    public void Warn(string what) => Write("Warning", mark, what);

    public void Fail(string what) => Write("Error", mark, what);

    private void Write(string level, string before, string what) => output.WriteLine(isText ? before + what : LogLine.Json(clock.GetUtcNow(), level, service, instance, category, what));
}
