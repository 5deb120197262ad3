using Antbot.ConsoleService.Access;
using Antbot.Contracts;
using Antbot.Forensics;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Antbot.ConsoleService;

/// <summary>What there was at any moment, one stream at a time. The whole system is folded by <c>antbot at</c>, on the machine of whoever asks.</summary>
internal sealed class TimeRoutes(IEventStore store, ReadRoutes trades)
{
    private const string MomentWords = "a sequence, or a time such as 2026-01-02T03:04:05Z";
    private const string StreamWords = "such as order-3f2a… or account-main";

    private readonly TimeTravel _travel = new(store);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGuarded<TimeRoutes>(
            new ApiRoute("GET", "/api/at", Role.Viewer, "The state of a stream at any moment, as it was then, bit for bit.") { Query = [("stream", StreamWords), ("moment", MomentWords)], Answer = typeof(StateAt) }, (r, c) => r.AtAsync(c));
        routes.MapGuarded<TimeRoutes>(
            new ApiRoute("GET", "/api/diff", Role.Viewer, "What is another in a stream at the later moment than at the earlier one.")
            {
                Query = [("stream", StreamWords), ("from", $"the earlier: {MomentWords}"), ("to", "the later one")], Answer = typeof(Difference),
            },
            (r, c) => r.DiffAsync(c));
        routes.MapGuarded<TimeRoutes>(
            new ApiRoute("GET", "/api/trades/{id}/steps", Role.Viewer, "A trade event by event, with what each made of its stream.") { Answer = typeof(TradeSteps) }, (r, c) => r.StepsAsync(c));
    }

    private async Task AtAsync(HttpContext context)
    {
        Check(context, "stream", "moment");
        var (stream, moment) = (StreamOf(context), await MomentOfAsync(context, "moment"));
        await Api.AnswerAsync(context, await _travel.StreamAsync(stream, moment, context.RequestAborted)
            ?? throw new ApiException(StatusCodes.Status404NotFound, "NotFound", $"Nothing had been recorded in {stream} at sequence {moment.Sequence}."));
    }

    private async Task DiffAsync(HttpContext context)
    {
        Check(context, "stream", "from", "to");
        var (stream, from, to) = (StreamOf(context), await MomentOfAsync(context, "from"), await MomentOfAsync(context, "to"));
        if (from.Sequence > to.Sequence)
            throw Api.Invalid($"The first moment (sequence {from.Sequence}) comes after the second ({to.Sequence}).");
        await Api.AnswerAsync(context, await _travel.DiffAsync(from, to, stream, account: null, cancellationToken: context.RequestAborted)
            ?? throw new ApiException(StatusCodes.Status404NotFound, "NotFound", $"Nothing had been recorded in {stream} at sequence {to.Sequence}."));
    }

    private async Task StepsAsync(HttpContext context)
    {
        var id = await trades.ResolveAsync(context);
        var steps = await _travel.StepsAsync(id, context.RequestAborted);
        await Api.AnswerAsync(context, steps.Steps.Count > 0 ? steps : throw ReadRoutes.NoSuchTrade(id.Value));
    }

    private static void Check(HttpContext context, params string[] known)
    {
        if (context.Request.Query.Keys.FirstOrDefault(k => !known.Contains(k, StringComparer.Ordinal)) is { } unknown)
            throw Api.Invalid($"'{unknown}' is not known here: {string.Join(", ", known)} are.");
    }

    private static StreamId StreamOf(HttpContext context)
    {
        var text = (string?)context.Request.Query["stream"] ?? "";
        if ((StreamId.Fault(text) ?? StreamKinds.Fault(text)) is { } fault)
            throw Api.Invalid(fault);
        // As the list of tokens is.
        return text == Streams.Access.Value && Caller.Of(context).Role < Role.SuperAdmin
            ? throw new ApiException(StatusCodes.Status403Forbidden, "Forbidden", $"Who may be let in is for a {Role.SuperAdmin} to see.")
            : new StreamId(text);
    }

    private async Task<Moment> MomentOfAsync(HttpContext context, string name)
    {
        var text = (string?)context.Request.Query[name] ?? "";
        return Moment.Fault(text) is { } fault ? throw Api.Invalid($"'{name}': {fault}") : await _travel.FindAsync(text, context.RequestAborted);
    }
}
