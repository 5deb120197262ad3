using System.CommandLine;
using System.Text.Json;
using Antbot.LocalServers.Postgres;
using Antbot.LocalServers.Processes;
using Antbot.LocalServers.Rabbit;

namespace Antbot.LocalServers.Commands;

/// <summary>Starts one server, says how to reach it, and keeps it until Ctrl-C.</summary>
internal static class RunCommand
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private sealed record Started(string Variable, string Value, string Folder, int Pid, int? PortMapperPid, string? Management);

    public static Command Postgres()
    {
        var data = DataOption();
        var json = JsonOption();
        var fsyncOff = new Option<bool>("--no-fsync") { Description = "Faster, and void of any durability." };
        var command = new Command("postgres", "Start a private PostgreSQL, print its connection string, and run until Ctrl-C.") { data, json, fsyncOff };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            var options = new PostgresServerOptions { DataFolder = arguments.GetValue(data), MustBeOwned = true, Fsync = !arguments.GetValue(fsyncOff) };
            await using var server = await PostgresServer.StartAsync(options, cancellationToken);
            Print(
                new Started(HostView.PostgresVariable, server.AdminConnectionString, server.Folder, server.PostmasterPid, PortMapperPid: null, Management: null),
                arguments.GetValue(json));
            return await UntilEndAsync("PostgreSQL", server is LocalPostgresServer ? server.PostmasterPid : null, cancellationToken);
        });
        return command;
    }

    public static Command Rabbit()
    {
        var data = DataOption();
        var json = JsonOption();
        var management = new Option<bool>("--management") { Description = "With the management plugin." };
        var command = new Command("rabbitmq", "Start a private RabbitMQ, print its address, and run until Ctrl-C.") { data, json, management };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            var options = new RabbitServerOptions { DataFolder = arguments.GetValue(data), MustBeOwned = true, Management = arguments.GetValue(management) };
            await using var server = await RabbitServer.StartAsync(options, cancellationToken);
            var portMapper = (server as LocalRabbitServer)?.PortMapperPid;
            Print(
                new Started(HostView.RabbitVariable, server.AdminUri.ToString(), server.Folder, server.BrokerPid, portMapper, server.ManagementUri?.ToString()),
                arguments.GetValue(json));
            return await UntilEndAsync("RabbitMQ", server is LocalRabbitServer ? server.BrokerPid : null, cancellationToken);
        });
        return command;
    }

    private static Option<string?> DataOption() => new("--data") { Description = "A folder where the data is kept; without it, the data goes with the server." };

    private static Option<bool> JsonOption() => new("--json") { Description = "Print JSON instead of shell assignments." };

    private static void Print(Started started, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(started, JsonSerializerOptions.Web));
            return;
        }

        Console.WriteLine($"{started.Variable}='{started.Value}'");
        if (started.Management is not null)
            Console.WriteLine($"{HostView.RabbitManagementVariable}='{started.Management}'");
    }

    private static async Task<int> UntilEndAsync(string name, int? pid, CancellationToken cancellationToken)
    {
        try
        {
            while (pid is null || ProcessTable.IsRunning(pid.Value))
                await Task.Delay(LookInterval, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            return 0;
        }

        await Console.Error.WriteLineAsync($"{name} (process {pid}) has ended by itself or was killed.");
        return 1;
    }
}
