using Antbot.LocalServers.Processes;

namespace Antbot.LocalServers.Docker;

internal static class DockerEngine
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    /// <summary>The version of the engine that answers, or null: the program alone is not enough.</summary>
    public static async Task<string?> VersionAsync(HostView host, CancellationToken cancellationToken)
    {
        if (host.OnPath("docker") is not { } docker)
            return null;
        var result = await ShortCommand.RunAsync(
            [docker, "version", "--format", "{{.Server.Version}}"], AnswerLimit, cancellationToken: cancellationToken);
        var version = result.Output.Trim();
        return result.Succeeded && version.Length > 0 ? version : null;
    }
}
