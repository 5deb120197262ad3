using System.CommandLine;
using Antbot.Cli.Sources;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.ReadModels;
using Antbot.Runtime.Control;
using Spectre.Console;

namespace Antbot.Cli.Commands;

/// <summary>What went wrong, and what was done about it.</summary>
internal static class IncidentCommand
{
    private const int IdShown = 12;
    private const int TextShown = 80;

    public static Command Build() => new("incident", "What went wrong: opened by a person, a crash or an alert; noted, taken on, closed, and told afterwards.")
    {
        Open(), List(), Show(), Word("note", "notes", "Keeps what was learned of an incident."), Word("acknowledge", "acknowledge", "Says that somebody has taken an incident on."), Word("close", "close", "Says that an incident is over, and how it ended."), IncidentReportCommand.Build(), IncidentBundleCommand.Build(),
    };

    private static Command Open()
    {
        var reason = Reason("What is wrong, for those who read it later.");
        var trade = new Option<string[]>("--trade") { Description = "A trade that it is about, by its whole id; may be given several times. Without one it is about whatever went on." };
        trade.Validators.Add(result =>
        {
            foreach (var why in result.Tokens.Select(t => TradeId.Fault(t.Value)).OfType<string>())
                result.AddError(why);
        });
        var since = Instants.OrAgo("--since", "From when on it is looked at; an hour ago where nothing is said.");
        var until = Instants.OrAgo("--until", "Until when; until it is closed where nothing is said.");
        var command = new Command("open", "Says that something is wrong: from then on there is an incident of it.") { reason, trade, since, until };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var story = await source.OpenIncidentAsync(new IncidentWish(parsed.GetValue(reason)!, parsed.GetValue(since), parsed.GetValue(until), parsed.GetValue(trade) ?? []), cancellationToken);
            if (!Common.AnswerJson(parsed, story))
                Console.Out.WriteLine($"Incident {story.Incident.Id} is open: {Tables.Plain(story.Incident.Reason)}");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command List()
    {
        var state = new Option<IncidentStatus[]>("--state") { Description = "Only incidents in these states: open, acknowledged, closed.", AllowMultipleArgumentsPerToken = true, CustomParser = Common.Words<IncidentStatus> };
        var limit = new Option<int>("--limit", "-n") { Description = "How many, 1 to 1,000.", DefaultValueFactory = _ => 20 };
        limit.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > ViewQuery.LimitMax)
                result.AddError($"--limit is 1 to {ViewQuery.LimitMax}.");
        });
        var after = new Option<string>("--after") { Description = "Go on after the incident with this id, the last of the page before." };
        var command = new Command("list", "Incidents, the newest first.") { state, limit, after };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var page = await source.IncidentsAsync(new ViewQuery([.. (parsed.GetValue(state) ?? []).Select(s => s.ToString())], After: parsed.GetValue(after), Limit: parsed.GetValue(limit)), cancellationToken);
            if (!Common.AnswerJson(parsed, page))
                Write(page);
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Show()
    {
        var id = Id();
        var command = new Command("show", "One incident, with all that was said of it.") { id, SourceOptions.Bundle };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var story = await source.IncidentAsync(parsed.GetValue(id)!, cancellationToken);
            if (!Common.AnswerJson(parsed, story))
                Tell(story);
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Word(string name, string path, string what)
    {
        var (id, reason) = (Id(), Reason(name == "note" ? "What was learned." : name == "close" ? "How it ended, for those who read it later." : "What is done about it, for those who read it later."));
        var command = new Command(name, what) { id, reason };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var story = await source.SayOfIncidentAsync(parsed.GetValue(id)!, path, parsed.GetValue(reason)!, cancellationToken);
            if (!Common.AnswerJson(parsed, story))
                Console.Out.WriteLine($"Incident {story.Incident.Id} is {story.Incident.State}; {Tables.Plain(story.History[^1].By)}: {Tables.Plain(story.History[^1].What)}");
            return ExitCode.Done;
        }));
        return command;
    }

    internal static Argument<string> Id()
    {
        var id = new Argument<string>("id") { Description = "The incident's id, or a beginning of it (4 digits or more) that only one has." };
        id.Validators.Add(result => Common.Check(result, IncidentStories.FaultOfReference));
        return id;
    }

    private static Option<string> Reason(string what)
    {
        var reason = new Option<string>("--reason") { Description = what, Required = true };
        reason.Validators.Add(result => Common.Check(result, ControlCommands.ReasonFault));
        return reason;
    }

    private static void Write(Page<IncidentView> page)
    {
        if (page.Items.Count == 0)
        {
            Console.Out.WriteLine("No incidents.");
            return;
        }
        var table = Tables.New("incident", "opened", "state", "by", "times", "last seen", "what");
        foreach (var i in page.Items)
        {
            string[] cells = [i.Id[..IdShown], Tables.Time(i.OpenedAt), i.State.ToString(), i.Source == IncidentSource.Person ? i.By : i.Source.ToString(), $"{i.Times}", Tables.Time(i.SeenAt), Cut(i.Reason)];
            table.AddRow([.. cells.Select(c => Markup.Escape(Tables.Plain(c)))]);
        }
        Tables.Write(table);
        if (page.Next is { } next)
            Console.Out.WriteLine($"More: antbot incident list --after {next}");
    }

    private static void Tell(IncidentStory story)
    {
        var (out_, i) = (Console.Out, story.Incident);
        out_.WriteLine($"Incident {i.Id}, {i.State}, opened {i.OpenedAt:u} by {(i.Source == IncidentSource.Person ? i.By : $"{(i.Source == IncidentSource.Crash ? "a crash" : "an alert")}, {Tables.Plain(i.Cause)}")}");
        out_.WriteLine(Tables.Plain(i.Reason));
        out_.WriteLine($"From {i.Since:u} {(i.Until is { } until ? $"until {until:u}" : "on, and it goes on")}; seen {i.Times:N0} times, last {i.SeenAt:u}; trades: {(i.Trades.Count > 0 ? string.Join(' ', i.Trades) : "whatever went on")}");
        if (i.ClosedBy is { } by)
            out_.WriteLine($"Closed by {by}: {Tables.Plain(i.Ended)}");
        out_.WriteLine();
        foreach (var step in story.History)
            out_.WriteLine($"{step.At:u} {step.Type.Replace('_', ' ')}  {Tables.Plain(step.By)}: {Tables.Plain(step.What)}{string.Concat(step.Reasons.Where(v => !v.Passed).Select(v => $"; {v.Rule}: {Tables.Plain(v.Saw)}"))}");
    }

    private static string Cut(string text) => text.Length <= TextShown ? text : $"{text[..(TextShown - 1)]}…";
}
