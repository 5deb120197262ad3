using System.CommandLine;
using Antbot.Cli.Commands;
using Antbot.Cli.Sources;
using Antbot.EventStore;

namespace Antbot.Cli;

/// <summary>The command line as a whole. Exit codes: see <see cref="ExitCode"/>.</summary>
public static class CommandLine
{
    public static Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand($"""
            Everything an operator or analyst does with Antbot, from a terminal.

            The store is named by --store or the variable {StoreAddress.Variable}: 'sqlite:FILE', or a PostgreSQL connection string.
            status, trades, trade, trace, changes, incident, reconcile, watch, dlq, halt and resume ask the Console where one is named or runs here, else the store itself; order resolve, token, and what is said of dead letters and incidents need the Console.
            Exit codes: 0 done, 1 could not be done, 2 wrong usage, 3 the history was tampered with, 4 intact but with unsealed events, 5 there is no such thing, or it is in an archive that was not named,
            6 not allowed, 7 something would be decided otherwise, 8 a link of a chain is missing, 130 stopped.
            """)
        {
            StatusCommand.Build(),
            TradesCommand.Build(),
            TradeCommand.Build(),
            WatchCommand.Build(),
            ReconcileCommand.Build(),
            TraceCommand.Build(),
            ChangesCommand.Build(),
            IncidentCommand.Build(),
            RecordingCommand.Build(),
            AtCommand.At(),
            AtCommand.Diff(),
            ReplayCommand.Build(),
            SignalCommand.Build(),
            OrderCommand.Build(),
            DlqCommand.Build(),
            TokenCommand.Build(),
            ControlCommand.Halt(),
            ControlCommand.Resume(),
            VenueCommand.Build(),
            ForwardCommand.Build(),
            ViewsCommand.Build(),
            StoreCommand.Build(),
            VerifyCommand.Build(),
            ExportCommand.Build(),
            ImportCommand.Build(),
            CheckpointCommand.Build(),
            SealCommand.Build(),
        };
        root.Options.Add(Common.Store);
        root.Options.Add(Common.Json);
        root.Options.Add(SourceOptions.ConsoleAddress);
        root.Options.Add(SourceOptions.TokenFile);
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            Common.FailUsage(parsed);
            return Task.FromResult(ExitCode.Usage);
        }
        return parsed.InvokeAsync();
    }
}

internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int Tampered = 3;
    public const int Unproven = 4;
    public const int NotFound = 5;
    public const int NotAllowed = 6;
    public const int Different = 7;
    public const int Incomplete = 8;
    public const int Stopped = 130;
}
