using System.Text.Json;
using Antbot.ConsoleService.Access;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.ReadModels;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Antbot.ConsoleService.DeadLetters;

/// <param name="All">Said where nothing else narrows it, so that nobody means all by leaving something out.</param>
/// <param name="Limit">The newest of them, so many.</param>
internal sealed record ReplaysBody(
    string Reason, string? Endpoint = null, string? Type = null, string? Fingerprint = null, string? Trade = null, bool All = false, int? Limit = null, int? PerSecond = null);

/// <summary>Dead letters that are sent once more together: those of one cause, of one search, or all.</summary>
internal sealed class ReplaysRoutes(ReadModelQueries queries, ReplaysBook book, EventCodec codec, Audit audit, ConsoleOptions options)
{
    private const string Prefix = "/api/replays";
    private const int IdLength = 32;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGuarded<ReplaysRoutes>(
            new ApiRoute("GET", Prefix, Role.Viewer, "A page of what was sent once more together, the newest first.")
            {
                Query = [("state", $"any of {string.Join(", ", Enum.GetNames<ReplaysStatus>())}, with commas between"), .. DeadLetterRoutes.Paging], Answer = typeof(Page<ReplaysView>),
            },
            (r, c) => r.ListAsync(c));
        routes.MapGuarded<ReplaysRoutes>(
            new ApiRoute("POST", Prefix, Role.Operator, "Every dead letter that is new and like that is sent once more, batch by batch. Which they are is said once and for all.")
            {
                Body = typeof(ReplaysBody), Answer = typeof(ReplaysStory), Status = StatusCodes.Status202Accepted,
            },
            (r, c) => r.RequestAsync(c));
        routes.MapGuarded<ReplaysRoutes>(new ApiRoute("GET", $"{Prefix}/{{id}}", Role.Viewer, "One of them: how far it is, and what was not replayed.") { Answer = typeof(ReplaysStory) }, (r, c) => r.ShowAsync(c));
        routes.MapGuarded<ReplaysRoutes>(
            new ApiRoute("POST", $"{Prefix}/{{id}}/approve", Role.Operator, "Another operator approves it.") { Body = typeof(ReasonBody), Answer = typeof(ReplaysStory) },
            (r, c) => r.WordAsync(c, "approve", (selection, request, reason, by) => (new ApproveReplays(selection, request, reason, by), new ReplaysApproved(selection, request, reason, by))));
        routes.MapGuarded<ReplaysRoutes>(
            new ApiRoute("POST", $"{Prefix}/{{id}}/cancel", Role.Operator, "No further batch of it begins.") { Body = typeof(ReasonBody), Answer = typeof(ReplaysStory) },
            (r, c) => r.WordAsync(c, "cancel", (selection, request, reason, by) => (new CancelReplays(selection, request, reason, by), new ReplaysCancelled(selection, request, reason, by))));
    }

    private async Task ListAsync(HttpContext context)
    {
        DeadLetterRoutes.Known(context, ["state", "limit", "after"]);
        var query = DeadLetterRoutes.Query(context, Enum.GetNames<ReplaysStatus>());
        // What is told of many at once stands in one table.
        await Api.AnswerAsync(context, await queries.ListAsync<ReplaysView>(ViewTable.Summaries, query.States.Count > 0 ? query : query with { States = Enum.GetNames<ReplaysStatus>() }, context.RequestAborted));
    }

    private async Task RequestAsync(HttpContext context)
    {
        var body = await Api.BodyAsync(context);
        var (query, reason, by, selection) = (QueryOf(body), Audit.Reason(body), Caller.Of(context).Name, Audit.IdOf(context));
        var pace = new ReplaysPace(NumberIn(body, "PerSecond", options.ReplaysPerSecond) ?? options.ReplaysPerSecond, options.ReplayBatchMax, options.ReplayPatienceSeconds);
        if (await book.FindAsync(selection, context.RequestAborted) is not { } recorded)
        {
            var letters = await book.SelectAsync(query, context.RequestAborted);
            var notional = letters.Count > ReplaysDecider.LettersMax ? null : await book.NotionalOfAsync(letters, context.RequestAborted);
            // From here on the word is carried through, whether or not whoever gave it still listens.
            var limits = new ReplaysLimits(options.ReplayLettersMax, new Money(options.ReplayNotionalMax));
            recorded = await book.DecideAsync(selection, selection, by, new RequestReplays(selection, query, letters, notional, pace, limits, reason, by), CancellationToken.None);
        }
        var decided = codec.Decode(recorded);
        ThrowIfRefused(decided);
        // Which letters they are was said when it was asked for first.
        if (decided is ReplaysRequested e)
            audit.MustBeSame(recorded, e with { Query = query, Pace = pace, Reason = reason, By = by });
        await AnswerAsync(context, selection, StatusCodes.Status202Accepted);
    }

    private Task ShowAsync(HttpContext context) => AnswerAsync(context, SelectionOf(context), StatusCodes.Status200OK);

    private async Task WordAsync(HttpContext context, string command, Func<Guid, Guid, string, string, (object Word, object Done)> wordOf)
    {
        var selection = SelectionOf(context);
        var reason = Audit.Reason(await Api.BodyAsync(context));
        if (await book.FindAsync(selection, context.RequestAborted) is null)
            throw NoSuchSelection(selection);
        var (request, by) = (Audit.IdOf(context), Caller.Of(context).Name);
        var (word, done) = wordOf(selection, request, reason, by);
        var recorded = await book.DecideAsync(selection, request, by, word, CancellationToken.None);
        var decided = codec.Decode(recorded);
        audit.MustBeSame(recorded, decided is ReplaysRefused refused ? refused with { Selection = selection, Request = request, Command = command, By = by } : done);
        ThrowIfRefused(decided);
        await AnswerAsync(context, selection, StatusCodes.Status200OK);
    }

    private async Task AnswerAsync(HttpContext context, Guid selection, int status) =>
        await Api.AnswerAsync(context, await book.ReadAsync(selection, context.RequestAborted) ?? throw NoSuchSelection(selection), status);

    private static void ThrowIfRefused(object decided)
    {
        if (decided is ReplaysRefused refused)
            throw new ApiException(StatusCodes.Status409Conflict, "Refused", string.Join("; ", refused.Verdicts.Where(v => !v.Passed).Select(v => $"{v.Rule}: {v.Saw}")));
    }

    internal static Guid SelectionOf(HttpContext context) => (string?)context.GetRouteValue("id") is { Length: IdLength } id && Guid.TryParseExact(id, "N", out var selection)
        ? selection
        : throw Api.Invalid($"The id of a selection has {IdLength} hexadecimal digits.");

    internal static ApiException NoSuchSelection(Guid selection) => new(StatusCodes.Status404NotFound, "NotFound", $"There is no selection {selection:N}.");

    private ReplaysQuery QueryOf(JsonElement body)
    {
        if (body.EnumerateObject().Select(m => m.Name).FirstOrDefault(n => typeof(ReplaysBody).GetProperty(n) is null) is { } unknown)
            throw Api.Invalid($"'{unknown}' is not known here.");
        var all = body.TryGetProperty("All", out var said) && said.ValueKind == JsonValueKind.True;
        return QueryOf(TextIn(body, "Endpoint"), TextIn(body, "Type"), TextIn(body, "Fingerprint"), TextIn(body, "Trade"), all, NumberIn(body, "Limit", ReplaysDecider.LettersMax));
    }

    /// <summary>Which letters are meant: nobody means all by leaving something out.</summary>
    internal static ReplaysQuery QueryOf(string? endpoint, string? type, string? fingerprint, string? trade, bool all, int? limit)
    {
        if (trade is not null && TradeId.Fault(trade) is { } fault)
            throw Api.Invalid(fault);
        var query = new ReplaysQuery(Sought(endpoint), Sought(type), Sought(fingerprint), trade is null ? null : TradeId.From(trade), limit);
        var isNarrow = query is not { Endpoint: null, MessageType: null, Fingerprint: null, Trade: null };
        return isNarrow != all ? query : throw Api.Invalid(all ? "'All' is said, and something that narrows it." : "Say which are meant: by Endpoint, Type, Fingerprint or Trade; or 'All': true.");
    }

    private static string? TextIn(JsonElement body, string name) => body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? Api.Text(body, name) : null;

    private static string? Sought(string? text) => text is null ? null : DeadLetterRoutes.Sought(text);

    private static int? NumberIn(JsonElement body, string name, int max) => !body.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 1 && number <= max ? number
        : throw Api.Invalid($"'{name}' is a number from 1 to {max}.");
}
