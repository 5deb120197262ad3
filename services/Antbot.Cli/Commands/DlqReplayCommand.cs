using System.CommandLine;
using System.CommandLine.Parsing;
using Antbot.Cli.Sources;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.ReadModels;
using Antbot.Runtime.Control;
using Spectre.Console;

namespace Antbot.Cli.Commands;

/// <summary>Dead letters that are sent once more: one, or many together.</summary>
internal static class DlqReplayCommand
{
    private const int MissesShown = 20;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    public static Command Replay()
    {
        var id = new Argument<string?>("id") { Description = "One letter's id, or a beginning of it (4 digits or more) that only one has.", Arity = ArgumentArity.ZeroOrOne };
        id.Validators.Add(result => Common.Check(result, DeadLetterStories.FaultOfReference));
        var (endpoint, type, fingerprint) = (
            new Option<string>("--endpoint") { Description = "All that were going there, such as risk." },
            new Option<string>("--type") { Description = "All of this kind of message, such as AssessRisk." },
            new Option<string>("--fingerprint") { Description = "All of this cause; 'antbot dlq groups' names them." });
        var trade = new Option<string>("--trade") { Description = "All about this trade." };
        trade.Validators.Add(result => Common.Check(result, TradeId.Fault));
        var all = new Option<bool>("--all") { Description = "Every one about which nothing has been decided." };
        var (limit, rate) = (new Option<int?>("--limit", "-n") { Description = "Of those that are meant the newest, so many." }, new Option<int?>("--rate") { Description = "So many a second at most." });
        var wait = new Option<bool>("--wait") { Description = "Until all have had their turn: ends with 0 when they have, with 1 where it was stopped or cancelled." };
        var dryRun = DlqForesight.DryRun("Sends nothing: tells of each letter, and of all, which events and messages would come of it now, at what money, and how far the state has moved since it failed. Ends with 0 where that is known of all, else with 8.");
        var reason = Reason(isNeeded: false);
        var command = new Command("replay", """
            Sends dead letters once more to where they were going, byte for byte and under the ids that they had: whoever decided on one before does not do
            so again. A letter is replayed when what was decided on it is in the history, and new again when it comes back. A wish to enter whose signal is no
            longer valid, or whose trade is over, is refused.

            Many at once are chosen when it is asked for, and nothing is added later. They go in batches of 1, 2, 5, 10 and so on, of one trade one at a time;
            where one of a batch dies again or is not heard of, the rest is left alone. Where they are many, or much money, a second operator approves them
            with 'antbot dlq approve'.
            """) { id, endpoint, type, fingerprint, trade, all, limit, rate, wait, dryRun, reason };
        command.Validators.Add(result =>
        {
            var isMany = result.GetValue(all) || new[] { endpoint, type, fingerprint, trade }.Any(o => result.GetValue(o) is not null);
            if (isMany == result.GetValue(id) is not null)
                result.AddError("Say which are meant: the id of one, or --endpoint, --type, --fingerprint, --trade or --all.");
            NeedReason(result, dryRun, reason);
        });
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            if (parsed.GetValue(id) is { } letter && parsed.GetValue(dryRun))
                return await DlqForesight.TellAsync(parsed, source.ForeseeLetterAsync(letter, cancellationToken), cancellationToken);
            if (parsed.GetValue(id) is { } one)
                return await ReplayAsync(parsed, source, one, parsed.GetValue(reason)!, cancellationToken);
            var wish = new ReplaysWish(
                parsed.GetValue(reason) ?? "", parsed.GetValue(endpoint), parsed.GetValue(type), parsed.GetValue(fingerprint), parsed.GetValue(trade), parsed.GetValue(all), parsed.GetValue(limit), parsed.GetValue(rate));
            if (parsed.GetValue(dryRun))
                return await DlqForesight.TellAsync(parsed, source.ForeseeLettersAsync(wish, cancellationToken), cancellationToken);
            var story = await source.RequestReplaysAsync(wish, cancellationToken);
            if (parsed.GetValue(wait))
                story = await WaitAsync(parsed, source, story, cancellationToken);
            Answer(parsed, story);
            return story.Selection.State is ReplaysStatus.Stopped or ReplaysStatus.Cancelled ? ExitCode.Failed : ExitCode.Done;
        }));
        return command;
    }

    public static Command Replays()
    {
        var id = new Argument<string?>("id") { Description = "One of them: how far it is, and every letter that was not replayed.", Arity = ArgumentArity.ZeroOrOne };
        id.Validators.Add(result => Common.Check(result, FaultOfId));
        var state = new Option<ReplaysStatus[]>("--state") { Description = "Only those in these states: requested, running, done, stopped, cancelled.", AllowMultipleArgumentsPerToken = true, CustomParser = Common.Words<ReplaysStatus> };
        var command = new Command("replays", "What was sent once more together, the newest first; or one of them.") { id, state };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            if (parsed.GetValue(id) is { } one)
                Answer(parsed, await source.ReplaysAsync(one, cancellationToken));
            else
                List(parsed, await source.ReplaysAsync(new ViewQuery([.. (parsed.GetValue(state) ?? []).Select(s => s.ToString())], Limit: 20), cancellationToken));
            return ExitCode.Done;
        }));
        return command;
    }

    public static Command Approve()
    {
        var id = new Argument<string>("id") { Description = "As 'antbot dlq replays' names it." };
        id.Validators.Add(result => Common.Check(result, FaultOfId));
        var dryRun = DlqForesight.DryRun("Approves nothing: tells what would come of it if it were sent now, as 'antbot dlq replay --dry-run' does.");
        var reason = Reason(isNeeded: false);
        var command = new Command("approve", "Lets what another operator requested be sent once more.") { id, dryRun, reason };
        command.Validators.Add(result => NeedReason(result, dryRun, reason));
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            if (parsed.GetValue(dryRun))
                return await DlqForesight.TellAsync(parsed, source.ForeseeReplaysAsync(parsed.GetValue(id)!, cancellationToken), cancellationToken);
            Answer(parsed, await source.SayOfReplaysAsync(parsed.GetValue(id)!, "approve", parsed.GetValue(reason)!, cancellationToken));
            return ExitCode.Done;
        }));
        return command;
    }

    public static Command Cancel()
    {
        var id = new Argument<string>("id") { Description = "As 'antbot dlq replays' names it." };
        id.Validators.Add(result => Common.Check(result, FaultOfId));
        var reason = Reason();
        var command = new Command("cancel", "Begins no further batch of it. The one that is under way comes to its end.") { id, reason };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            Answer(parsed, await source.SayOfReplaysAsync(parsed.GetValue(id)!, "cancel", parsed.GetValue(reason)!, cancellationToken));
            return ExitCode.Done;
        }));
        return command;
    }

    private static async Task<int> ReplayAsync(ParseResult parsed, ISource source, string id, string reason, CancellationToken cancellationToken)
    {
        var done = await source.ReplayDeadLetterAsync(id, reason, cancellationToken);
        Common.Answer(parsed, done, $"{done.Letter} is {done.State} by {done.By}: 'antbot dlq show {done.Letter[..12]}' tells what comes of it.");
        return ExitCode.Done;
    }

    private static async Task<ReplaysStory> WaitAsync(ParseResult parsed, ISource source, ReplaysStory story, CancellationToken cancellationToken)
    {
        var told = "";
        while (!ReplaysView.IsOver(story.Selection.State))
        {
            if (Line(story.Selection) is var line && line != told && !parsed.GetValue(Common.Json))
                Console.Error.WriteLine(told = line);
            await Task.Delay(LookEvery, cancellationToken);
            story = await source.ReplaysAsync(story.Selection.Id, cancellationToken);
        }
        return story;
    }

    private static void Answer(ParseResult parsed, ReplaysStory story)
    {
        if (Common.AnswerJson(parsed, story))
            return;
        var selection = story.Selection;
        Console.Out.WriteLine($"{selection.Id} of {Tables.Time(selection.RequestedAt)} by {selection.By}: {Tables.Plain(selection.Reason)}");
        Console.Out.WriteLine(Line(selection));
        foreach (var miss in story.Misses.Take(MissesShown))
            Console.Out.WriteLine($"  {miss.Letter:N} {Tables.Plain(miss.Why)}");
        if (story.Misses.Count > MissesShown)
            Console.Out.WriteLine($"  and {story.Misses.Count - MissesShown} more: --json tells them all");
    }

    private static string Line(ReplaysView s) =>
        $"{s.State}: {s.Replayed} of {s.Letters} letters replayed, {s.Refused} refused, {s.Failed} failed; wishes to enter for {s.Notional?.ToString() ?? "nobody knows how much"}{(s.ApprovedBy is { } by ? $"; approved by {by}" : "")}{(s.Why.Length > 0 ? $". {Tables.Plain(s.Why)}" : "")}";

    private static void List(ParseResult parsed, Page<ReplaysView> page)
    {
        if (Common.AnswerJson(parsed, page))
            return;
        if (page.Items.Count == 0)
        {
            Console.Out.WriteLine("Nothing was sent once more together.");
            return;
        }
        var table = Tables.New("id", "requested", "by", "state", "letters", "replayed", "refused", "failed", "reason");
        foreach (var s in page.Items)
            table.AddRow([.. new[] { s.Id, Tables.Time(s.RequestedAt), s.By, s.State.ToString(), $"{s.Letters}", $"{s.Replayed}", $"{s.Refused}", $"{s.Failed}", s.Reason }.Select(c => Markup.Escape(Tables.Plain(c)))]);
        Tables.Write(table);
    }

    private static string? FaultOfId(string text) => text.Length == 32 && text.All(char.IsAsciiHexDigit) ? null : "The id of a selection has 32 hexadecimal digits.";

    /// <summary>Who only asks need not say why.</summary>
    private static void NeedReason(CommandResult result, Option<bool> dryRun, Option<string> reason)
    {
        if (!result.GetValue(dryRun) && result.GetValue(reason) is null)
            result.AddError("Option '--reason' is required.");
    }

    private static Option<string> Reason(bool isNeeded = true)
    {
        var reason = new Option<string>("--reason") { Description = "Why, for those who read it later.", Required = isNeeded };
        reason.Validators.Add(result => Common.Check(result, ControlCommands.ReasonFault));
        return reason;
    }
}
