using Antbot.ConsoleService.Access;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Antbot.ConsoleService;

/// <param name="State">Proposed, Settled, or Recorded while Execution has not answered.</param>
/// <param name="Evidence">What the venue said, asked for this very request.</param>
internal sealed record SettlementAnswer(string State, ClientOrderId Order, TradeId Trade, string By, string Reason, string? Evidence, string? ProposedBy, DateTimeOffset? ExpiresAt);

/// <summary>
/// Two operators settle an order in doubt. Who they are is what their tokens say, never what they say themselves. Each has the venue
/// asked by Execution, and hears what it said.
/// </summary>
internal sealed class SettlementRoutes(IEventStore store, EventCodec codec, TimeProvider clock, Bearer bearer, AccessBook book, Audit audit)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    public static void Map(IEndpointRouteBuilder routes)
    {
        MapOne(routes, "", "An operator holds that an order in doubt was never placed.", confirms: false);
        MapOne(routes, "/confirm", "Another operator confirms it.", confirms: true);
    }

    private static void MapOne(IEndpointRouteBuilder routes, string path, string summary, bool confirms) => routes.MapGuarded<SettlementRoutes>(
        new ApiRoute("POST", $"/api/orders/{{id}}/settlement{path}", Role.Operator, summary) { Body = typeof(ReasonBody), Answer = typeof(SettlementAnswer) }, (r, c) => r.SettleAsync(c, confirms));

    private async Task SettleAsync(HttpContext context, bool confirms)
    {
        var (order, trade) = OrderOf(context);
        var reason = Audit.Reason(await Api.BodyAsync(context));
        if (await OperatorsAsync(context.RequestAborted) < 2)
            throw new ApiException(StatusCodes.Status409Conflict, "OneOperator", "It takes two operators with tokens of their own: 'antbot token make' makes one, or give ANTBOT_CONSOLE__TOKEN_FILE a line name=token for each.");
        var by = Caller.Of(context).Name;
        if (!await IsThereAsync(order, trade, context.RequestAborted))
            throw new ApiException(StatusCodes.Status404NotFound, "NotFound", $"There is no order {order}.");
        var request = Audit.IdOf(context);
        await audit.RecordAsync(request, Audit.ActorOf(context), new OrderSettlementOrdered(trade, order, request, confirms, reason, by), trade.Value);
        var answer = await AnswerAsync(trade, request, context.RequestAborted);
        switch (answer)
        {
            case OrderSettlementProposed e:
                await Api.AnswerAsync(context, new SettlementAnswer("Proposed", order, trade, e.By, e.Reason, e.Evidence, e.By, e.ExpiresAt));
                break;
            case OrderSettled e:
                await Api.AnswerAsync(context, new SettlementAnswer("Settled", order, trade, e.By, e.Reason, e.Evidence, e.ProposedBy, null));
                break;
            case OrderSettlementRefused e:
                throw new ApiException(StatusCodes.Status409Conflict, "Refused", string.Join("; ", e.Verdicts.Where(v => !v.Passed).Select(v => $"{v.Rule}: {v.Saw}")));
            default:
                await Api.AnswerAsync(context, new SettlementAnswer("Recorded", order, trade, by, reason, null, null, null), StatusCodes.Status202Accepted);
                break;
        }
    }

    /// <summary>How many can be told apart.</summary>
    private async Task<int> OperatorsAsync(CancellationToken cancellationToken) =>
        bearer.Names.Count() + (await book.ReadAsync(anew: true, cancellationToken)).Tokens.Values.Count(t => t.Role >= Role.Operator && !t.HasExpired(clock.GetUtcNow()));

    private static (ClientOrderId Order, TradeId Trade) OrderOf(HttpContext context)
    {
        var given = (string?)context.GetRouteValue("id") ?? "";
        if (ClientOrderId.Fault(given) is { } fault)
            throw Api.Invalid(fault);
        var order = ClientOrderId.From(given);
        return order.Trade is { } trade ? (order, trade) : throw Api.Invalid($"'{given}' is no order of ours: they are named as in e0-0123456789abcdef0123456789abcdef.");
    }

    private async Task<bool> IsThereAsync(ClientOrderId order, TradeId trade, CancellationToken cancellationToken)
    {
        await foreach (var stored in store.ReadStreamAsync(Streams.Order(trade), 1, cancellationToken))
        {
            if (codec.Find<OrderIntended>(stored)?.Order == order)
                return true;
        }
        return false;
    }

    /// <summary>Execution's answer, in the order's own stream; null where there is none within the time that anybody waits.</summary>
    private async Task<object?> AnswerAsync(TradeId trade, Guid request, CancellationToken cancellationToken)
    {
        var (until, next) = (clock.GetUtcNow() + Patience, 1L);
        while (true)
        {
            var mark = store.AppendMark;
            await foreach (var stored in store.ReadStreamAsync(Streams.Order(trade), next, cancellationToken))
            {
                next = stored.Version + 1;
                if (Find(stored, request) is { } answer)
                    return answer;
            }
            if (clock.GetUtcNow() >= until)
                return null;
            await store.WaitForAppendAsync(mark, Poll, cancellationToken);
            // Every append wakes who waits, whichever stream it is of.
            await Task.Delay(TimeSpan.FromMilliseconds(20), clock, cancellationToken);
        }
    }

    private object? Find(StoredEvent stored, Guid request)
    {
        if (codec.Find<OrderSettlementProposed>(stored) is { } proposed && proposed.Request == request)
            return proposed;
        if (codec.Find<OrderSettlementRefused>(stored) is { } refused && refused.Request == request)
            return refused;
        return codec.Find<OrderSettled>(stored) is { } settled && settled.Request == request ? settled : null;
    }
}
