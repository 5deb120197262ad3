namespace Antbot.Cli.Sources;

/// <summary>What was asked for cannot be done: what happened, why, and what to do.</summary>
internal sealed class CommandException(string error, string message, int exitCode = ExitCode.Failed, Exception? inner = null) : Exception(message, inner)
{
    public string Error { get; } = error;

    public int ExitCode { get; } = exitCode;
}
