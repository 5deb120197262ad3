using System.CommandLine;
using Antbot.Cli.Sources;
using Antbot.Forensics;
using Antbot.ReadModels;

namespace Antbot.Cli.Commands;

internal static class TradeCommand
{
    public static Command Build()
    {
        var id = new Argument<string>("id") { Description = "The trade's id, or a beginning of it (4 digits or more) that only one has, or the client's id of one of its orders." };
        id.Validators.Add(result =>
        {
            if (ReadModelQueries.FaultOfReference(result.GetValueOrDefault<string>() ?? "") is { } fault)
                result.AddError(fault);
        });
        var step = new Option<bool>("--step") { Description = "Event by event, with what each made of its stream's state; on a terminal with the arrow keys." };
        var command = new Command("trade", "The whole life of a trade: every event over all services, with the inputs and reasons of every decision.") { id, step, SourceOptions.Bundle, Common.Archives };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            if (parsed.GetValue(step))
                return Step(parsed, await source.StepsAsync(parsed.GetValue(id)!, cancellationToken), cancellationToken);
            var story = await source.StoryAsync(parsed.GetValue(id)!, cancellationToken);
            if (!Common.AnswerJson(parsed, story))
                Show(story);
            return ExitCode.Done;
        }));
        return command;
    }

    private static int Step(ParseResult parsed, TradeSteps trade, CancellationToken cancellationToken)
    {
        if (Common.AnswerJson(parsed, trade))
            return ExitCode.Done;
        var stepper = new TradeStepper(trade, Console.Out);
        if (TradeStepper.IsTerminal)
            stepper.Run(() => cancellationToken.IsCancellationRequested ? null : Console.ReadKey(intercept: true).Key);
        else
            stepper.ShowAll();
        return ExitCode.Done;
    }

    private static void Show(TradeStory story)
    {
        var out_ = Console.Out;
        if (story.Trade is { } t)
        {
            out_.WriteLine($"Trade {t.Id}: {t.Side} {t.Symbol} for {t.Account}, wished for by {Tables.Plain(t.Source)}");
            out_.WriteLine($"{t.Phase}{(t.Unknown ? ", unknown at the venue" : "")}{(t.Reason.Length > 0 ? $": {Tables.Plain(t.Reason)}" : "")}");
            var figures = new List<string> { $"up to {t.Notional}" };
            if (t.Quantity is { } quantity)
                figures.Add($"{quantity} at {t.Entry}");
            if (t.Exit is { } exit)
                figures.Add($"out at {exit}");
            if (t.Realised is { } realised)
                figures.Add($"P&L {realised.Value:+0.00;-0.00;0.00} (fees {t.Fees})");
            if (t.Stop is { } stop)
                figures.Add($"stop {stop}");
            if (t.TakeProfit is { } profit)
                figures.Add($"take profit {profit}");
            out_.WriteLine($"{string.Join(" · ", figures)} · held against the venue: {t.Reconciled}{(t.Drifts > 0 ? $", {t.Drifts} drifts" : "")}");
        }
        foreach (var o in story.Orders)
            out_.WriteLine($"Order {o.Id}: {o.Role} {o.Side} {o.Quantity}{(o.Limit is { } l ? $" at {l}" : "")}{(o.Trigger is { } g ? $" when {g}" : "")}, {o.Status}, executed {o.Executed} in {o.Fills.Count} fills, {o.Attempts} attempts{(o.LastWord.Length > 0 ? $" — {Tables.Plain(o.LastWord)}" : "")}");
        out_.WriteLine();
        DateTimeOffset? before = null;
        foreach (var entry in story.Timeline)
        {
            foreach (var line in StoryText.Lines(entry, before))
                out_.WriteLine(line);
            before = entry.At;
        }
        if (story is { Trade: { } trade, Timeline: [var first, ..] and [.., var last] } && Recordings.Of(trade.Id.Value, first.At, last.At) is { } recorded)
            out_.WriteLine(recorded);
        if (story.More)
            out_.WriteLine("There is more; this is its beginning. 'antbot export' has all of it.");
    }
}
