using Antbot.LocalServers.Processes;

namespace Antbot.LocalServers.Docker;

/// <param name="Program">The docker program by which the engine is reached.</param>
internal sealed record DockerEngine(string Program, string Version)
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    /// <summary>The engine that answers, or null: the program alone is not enough.</summary>
    public static async Task<DockerEngine?> FindAsync(HostView host, CancellationToken cancellationToken)
    {
        if (host.OnPath("docker") is not { } docker)
            return null;
        var result = await ShortCommand.RunAsync(
            [docker, "version", "--format", "{{.Server.Version}}"], AnswerLimit, cancellationToken: cancellationToken);
        var version = result.Output.Trim();
        return result.Succeeded && version.Length > 0 ? new DockerEngine(docker, version) : null;
    }
}
