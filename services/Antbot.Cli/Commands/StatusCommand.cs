using System.CommandLine;
using Antbot.Cli.Sources;
using Antbot.ReadModels;
using Spectre.Console;

namespace Antbot.Cli.Commands;

internal static class StatusCommand
{
    public static Command Build()
    {
        var command = new Command("status", "What runs, what may be done, how trades stand, what was won today and what is at risk.");
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var status = await source.StatusAsync(cancellationToken);
            if (Common.AnswerJson(parsed, status))
                return ExitCode.Done;
            Show(status, source.Where);
            return ExitCode.Done;
        }));
        return command;
    }

    private static void Show(StatusReport status, string where)
    {
        var (control, out_) = (status.Control, Console.Out);
        out_.WriteLine($"{where}, {status.Events:N0} events, {status.At:yyyy-MM-dd HH:mm:ss} UTC");
        out_.WriteLine($"Control   {control.Activity}, {control.Mode}{(control.Maintenance ? ", maintenance" : "")}{(control.Reason.Length > 0 ? $" — {control.Reason}" : "")} (version {control.Version})");
        if (control.EntryBar is { } bar)
            out_.WriteLine($"          nothing is entered: {bar}");
        out_.WriteLine($"Trades    {(status.Trades.Count == 0 ? "none yet" : string.Join(", ", status.Trades.Select(t => $"{t.Value:N0} {t.Key}")))}");
        foreach (var day in status.Today)
            out_.WriteLine($"Today     {day.Realised.Value:+0.00;-0.00;0.00} in {day.Account} from {day.Closed} closed trades, {day.Won} of them won, fees {day.Fees.Value:0.00}");
        if (status.Today.Count == 0)
            out_.WriteLine("Today     nothing was closed yet");
        out_.WriteLine($"Exposure  {status.Exposure.Cost:0.00} in {status.Exposure.Positions}{(status.Exposure.More ? " or more" : "")} open positions");
        if (status.Degradation is { } level)
            out_.WriteLine($"Level     {level}");
        if (status.Views.Behind > 0 || status.Views.Trouble is not null)
            out_.WriteLine($"Note      the read models are {status.Views.Behind:N0} events behind{(status.Views.Trouble is { } trouble ? $": {trouble}" : "")}");
        if (status.Services.Count == 0)
            return;
        var table = Tables.New("service", "instance", "state", "since", "health", "process", "build");
        foreach (var s in status.Services)
            table.AddRow([.. new[] { s.Service, s.Name, s.State, Tables.Time(s.Since), s.Health ?? "", s.ProcessId > 0 ? s.ProcessId.ToString() : "", s.Build }.Select(Markup.Escape)]);
        Tables.Write(table);
    }
}
