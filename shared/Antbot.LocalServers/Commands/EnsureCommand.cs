using System.CommandLine;
using System.Text.Json;
using Antbot.LocalServers.Docker;
using Antbot.LocalServers.Postgres;
using Antbot.LocalServers.Rabbit;

namespace Antbot.LocalServers.Commands;

/// <summary>Finds what the tests need, and installs it where it is missing: the only place that ever installs.</summary>
internal static class EnsureCommand
{
    private sealed record Finding(string Server, bool Available, string Source, string Where);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static Command Create() => Create(HostView.Machine, Console.Out, Console.Error);

    internal static Command Create(HostView host, TextWriter output, TextWriter error)
    {
        var json = new Option<bool>("--json") { Description = "Print the findings as JSON." };
        var postgres = new Option<bool>("--postgres") { Description = "Look for PostgreSQL only." };
        var rabbit = new Option<bool>("--rabbitmq") { Description = "Look for RabbitMQ only." };
        var noInstall = new Option<bool>("--no-install") { Description = "Only look; install nothing." };
        var command = new Command("ensure", "Find PostgreSQL and RabbitMQ, and install the distribution's packages where they are missing.")
        {
            json, postgres, rabbit, noInstall,
        };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            var both = arguments.GetValue(postgres) == arguments.GetValue(rabbit);
            var wanted = new List<string>();
            if (both || arguments.GetValue(postgres))
                wanted.Add("postgresql");
            if (both || arguments.GetValue(rabbit))
                wanted.Add("rabbitmq");
            var (findings, problem) = await EnsureAsync(wanted, install: !arguments.GetValue(noInstall), host, error, cancellationToken);
            Print(findings, problem, arguments.GetValue(json), output, error);
            return findings.TrueForAll(finding => finding.Available) ? 0 : 1;
        });
        return command;
    }

    /// <returns>With why nothing could be installed, where it was tried.</returns>
    private static async Task<(List<Finding> Findings, string? Problem)> EnsureAsync(
        List<string> wanted, bool install, HostView host, TextWriter error, CancellationToken cancellationToken)
    {
        var findings = await LookAsync(wanted, host, cancellationToken);
        var missing = findings.Where(finding => !finding.Available && finding.Source.Length == 0).ToList();
        if (!install || missing.Count == 0)
            return (findings, null);

        var packages = missing.Select(finding => Package(finding.Server)).ToList();
        var problem = await PackageInstaller.InstallAsync(packages, host, error, cancellationToken);
        return (await LookAsync(wanted, host, cancellationToken), problem is null ? null : $"Could not install {string.Join(' ', packages)}: {problem}.");
    }

    private static string Package(string server) => server == "postgresql" ? "postgresql" : "rabbitmq-server";

    private static async Task<List<Finding>> LookAsync(List<string> wanted, HostView host, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        foreach (var server in wanted)
        {
            try
            {
                findings.Add(await LookAsync(server, host, cancellationToken));
            }
            catch (ServerException wrong)
            {
                // Something is set, but wrongly: installing would not mend that.
                findings.Add(new Finding(server, Available: false, "environment", wrong.Message));
            }
        }

        return findings;
    }

    private static async Task<Finding> LookAsync(string server, HostView host, CancellationToken cancellationToken)
    {
        var isPostgres = server == "postgresql";
        var variable = isPostgres ? HostView.PostgresVariable : HostView.RabbitVariable;
        if (host.Value(variable) is { } text)
        {
            var where = isPostgres
                ? await ExternalPostgresServer.DescribeAsync(text, cancellationToken)
                : await ExternalRabbitServer.DescribeAsync(text, cancellationToken);
            return new Finding(server, Available: true, "environment", $"{variable}: {where}");
        }

        var engine = await DockerEngine.FindAsync(host, cancellationToken);
        var image = isPostgres ? DockerImages.Postgres : DockerImages.Rabbit;
#if TESTCONTAINERS
        if (engine is not null)
            return new Finding(server, Available: true, "testcontainers", $"engine {engine.Version}, image {image}");
#endif
        var folder = isPostgres ? PostgresBinaries.Find(host)?.Folder : RabbitBinaries.Find(host)?.Folder;
        if (folder is not null)
            return new Finding(server, Available: true, "binaries", folder);
        if (engine is not null)
            return new Finding(server, Available: true, "docker", $"engine {engine.Version}, image {image}");
        return new Finding(server, Available: false, "", isPostgres ? PostgresBinaries.Missing : RabbitBinaries.Missing);
    }

    private static void Print(List<Finding> findings, string? problem, bool json, TextWriter output, TextWriter error)
    {
        if (json)
            output.WriteLine(JsonSerializer.Serialize(findings, Json));
        foreach (var finding in json ? [] : findings.Where(f => f.Available))
            output.WriteLine($"{finding.Server}: {finding.Source}: {finding.Where}");
        // One line, whatever is missing.
        string[] missing = [.. problem is null ? [] : new[] { problem }, .. json ? [] : findings.Where(f => !f.Available).Select(f => f.Where)];
        if (missing.Length > 0)
            error.WriteLine(string.Join(' ', missing));
    }
}
