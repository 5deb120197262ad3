using System.CommandLine;
using System.Net.Sockets;
using Antbot.Cli.Forwarding;
using Antbot.Cli.Sources;
using Antbot.Runtime.Telemetry;

namespace Antbot.Cli.Commands;

internal static class ForwardCommand
{
    public static Command Build()
    {
        var map = new Option<Mapping[]>("--map")
        {
            Description = "Where to listen and for whom, as 127.0.0.1:8080=console:8080; several targets with a comma between them. May be given several times.",
            Required = true,
            AllowMultipleArgumentsPerToken = false,
            CustomParser = result =>
            {
                foreach (var token in result.Tokens.Where(t => Mapping.Parse(t.Value) is null))
                    result.AddError($"'{token.Value}' is not ADDRESS:PORT=HOST:PORT, such as 127.0.0.1:8080=console:8080.");
                return [.. result.Tokens.Select(t => Mapping.Parse(t.Value)).OfType<Mapping>()];
            },
        };
        var command = new Command("forward", "One address for all instances of a service, where nothing else gives it one: every connection is carried to the next that answers. Until Ctrl-C.") { map };
        command.SetAction((parsed, cancellationToken) =>
        {
            var log = Common.LogOf("gate", typeof(ForwardCommand));
            return Common.RunAsync(parsed, () => ForwardAsync(parsed, parsed.GetValue(map)!, log, cancellationToken), log);
        });
        return command;
    }

    private static async Task<int> ForwardAsync(ParseResult parsed, Mapping[] map, ProcessLog log, CancellationToken cancellationToken)
    {
        var forwards = map.Select(m => (Mapping: m, Forwarder: new Forwarder(m, log))).ToList();
        var told = forwards.ConvertAll(f => new { Listen = Listen(f.Forwarder, f.Mapping), Targets = f.Mapping.ToString() });
        Common.Answer(parsed, new { Forwards = told }, string.Join("; ", told.Select(t => $"{t.Listen} → {t.Targets}")), log);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = forwards.ConvertAll(f => f.Forwarder.RunAsync(stop.Token));
        // None ends by itself: if one fails, that is the end, and not a silence.
        await Task.WhenAny(running);
        await stop.CancelAsync();
        await Task.WhenAll(running);
        return ExitCode.Done;
    }

    private static string Listen(Forwarder forwarder, Mapping mapping)
    {
        try
        {
            return forwarder.Listen().ToString();
        }
        catch (SocketException e)
        {
            throw new CommandException("Unavailable", $"{mapping.Listen} cannot be listened on: {e.Message}.", inner: e);
        }
    }
}
