using System.CommandLine;
using Antbot.Cli.Sources;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.ReadModels;
using Antbot.Runtime.Control;
using Spectre.Console;

namespace Antbot.Cli.Commands;

/// <summary>Messages that nobody could work on.</summary>
internal static class DlqCommand
{
    private const int IdShown = 12;
    private const int FaultShown = 80;
    private const int HeaderShown = 200;
    private const int TextShown = 4_000;

    public static Command Build() => new("dlq", "Dead letters: messages that nobody could work on, kept as they came, and what is done about them.") { List(), Groups(), Show(), DlqReplayCommand.Replay(), DlqReplayCommand.Replays(), DlqReplayCommand.Approve(), DlqReplayCommand.Cancel(), DlqEditCommand.Build(), GiveUp(), Discard() };

    private static Command List()
    {
        var state = new Option<DeadLetterStatus[]>("--state") { Description = "Only letters in these states: new, edited, replaying, replayed, discarded, expired.", AllowMultipleArgumentsPerToken = true, CustomParser = Common.Words<DeadLetterStatus> };
        var fingerprint = new Option<string>("--fingerprint") { Description = "Only letters of this cause; 'antbot dlq groups' names them." };
        var trade = new Option<string>("--trade") { Description = "Only letters about this trade." };
        trade.Validators.Add(result => Common.Check(result, TradeId.Fault));
        var (endpoint, type, limit, after) = Filters();
        var command = new Command("list", "Dead letters, the newest first.") { state, endpoint, type, fingerprint, trade, limit, after };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var query = new ViewQuery([.. (parsed.GetValue(state) ?? []).Select(s => s.ToString())], Trade: parsed.GetValue(trade), After: parsed.GetValue(after), Limit: parsed.GetValue(limit))
            {
                Search = Search((ViewTables.Endpoint, parsed.GetValue(endpoint)), (ViewTables.MessageType, parsed.GetValue(type)), (ViewTables.Fingerprint, parsed.GetValue(fingerprint))),
            };
            var page = await source.DeadLettersAsync(query, cancellationToken);
            if (!Common.AnswerJson(parsed, page))
                Write(page, "No dead letters.", ["letter", "kept", "endpoint", "message", "state", "bytes", "fault"], l =>
                    [l.Id[..IdShown], Tables.Time(l.KeptAt), l.Endpoint, Short(l.MessageType), l.State.ToString(), $"{l.Bytes}", Fault(l.FaultType, l.Fault)], "antbot dlq list");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Groups()
    {
        var (endpoint, type, limit, after) = Filters();
        var open = new Option<bool>("--open") { Description = "Only causes with letters about which nothing has been decided." };
        var command = new Command("groups", "Dead letters by their causes, the one that was added to last first.") { open, endpoint, type, limit, after };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var query = new ViewQuery(parsed.GetValue(open) ? [DeadLetterGroupView.Open] : [], After: parsed.GetValue(after), Limit: parsed.GetValue(limit))
            {
                Search = Search((ViewTables.Endpoint, parsed.GetValue(endpoint)), (ViewTables.MessageType, parsed.GetValue(type))),
            };
            var page = await source.DeadLetterGroupsAsync(query, cancellationToken);
            if (!Common.AnswerJson(parsed, page))
                Write(page, "No dead letters.", ["fingerprint", "new", "all", "first", "last", "endpoint", "message", "fault"], g =>
                [
                    g.Fingerprint, $"{g.Letters.GetValueOrDefault(DeadLetterStatus.New) + g.Letters.GetValueOrDefault(DeadLetterStatus.Edited)}", $"{g.Letters.Values.Sum()}", Tables.Time(g.FirstSeen), Tables.Time(g.LastSeen), g.Endpoint, Short(g.MessageType), Fault(g.FaultType, g.Fault),
                ], "antbot dlq groups");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Show()
    {
        var id = Id();
        var body = new Option<FileInfo>("--body") { Description = "Write the body into this file, byte for byte as it came, of any size. The file must not be there." };
        var edited = new Option<bool>("--edited") { Description = "With --body: as it is sent once more, with its message changed." };
        var command = new Command("show", "One dead letter: the fault, the headers, the body, what was done about it.") { id, body, edited };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            if (parsed.GetValue(body) is { } file)
                await WriteAsync(file, await source.DeadLetterBodyAsync(parsed.GetValue(id)!, parsed.GetValue(edited), cancellationToken), cancellationToken);
            var story = await source.DeadLetterAsync(parsed.GetValue(id)!, cancellationToken);
            if (!Common.AnswerJson(parsed, story))
                Tell(story);
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command GiveUp()
    {
        var id = Id();
        var reason = new Option<string>("--reason") { Description = "Why, for those who read it later.", Required = true };
        reason.Validators.Add(result => Common.Check(result, ControlCommands.ReasonFault));
        var command = new Command("give-up", """
            Waits no longer for what comes of a dead letter that was sent once more: it is new again, and can be replayed or discarded. Refused where something
            was decided on it. Should a copy of it still be on its way, it has its effect once all the same, and a replay finds it.
            """) { id, reason };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var done = await source.GiveUpDeadLetterAsync(parsed.GetValue(id)!, parsed.GetValue(reason)!, cancellationToken);
            Common.Answer(parsed, done, $"{done.Letter} is {done.State} again by {done.By}: {Tables.Plain(done.Reason)}");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Discard()
    {
        var id = Id();
        var reason = new Option<string>("--reason") { Description = "Why, for those who read it later.", Required = true };
        reason.Validators.Add(result => Common.Check(result, ControlCommands.ReasonFault));
        var command = new Command("discard", "Holds that nothing is to come of a dead letter. It stays in the record, with who and why.") { id, reason };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var done = await source.DiscardDeadLetterAsync(parsed.GetValue(id)!, parsed.GetValue(reason)!, cancellationToken);
            Common.Answer(parsed, done, $"{done.Letter} is {done.State} by {done.By}: {Tables.Plain(done.Reason)}");
            return ExitCode.Done;
        }));
        return command;
    }

    private static (Option<string> Endpoint, Option<string> Type, Option<int> Limit, Option<string> After) Filters()
    {
        var limit = new Option<int>("--limit", "-n") { Description = "How many, 1 to 1,000.", DefaultValueFactory = _ => 20 };
        limit.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > ViewQuery.LimitMax)
                result.AddError($"--limit is 1 to {ViewQuery.LimitMax}.");
        });
        return (
            new Option<string>("--endpoint") { Description = "Only what was going there, such as risk." },
            new Option<string>("--type") { Description = "Only this kind of message, such as AssessRisk." },
            limit,
            new Option<string>("--after") { Description = "Go on after the row with this id, the last of the page before." });
    }

    private static Argument<string> Id()
    {
        var id = new Argument<string>("id") { Description = "The letter's id, or a beginning of it (4 digits or more) that only one has." };
        id.Validators.Add(result => Common.Check(result, DeadLetterStories.FaultOfReference));
        return id;
    }

    private static Dictionary<string, string> Search(params (string Column, string? Value)[] wanted) =>
        wanted.Where(w => !string.IsNullOrEmpty(w.Value)).ToDictionary(w => w.Column, w => w.Value!, StringComparer.Ordinal);

    private static void Write<T>(Page<T> page, string none, string[] columns, Func<T, string[]> cells, string more)
    {
        if (page.Items.Count == 0)
        {
            Console.Out.WriteLine(none);
            return;
        }
        var table = Tables.New(columns);
        foreach (var item in page.Items)
            table.AddRow([.. cells(item).Select(c => Markup.Escape(Tables.Plain(c)))]);
        Tables.Write(table);
        if (page.Next is { } next)
            Console.Out.WriteLine($"More: {more} --after {next}");
    }

    private static void Tell(DeadLetterStory story)
    {
        var (out_, l) = (Console.Out, story.Letter);
        out_.WriteLine($"Dead letter {l.Id}: {Tables.Plain(l.MessageType)} to {(l.Endpoint.Length > 0 ? l.Endpoint : "nobody knows where")}, {l.State}{(l.By.Length > 0 ? $" by {l.By}: {Tables.Plain(l.Reason)}" : "")}");
        out_.WriteLine($"Kept {l.KeptAt:u} from {l.Queue}{(l.FailedAt is { } at ? $", failed {at:u}" : "")}{(l.Attempts is { } attempts ? $" after {attempts} attempts" : "")}{(l.Build.Length > 0 ? $" in build {Tables.Plain(l.Build)}" : "")}");
        out_.WriteLine($"Message {l.Message?.ToString("D") ?? "without an id"}; trades: {(l.Trades.Count > 0 ? string.Join(' ', l.Trades) : "none")}; cause {l.Fingerprint}");
        out_.WriteLine();
        out_.WriteLine($"{(l.FaultType.Length > 0 ? $"{Tables.Plain(l.FaultType)}: " : "")}{Tables.Plain(l.Fault)}");
        foreach (var line in story.Stack.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            out_.WriteLine(Tables.Plain(line.TrimEnd()));
        out_.WriteLine();
        foreach (var header in story.Properties.Headers.Where(h => h.Name != Contracts.Messages.DeadLetterHeaders.FaultStack))
            out_.WriteLine($"{new string(' ', 2 * Math.Min(header.Depth, 20))}{Tables.Plain(header.Name)} ({header.Kind}) {Tables.Plain(Cut(header.Value, HeaderShown))}");
        out_.WriteLine();
        out_.WriteLine($"{l.Bytes:N0} bytes, SHA-256 {story.Sha256}");
        if (story.Text is { } text)
            out_.WriteLine(string.Join('\n', Cut(text, TextShown).Split('\n').Select(Tables.Plain)));
        else
            out_.WriteLine("No text, or a long one: 'antbot dlq show --body FILE' writes it into a file.");
        out_.WriteLine();
        foreach (var edit in story.Edits)
        {
            out_.WriteLine($"Changed by {edit.By}, {edit.Edit}: SHA-256 {edit.Before} → {edit.After}");
            out_.WriteLine($"  {Tables.Plain(edit.Patch.GetRawText())}");
        }
        foreach (var step in story.History)
            out_.WriteLine($"{step.At:u} {step.Type} {step.By} {Tables.Plain(step.Reason)}{string.Concat(step.Reasons.Where(v => !v.Passed).Select(v => $"; {v.Rule}: {Tables.Plain(v.Saw)}"))}");
    }

    private static async Task WriteAsync(FileInfo file, byte[] body, CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(file.FullName, FileMode.CreateNew, FileAccess.Write);
        await stream.WriteAsync(body, cancellationToken);
    }

    private static string Fault(string type, string fault) => Cut(type.Length > 0 ? $"{type[(type.LastIndexOf('.') + 1)..]}: {fault}" : fault, FaultShown);

    private static string Short(string text) => Cut(text, 30);

    private static string Cut(string text, int length) => text.Length <= length ? text : $"{text[..(length - 1)]}…";
}
