using System.Text.Json;
using Antbot.ConsoleService.Access;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.ReadModels;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Antbot.ConsoleService.DeadLetters;

/// <param name="Patch">RFC 6902: a list of <c>{"op":"replace","path":"/signal/notional","value":100}</c>; its paths begin at the message, not at what is around it.</param>
internal sealed record EditBody(string Reason, JsonElement Patch);

internal sealed record DeadLetterAnswer(string Letter, DeadLetterStatus State, string By, string Reason);

/// <summary>Dead letters: what there are, one by one and by their causes, and what is done about them.</summary>
internal sealed class DeadLetterRoutes(ReadModelQueries queries, DeadLetterStories stories, DeadLetterBook book, ReplayIntents intents, EventCodec codec, Audit audit)
{
    private const string Prefix = "/api/deadletters";
    private const int SearchLengthMax = 200;

    internal static readonly (string Name, string What)[] Paging = [("limit", $"1 to {ViewQuery.LimitMax} rows"), ("after", "the id of the last row of the page before")];

    private static readonly Dictionary<string, string> Columns = new(StringComparer.Ordinal) { ["endpoint"] = ViewTables.Endpoint, ["type"] = ViewTables.MessageType, ["fingerprint"] = ViewTables.Fingerprint };

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGuarded<DeadLetterRoutes>(
            new ApiRoute("GET", Prefix, Role.Viewer, "A page of dead letters, the newest first.")
            {
                Query =
                [
                    ("state", $"any of {string.Join(", ", Enum.GetNames<DeadLetterStatus>())}, with commas between"), ("endpoint", "where it was going, such as risk"), ("type", "the kind of message, such as AssessRisk"),
                    ("trade", "a trade's id"), ("fingerprint", "of one cause alone"), .. Paging,
                ],
                Answer = typeof(Page<DeadLetterView>),
            },
            (r, c) => r.ListAsync(c));
        routes.MapGuarded<DeadLetterRoutes>(
            new ApiRoute("GET", $"{Prefix}/groups", Role.Viewer, "Dead letters by their causes, the one that was added to last first.")
            {
                Query = [("state", $"{DeadLetterGroupView.Open} or {DeadLetterGroupView.Settled}"), ("endpoint", "where they were going"), ("type", "the kind of message"), .. Paging],
                Answer = typeof(Page<DeadLetterGroupView>),
            },
            (r, c) => r.GroupsAsync(c));
        routes.MapGuarded<DeadLetterRoutes>(
            new ApiRoute("GET", $"{Prefix}/{{id}}", Role.Viewer, "One dead letter, by its id or the beginning of one: the fault, the headers, the body, what was done about it.") { Answer = typeof(DeadLetterStory) }, (r, c) => r.ShowAsync(c));
        routes.MapGuarded<DeadLetterRoutes>(
            new ApiRoute("GET", $"{Prefix}/{{id}}/body", Role.Viewer, "The body of a dead letter, byte for byte as it came; or as it is sent once more.") { Query = [("edited", "true for what is sent")] }, (r, c) => r.BodyAsync(c));
        routes.MapGuarded<DeadLetterRoutes>(
            new ApiRoute("POST", $"{Prefix}/{{id}}/give-up", Role.Operator, "What was sent once more is waited for no longer: it is open again.") { Body = typeof(ReasonBody), Answer = typeof(DeadLetterAnswer) }, (r, c) => r.GiveUpAsync(c));
        routes.MapGuarded<DeadLetterRoutes>(
            new ApiRoute("POST", $"{Prefix}/{{id}}/discard", Role.Operator, "Nothing is to come of it.") { Body = typeof(ReasonBody), Answer = typeof(DeadLetterAnswer) }, (r, c) => r.DiscardAsync(c));
        routes.MapGuarded<DeadLetterRoutes>(
            new ApiRoute("POST", $"{Prefix}/{{id}}/edit", Role.Operator, "The message within is changed by a JSON patch (RFC 6902) and goes out so when it is replayed; what came stays as it is.")
            {
                Body = typeof(EditBody), Answer = typeof(DeadLetterAnswer),
            },
            (r, c) => r.EditAsync(c));
        routes.MapGuarded<DeadLetterRoutes>(
            new ApiRoute("POST", $"{Prefix}/{{id}}/replay", Role.Operator, "It is sent once more to where it was going, as it came.") { Body = typeof(ReasonBody), Answer = typeof(DeadLetterAnswer), Status = StatusCodes.Status202Accepted },
            (r, c) => r.ReplayAsync(c));
    }

    private async Task ListAsync(HttpContext context)
    {
        Known(context, ["state", "endpoint", "type", "trade", "fingerprint", "limit", "after"]);
        var query = Query(context, Enum.GetNames<DeadLetterStatus>()) with { Trade = ReadRoutes.Checked(context.Request.Query["trade"], t => TradeId.Fault(t)) };
        await Api.AnswerAsync(context, await queries.ListAsync<DeadLetterView>(ViewTable.DeadLetters, query, context.RequestAborted));
    }

    private async Task GroupsAsync(HttpContext context)
    {
        Known(context, ["state", "endpoint", "type", "limit", "after"]);
        await Api.AnswerAsync(context, await queries.ListAsync<DeadLetterGroupView>(ViewTable.DeadLetterGroups, Query(context, [DeadLetterGroupView.Open, DeadLetterGroupView.Settled]), context.RequestAborted));
    }

    private async Task ShowAsync(HttpContext context)
    {
        var letter = await ResolveAsync(context);
        await Api.AnswerAsync(context, await stories.ReadAsync(letter, context.RequestAborted) ?? throw NoSuchLetter(letter.ToString("N")));
    }

    private async Task BodyAsync(HttpContext context)
    {
        Known(context, ["edited"]);
        var letter = await ResolveAsync(context);
        var read = context.Request.Query["edited"].ToString() switch
        {
            "" => stories.ReadBodyAsync(letter, context.RequestAborted),
            "true" => stories.ReadToSendAsync(letter, cancellationToken: context.RequestAborted),
            _ => throw Api.Invalid("'edited' is true, or is left out."),
        };
        var body = await read ?? throw NoSuchLetter(letter.ToString("N"));
        // Whatever it is, it is nothing that a browser shows or runs.
        context.Response.ContentType = "application/octet-stream";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{letter:N}.bin\"";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private Task DiscardAsync(HttpContext context) => DecideAsync(context, StatusCodes.Status200OK, async (opened, request, by, reason, _) =>
    {
        var kept = opened.Kept;
        return new Word(
            "discard", DeadLetterStatus.Discarded, new DiscardDeadLetter(kept.Letter, request, reason, by, await EffectOfAsync(kept)), _ => new DeadLetterDiscarded(kept.Letter, request, kept.Fingerprint, reason, by));
    });

    private Task GiveUpAsync(HttpContext context) => DecideAsync(context, StatusCodes.Status200OK, async (opened, request, by, reason, _) =>
    {
        var kept = opened.Kept;
        return new Word(
            "give-up", opened.State.Edits > 0 ? DeadLetterStatus.Edited : DeadLetterStatus.New, new GiveUpReplay(kept.Letter, request, reason, by, await EffectOfAsync(kept)),
            replay => new DeadLetterGivenUp(kept.Letter, request, kept.Fingerprint, replay, reason, by));
    });

    private Task ReplayAsync(HttpContext context) => DecideAsync(context, StatusCodes.Status202Accepted, async (opened, request, by, reason, _) =>
    {
        var kept = opened.Kept;
        return new Word(
            "replay", DeadLetterStatus.Replaying, new ReplayDeadLetter(kept.Letter, request, reason, by, await intents.OfAsync(opened, CancellationToken.None)),
            replay => new DeadLetterReplayOrdered(kept.Letter, request, kept.Fingerprint, replay, reason, by));
    });

    private Task EditAsync(HttpContext context) => DecideAsync(context, StatusCodes.Status200OK, async (opened, request, by, reason, body) =>
    {
        if (!body.TryGetProperty(nameof(EditBody.Patch), out var patch))
            throw Api.Invalid("The body lacks 'Patch', a list of operations.");
        if (JsonPatch.Fault(patch) is { } fault)
            throw Api.Invalid(fault);
        var kept = opened.Kept;
        var edit = await book.EditOfAsync(opened, patch, CancellationToken.None);
        return new Word(
            "edit", DeadLetterStatus.Edited, new EditDeadLetter(kept.Letter, request, reason, by, edit, await EffectOfAsync(kept)),
            _ => new DeadLetterEdited(kept.Letter, request, kept.Fingerprint, 0, edit.Patch, edit.Before, edit.After, null, reason, by));
    });

    private Task<string?> EffectOfAsync(DeadLetterKept kept) => book.EffectSaidAsync(kept, CancellationToken.None);

    private async Task DecideAsync(HttpContext context, int status, Func<OpenedLetter, Guid, string, string, JsonElement, Task<Word>> wordOf)
    {
        var letter = await ResolveAsync(context);
        var body = await Api.BodyAsync(context);
        var reason = Audit.Reason(body);
        var opened = await book.OpenAsync(letter, context.RequestAborted) ?? throw NoSuchLetter(letter.ToString("N"));
        var (request, by) = (Audit.IdOf(context), Caller.Of(context).Name);
        var word = await wordOf(opened, request, by, reason, body);
        // From here on the word is carried through, whether or not whoever gave it still listens.
        var recorded = await book.DecideAsync(opened, request, by, word.Input, CancellationToken.None);
        var decided = codec.Decode(recorded);
        audit.MustBeSame(recorded, decided switch
        {
            DeadLetterRefused e => e with { Letter = letter, Request = request, Command = word.Command, By = by },
            DeadLetterReplayOrdered e => word.Done(e.Replay),
            DeadLetterGivenUp e => word.Done(e.Replay),
            // What it made of the message was said when it was asked for first.
            DeadLetterEdited e when word.Input is EditDeadLetter asked => e with { Letter = letter, Request = request, Patch = asked.Edit.Patch, Reason = reason, By = by },
            _ => word.Done(0),
        });
        if (decided is DeadLetterRefused refused)
            throw new ApiException(StatusCodes.Status409Conflict, "Refused", string.Join("; ", refused.Verdicts.Where(v => !v.Passed).Select(v => $"{v.Rule}: {v.Saw}")));
        await Api.AnswerAsync(context, new DeadLetterAnswer(letter.ToString("N"), word.State, by, reason), status);
    }

    internal async Task<Guid> ResolveAsync(HttpContext context)
    {
        var given = (string?)context.GetRouteValue("id") ?? "";
        if (DeadLetterStories.FaultOfReference(given) is { } fault)
            throw Api.Invalid(fault);
        var found = await stories.ResolveAsync(given, context.RequestAborted);
        return found.Count switch
        {
            1 => found[0],
            0 => throw NoSuchLetter(given),
            _ => throw new ApiException(StatusCodes.Status409Conflict, "NotUnique", $"More than one dead letter begins with {given}; give more digits."),
        };
    }

    internal static ApiException NoSuchLetter(string id) => new(StatusCodes.Status404NotFound, "NotFound", $"There is no dead letter {id}.");

    internal static void Known(HttpContext context, string[] names)
    {
        if (context.Request.Query.Keys.FirstOrDefault(k => !names.Contains(k, StringComparer.Ordinal)) is { } unknown)
            throw Api.Invalid($"'{unknown}' is not known here: {string.Join(", ", names)} are.");
    }

    internal static ViewQuery Query(HttpContext context, string[] states)
    {
        var asked = context.Request.Query;
        return new ViewQuery(
            [.. $"{asked["state"]}".Split(',', StringSplitOptions.RemoveEmptyEntries).Select(s => states.FirstOrDefault(k => k.Equals(s, StringComparison.OrdinalIgnoreCase)) ?? throw Api.Invalid($"'{s}' is no state: {string.Join(", ", states)} are."))],
            After: ReadRoutes.Checked(asked["after"], t => t.Length == 32 && t.All(char.IsAsciiHexDigitLower) ? null : "'after' is the id of a row, as the page before names it."),
            Limit: ReadRoutes.Limit(asked["limit"]))
        {
            Search = Columns.Where(c => asked.ContainsKey(c.Key)).ToDictionary(c => c.Value, c => Sought(asked[c.Key].ToString()), StringComparer.Ordinal),
        };
    }

    /// <summary>Kinds of messages are named by whoever sends them.</summary>
    internal static string Sought(string text) => text.Length is >= 1 and <= SearchLengthMax && !text.Contains('\0', StringComparison.Ordinal) ? text : throw Api.Invalid($"What is sought has 1 to {SearchLengthMax} characters.");

    /// <param name="State">What the letter becomes of it.</param>
    /// <param name="Done">What is recorded of it where nothing speaks against it, by the number of the replay.</param>
    private sealed record Word(string Command, DeadLetterStatus State, object Input, Func<int, object> Done);
}
