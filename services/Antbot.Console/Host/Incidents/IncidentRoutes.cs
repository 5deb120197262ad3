using System.Text.Json;
using Antbot.ConsoleService.Access;
using Antbot.ConsoleService.DeadLetters;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Forensics;
using Antbot.Incidents.Reports;
using Antbot.Kernel.Time;
using Antbot.ReadModels;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Antbot.ConsoleService.Incidents;

/// <param name="Since">From when on it is looked at; an hour ago where nothing is said.</param>
/// <param name="Until">Until when; until it is closed where nothing is said.</param>
internal sealed record IncidentBody(string Reason, DateTimeOffset? Since = null, DateTimeOffset? Until = null, IReadOnlyList<string>? Trades = null);

/// <summary>What went wrong, and what was done about it.</summary>
internal sealed class IncidentRoutes(ReadModelQueries queries, IncidentStories stories, IncidentBook book, IEventStore store, EventCodec codec, IReadModels models, TimeProvider clock, Audit audit)
{
    private const string Prefix = "/api/incidents";

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGuarded<IncidentRoutes>(
            new ApiRoute("GET", Prefix, Role.Viewer, "A page of incidents, the newest first.")
            {
                Query = [("state", $"any of {string.Join(", ", Enum.GetNames<IncidentStatus>())}, with commas between"), .. DeadLetterRoutes.Paging], Answer = typeof(Page<IncidentView>),
            },
            (r, c) => r.ListAsync(c));
        routes.MapGuarded<IncidentRoutes>(
            new ApiRoute("POST", Prefix, Role.Operator, "Something is wrong: from now on there is an incident of it.") { Body = typeof(IncidentBody), Answer = typeof(IncidentStory), Status = StatusCodes.Status201Created }, (r, c) => r.OpenAsync(c));
        routes.MapGuarded<IncidentRoutes>(
            new ApiRoute("GET", $"{Prefix}/{{id}}", Role.Viewer, "One incident, by its id or the beginning of one, with all that was said of it.") { Answer = typeof(IncidentStory) }, (r, c) => r.ShowAsync(c));
        routes.MapGuarded<IncidentRoutes>(
            new ApiRoute("GET", $"{Prefix}/{{id}}/report", Role.Viewer, "What it was, from top to bottom: impact, what changed before it, what happened, what was done, how it ended.") { Answer = typeof(IncidentReport) }, (r, c) => r.ReportAsync(c));
        MapWord(routes, "notes", "note", "Something that was learned of it.", w => new NoteIncident(w.Incident, w.Request, w.Reason, w.By), (w, _) => new IncidentNoted(w.Incident, w.Request, w.Reason, w.By));
        MapWord(routes, "acknowledge", "acknowledge", "Somebody has taken it on.", w => new AcknowledgeIncident(w.Incident, w.Request, w.Reason, w.By), (w, _) => new IncidentAcknowledged(w.Incident, w.Request, w.Reason, w.By));
        MapWord(
            routes, "close", "close", "It is over, and how it ended.", w => new CloseIncident(w.Incident, w.Request, w.Reason, w.By),
            (w, recorded) => new IncidentClosed(w.Incident, w.Request, w.Reason, w.By, (recorded as IncidentClosed)?.At ?? default));
    }

    private static void MapWord(IEndpointRouteBuilder routes, string path, string command, string summary, Func<Word, object> wordOf, Func<Word, object, object> done) => routes.MapGuarded<IncidentRoutes>(
        new ApiRoute("POST", $"{Prefix}/{{id}}/{path}", Role.Operator, summary) { Body = typeof(ReasonBody), Answer = typeof(IncidentStory) }, (r, c) => r.SayAsync(c, command, wordOf, done));

    private async Task ListAsync(HttpContext context)
    {
        DeadLetterRoutes.Known(context, ["state", "limit", "after"]);
        var query = DeadLetterRoutes.Query(context, Enum.GetNames<IncidentStatus>());
        // What is told of many at once stands in one table.
        await Api.AnswerAsync(context, await queries.ListAsync<IncidentView>(ViewTable.Summaries, query.States.Count > 0 ? query : query with { States = Enum.GetNames<IncidentStatus>() }, context.RequestAborted));
    }

    private async Task OpenAsync(HttpContext context)
    {
        var body = await Api.BodyAsync(context);
        if (body.EnumerateObject().Select(m => m.Name).FirstOrDefault(n => typeof(IncidentBody).GetProperty(n) is null) is { } unknown)
            throw Api.Invalid($"'{unknown}' is not known here.");
        var (reason, by, incident) = (Audit.Reason(body), Caller.Of(context).Name, Audit.IdOf(context));
        var (since, until) = (TimeIn(body, "Since"), TimeIn(body, "Until"));
        var trades = TradesIn(body);
        foreach (var trade in trades)
        {
            if (await store.ReadVersionAsync(Streams.Trade(trade), context.RequestAborted) == 0 && await store.ReadVersionAsync(Streams.Signal(trade), context.RequestAborted) == 0)
                throw ReadRoutes.NoSuchTrade(trade.Value);
        }
        // From here on the word is carried through, whether or not whoever gave it still listens.
        var recorded = await book.DecideAsync(incident, incident, by, new OpenIncident(incident, reason, by, since ?? clock.GetUtcNow().Cut() - Hour, until, trades), CancellationToken.None);
        var decided = codec.Decode(recorded);
        ThrowIfRefused(decided);
        // Since when it is looked at was reckoned when it was asked for first.
        if (decided is IncidentOpened opened)
            audit.MustBeSame(recorded, opened with { Reason = reason, By = by, Since = since ?? opened.Since, Until = until, Trades = trades });
        else
            audit.MustBeSame(recorded, new IncidentNoted(incident, incident, reason, by));
        await AnswerAsync(context, incident, StatusCodes.Status201Created);
    }

    private async Task ShowAsync(HttpContext context) => await AnswerAsync(context, await ResolveAsync(context), StatusCodes.Status200OK);

    private Task ReportAsync(HttpContext context) => TraceRoutes.WithinAsync(context, "antbot incident report", async token =>
    {
        var incident = await ResolveAsync(context);
        // As the list of tokens is, so is what is said of them.
        var reporter = new IncidentReporter(store, codec, models, clock, stream => stream != Streams.Access.Value || Caller.Of(context).Role >= Role.SuperAdmin);
        await Api.AnswerAsync(context, await reporter.ReadAsync(incident, cancellationToken: token) ?? throw NoSuchIncident(incident.ToString("N")));
    });

    private async Task SayAsync(HttpContext context, string command, Func<Word, object> wordOf, Func<Word, object, object> done)
    {
        var incident = await ResolveAsync(context);
        var reason = Audit.Reason(await Api.BodyAsync(context));
        if (!await book.IsThereAsync(incident, context.RequestAborted))
            throw NoSuchIncident(incident.ToString("N"));
        var word = new Word(incident, Audit.IdOf(context), reason, Caller.Of(context).Name);
        var recorded = await book.DecideAsync(incident, word.Request, word.By, wordOf(word), CancellationToken.None);
        var decided = codec.Decode(recorded);
        audit.MustBeSame(recorded, decided is IncidentRefused refused ? refused with { Incident = incident, Request = word.Request, Command = command, By = word.By } : done(word, decided));
        ThrowIfRefused(decided);
        await AnswerAsync(context, incident, StatusCodes.Status200OK);
    }

    private async Task AnswerAsync(HttpContext context, Guid incident, int status) =>
        await Api.AnswerAsync(context, await stories.ReadAsync(incident, context.RequestAborted) ?? throw NoSuchIncident(incident.ToString("N")), status);

    /// <summary>The incident that is meant by an id or the beginning of one.</summary>
    private async Task<Guid> ResolveAsync(HttpContext context)
    {
        var given = (string?)context.GetRouteValue("id") ?? "";
        if (IncidentStories.FaultOfReference(given) is { } fault)
            throw Api.Invalid(fault);
        var found = await stories.ResolveAsync(given, context.RequestAborted);
        return found.Count switch
        {
            1 => found[0],
            0 => throw NoSuchIncident(given),
            _ => throw new ApiException(StatusCodes.Status409Conflict, "NotUnique", $"More than one incident begins with {given}; give more digits."),
        };
    }

    private static void ThrowIfRefused(object decided)
    {
        if (decided is IncidentRefused refused)
            throw new ApiException(StatusCodes.Status409Conflict, "Refused", string.Join("; ", refused.Verdicts.Where(v => !v.Passed).Select(v => $"{v.Rule}: {v.Saw}")));
    }

    private static DateTimeOffset? TimeIn(JsonElement body, string name) => !body.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : Moment.TryTime(Api.Text(body, name), out var time) && !TraceSelection.OutOfRange(time) ? time.Cut()
        : throw Api.Invalid($"'{name}' is no time, such as 2026-01-02T03:04:05Z.");

    private static List<TradeId> TradesIn(JsonElement body)
    {
        if (!body.TryGetProperty("Trades", out var given) || given.ValueKind == JsonValueKind.Null)
            return [];
        if (given.ValueKind != JsonValueKind.Array || given.GetArrayLength() > IncidentDecider.TradesMax)
            throw Api.Invalid($"'Trades' is a list of trades' ids, of {IncidentDecider.TradesMax} at most.");
        return [.. given.EnumerateArray().Select(t => t.ValueKind == JsonValueKind.String && TradeId.TryParse(t.GetString(), out var trade) ? trade : throw Api.Invalid($"{Short(t.GetRawText())} is no trade's id.")).Distinct()];
    }

    private static string Short(string text) => text.Length <= 50 ? text : $"{text[..50]}…";

    private static ApiException NoSuchIncident(string id) => new(StatusCodes.Status404NotFound, "NotFound", $"There is no incident {id}.");

    private sealed record Word(Guid Incident, Guid Request, string Reason, string By);
}
