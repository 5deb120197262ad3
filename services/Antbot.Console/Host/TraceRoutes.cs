using Antbot.ConsoleService.Access;
using Antbot.Contracts;
using Antbot.Forensics;
using Antbot.ReadModels;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Antbot.ConsoleService;

/// <summary>The whole causal chain of anything, and what there is to trace in a period.</summary>
internal sealed class TraceRoutes(IEventStore store, IReadModels models, TimeProvider clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly TraceIndex _index = new(models);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGuarded<TraceRoutes>(
            new ApiRoute("GET", "/api/trace", Role.Viewer, "The whole causal chain of a trade, an order, a message, a dead letter, an event or a request; what is not in it is named.")
            {
                Query = [("id", "the id, or a trade's first digits, or #12345 for an event by its sequence"), ("kind", $"any of {Kinds}; whatever it may be where none is said")],
                Answer = typeof(Trace),
            },
            (r, c) => r.TraceAsync(c));
        routes.MapGuarded<TraceRoutes>(
            new ApiRoute("GET", "/api/traces", Role.Viewer, "The trades of a symbol that were going on in a period, the newest first; or what somebody did, the oldest first.")
            {
                Query =
                [
                    ("symbol", "such as BTCUSDT"), ("actor", "such as operator:anna or service:risk"), ("since", "a time such as 2026-01-02T03:04:05Z"), ("until", "a time; now where none is said"),
                    ("limit", $"1 to {TraceSelection.LimitMax} of them"), ("after", "what the page before says as Next"),
                ],
                Answer = typeof(TracePage),
            },
            (r, c) => r.SelectAsync(c));
    }

    private static string Kinds => string.Join(", ", Enum.GetNames<TraceKind>());

    private Task TraceAsync(HttpContext context) => WithinAsync(context, "antbot trace", async token =>
    {
        Check(context, "id", "kind");
        var (id, kind) = ((string?)context.Request.Query["id"] ?? "", KindOf(context.Request.Query["kind"]));
        if (Tracer.Fault(id, kind) is { } fault)
            throw Api.Invalid(fault);
        // As the list of tokens is.
        var tracer = new Tracer(store, _index, stream => stream != Streams.Access.Value || Caller.Of(context).Role >= Role.SuperAdmin);
        var targets = await tracer.ResolveAsync(id, kind, token);
        var trace = targets switch
        {
            [var only] => await tracer.TraceAsync(only, token),
            [] => null,
            _ => throw new ApiException(StatusCodes.Status409Conflict, "NotUnique", $"{id} is more than one thing: {string.Join(", ", targets.Select(t => $"{t.Kind} {t.Id}"))}. Say which kind is meant, or more digits."),
        };
        await Api.AnswerAsync(context, trace ?? throw new ApiException(StatusCodes.Status404NotFound, "NotFound", $"Nothing in the history bears the id {id}."));
    });

    private Task SelectAsync(HttpContext context) => WithinAsync(context, "antbot trace", async token =>
    {
        Check(context, "symbol", "actor", "since", "until", "limit", "after");
        var asked = context.Request.Query;
        var selection = new TraceSelection(
            TimeOf(asked, "since") ?? throw Api.Invalid("'since' is wanted: a time such as 2026-01-02T03:04:05Z."),
            TimeOf(asked, "until") ?? clock.GetUtcNow(),
            ReadRoutes.Checked(asked["symbol"], t => Symbol.Fault(t)),
            string.IsNullOrEmpty(asked["actor"]) ? null : (string?)asked["actor"],
            string.IsNullOrEmpty(asked["after"]) ? null : (string?)asked["after"],
            ReadRoutes.Limit(asked["limit"]));
        if (selection.Fault is { } fault)
            throw Api.Invalid(fault);
        await Api.AnswerAsync(context, await new TraceSelector(store, _index).SelectAsync(selection, token));
    });

    /// <summary>What takes longer is given up: nobody waits for it any more, and others are waiting for the store.</summary>
    /// <param name="command">What asks the store itself, for as long as it takes.</param>
    internal static async Task WithinAsync(HttpContext context, string command, Func<CancellationToken, Task> work)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(Patience);
        try
        {
            await work(patience.Token);
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            throw new ApiException(StatusCodes.Status503ServiceUnavailable, "TimedOut", $"It took longer than {Patience.TotalSeconds:0} s and was given up. Ask for less, or run '{command}' on the store.");
        }
    }

    internal static void Check(HttpContext context, params string[] known)
    {
        if (context.Request.Query.Keys.FirstOrDefault(k => !known.Contains(k, StringComparer.Ordinal)) is { } unknown)
            throw Api.Invalid($"'{unknown}' is not known here: {string.Join(", ", known)} are.");
    }

    private static TraceKind? KindOf(string? text) => string.IsNullOrEmpty(text) ? null
        : Enum.TryParse<TraceKind>(text, ignoreCase: true, out var kind) && Enum.IsDefined(kind) && !char.IsAsciiDigit(text[0]) ? kind
        : throw Api.Invalid($"'{text}' is no kind of id: {Kinds} are.");

    internal static DateTimeOffset? TimeOf(IQueryCollection asked, string name) => string.IsNullOrEmpty(asked[name]) ? null
        : Moment.TryTime(asked[name]!, out var time) ? time
        : throw Api.Invalid($"'{name}' is no time, such as 2026-01-02T03:04:05Z.");
}
