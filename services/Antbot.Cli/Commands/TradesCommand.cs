using System.CommandLine;
using Antbot.Cli.Sources;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.ReadModels;
using Spectre.Console;
using Symbol = Antbot.Contracts.Symbol;

namespace Antbot.Cli.Commands;

internal static class TradesCommand
{
    public static Command Build()
    {
        var state = new Option<TradePhase[]>("--state") { Description = "Only trades in these phases.", AllowMultipleArgumentsPerToken = true, CustomParser = Common.Words<TradePhase> };
        var symbol = new Option<string>("--symbol") { Description = "Only trades of this symbol, such as BTCUSDT." };
        var limit = new Option<int>("--limit", "-n") { Description = "How many, 1 to 1,000.", DefaultValueFactory = _ => 20 };
        var after = new Option<string>("--after") { Description = "Go on after the trade with this id, the last of the page before." };
        limit.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > ViewQuery.LimitMax)
                result.AddError($"--limit is 1 to {ViewQuery.LimitMax}.");
        });
        symbol.Validators.Add(result => Common.Check(result, Symbol.Fault));
        after.Validators.Add(result => Common.Check(result, TradeId.Fault));
        var command = new Command("trades", "Trades, the newest first.") { state, symbol, limit, after };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var states = (parsed.GetValue(state) ?? []).Select(s => s.ToString()).ToArray();
            var page = await source.TradesAsync(new ViewQuery(states, parsed.GetValue(symbol), After: parsed.GetValue(after), Limit: parsed.GetValue(limit)), cancellationToken);
            if (!Common.AnswerJson(parsed, page))
                Show(page);
            return ExitCode.Done;
        }));
        return command;
    }

    private static void Show(Page<TradeView> page)
    {
        if (page.Items.Count == 0)
        {
            Console.Out.WriteLine("No trades.");
            return;
        }
        var table = Tables.New("trade", "raised", "symbol", "side", "phase", "quantity", "entry", "exit", "P&L", "checked", "why");
        foreach (var t in page.Items)
        {
            string[] cells =
            [
                t.Id.Value[..12], Tables.Time(t.RaisedAt), t.Symbol.Value, t.Side.ToString(), t.Unknown ? $"{t.Phase} (unknown)" : t.Phase.ToString(), $"{t.Quantity}", $"{t.Entry}", $"{t.Exit}",
                t.Realised is { } realised ? $"{realised.Value:+0.00;-0.00;0.00}" : "", t.Drifts > 0 ? $"{t.Reconciled}, {t.Drifts} drifts" : t.Reconciled == ReconciledPart.Nothing ? "" : t.Reconciled.ToString(),
                Tables.Plain(t.Reason.Length > 60 ? $"{t.Reason[..59]}…" : t.Reason),
            ];
            table.AddRow([.. cells.Select(Markup.Escape)]);
        }
        Tables.Write(table);
        if (page.Next is { } next)
            Console.Out.WriteLine($"More: antbot trades --after {next}");
    }
}
