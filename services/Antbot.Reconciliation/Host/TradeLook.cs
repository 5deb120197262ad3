using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;

namespace Antbot.Reconciliation;

/// <summary>Asks the venue about a trade. Whatever it does not say is trouble, never a guess.</summary>
public sealed class TradeLook(IVenue venue, VenueRules rules, IEventStore store, EventCodec codec)
{
    /// <summary>Three kinds of orders with a hundred intents each.</summary>
    private const int OrdersMax = 300;

    /// <param name="again">It was asked before and not found right: our record, which may have been corrected since, is heard too.</param>
    public async Task<TradeSeen> LookAsync(VerifyTrade verify, Guid message, bool again, CancellationToken cancellationToken)
    {
        // Whoever holds that account's keys finds it in the account's stream.
        if (verify.Account != venue.Account)
            return Trouble(verify, message, $"the keys here are those of the account {venue.Account}");
        // What was adopted and is gone again was never an order: the record alone can tell of it.
        var record = again || verify.Orders.Count == 0 ? await ReadRecordAsync(verify, cancellationToken) : null;
        var ids = verify.Orders.Concat(record?.Orders.Keys.Select(o => new ClientOrderId(o)) ?? []).Distinct().ToList();
        if (ids.Count > OrdersMax || (ids.Count == 0 && record is not { Adopted.Value: > 0 }))
            return Trouble(verify, message, $"It names {ids.Count} orders; a trade has 1 to {OrdersMax}.");
        var answers = await Task.WhenAll(ids.Select(id => venue.FindOrderAsync(verify.Symbol, id, cancellationToken)));
        var orders = new List<SeenOrder>(ids.Count);
        for (var i = 0; i < ids.Count; i++)
        {
            if (Seen(ids[i], verify, answers[i]) is not { } order)
                return Trouble(verify, message, $"{ids[i]}: {VenueWords.Trouble(answers[i])}");
            orders.Add(order);
        }
        var seen = new TradeSeen(verify, message, orders, null, null, 0);
        if (record is not null)
            seen = With(seen, record);
        if (verify.Closed && TradeCheck.IsLeft(seen))
            seen = await WithFeesAsync(seen, record?.AdoptedAt, cancellationToken);
        if (seen.Trouble is not null || record is not null || TradeCheck.Drift(seen) is null)
            return seen;
        record = await ReadRecordAsync(verify, cancellationToken);
        seen = With(seen, record);
        // What was adopted was not known to be there before.
        return verify.Closed && record.AdoptedAt is not null && TradeCheck.IsLeft(seen) ? await WithFeesAsync(seen, record.AdoptedAt, cancellationToken) : seen;
    }

    private static TradeSeen With(TradeSeen seen, OrderRecord record) => seen with
    {
        Record = [.. record.Orders.Values.OrderBy(o => o.Id.Value, StringComparer.Ordinal).Select(o => new RecordedOrder(o.Id, o.Side, o.Executed, o.Standing is Standing.Ended or Standing.Intended))],
        Adopted = record.Adopted,
        WrittenOff = record.WrittenOff,
    };

    /// <summary>Where something seems to be left, fees that the venue took of the base asset may explain it, and less than a step cannot be sold.</summary>
    /// <param name="adoptedAt">At what price the trade began that no order of ours began.</param>
    private async Task<TradeSeen> WithFeesAsync(TradeSeen seen, Price? adoptedAt, CancellationToken cancellationToken)
    {
        var (rule, why) = await rules.FindAsync(seen.Verify.Symbol, cancellationToken);
        if (rule is null)
            return seen with { Trouble = why };
        var orders = new List<SeenOrder>(seen.Orders.Count);
        foreach (var order in seen.Orders)
        {
            if (order.Executed == Quantity.Zero)
            {
                orders.Add(order);
                continue;
            }
            var answer = await venue.ListFillsAsync(seen.Verify.Symbol, order.VenueOrderId, cancellationToken);
            if (answer is not VenueAnswer<IReadOnlyList<FillReport>>.Said { Value: var all })
                return seen with { Trouble = $"{order.Order}: {VenueWords.Trouble(answer)}" };
            var fills = all.DistinctBy(f => f.FillId).ToList();
            if (fills.Sum(f => f.Quantity.Value) != order.Executed.Value)
                return seen with { Trouble = $"{order.Order}: the venue says {order.Executed} were executed and lists fills of {fills.Sum(f => f.Quantity.Value)}" };
            orders.Add(order with { BaseFees = new Quantity(Math.Max(0, fills.Where(f => f.FeeAsset == rule.BaseAsset).Sum(f => f.Fee.Value))) });
        }
        return seen with { Orders = orders, Unsellable = Unsellable(rule, orders, adoptedAt) };
    }

    /// <summary>Below its step, its least quantity or its least value the venue takes no order.</summary>
    private static decimal Unsellable(SymbolRules rule, List<SeenOrder> orders, Price? adoptedAt)
    {
        var last = orders.Where(o => o.Executed > Quantity.Zero).MaxBy(o => o.At);
        var price = last is null ? adoptedAt?.Value ?? 0 : last.Cost.Value / last.Executed.Value;
        return Math.Max(Math.Max(rule.QuantityStep, rule.QuantityMin.Value), price > 0 ? rule.NotionalMin.Value / price : 0);
    }

    private static SeenOrder? Seen(ClientOrderId id, VerifyTrade verify, VenueAnswer<OrderReport> answer) => answer switch
    {
        VenueAnswer<OrderReport>.Said { Value: var r } when r.Symbol == verify.Symbol =>
            new SeenOrder(id, Known: true, r.VenueOrderId, r.Side, r.Status, r.Quantity, r.Executed, r.Cost, Quantity.Zero, r.At),
        VenueAnswer<OrderReport>.Refused { Refusal: Refusal.UnknownOrder } =>
            new SeenOrder(id, Known: false, "", verify.Side, null, Quantity.Zero, Quantity.Zero, Money.Zero, Quantity.Zero, null),
        _ => null,
    };

    private Task<OrderRecord> ReadRecordAsync(VerifyTrade verify, CancellationToken cancellationToken) =>
        OrderRecord.ReadAsync(store, codec, verify.Trade, verify.Account, cancellationToken);

    private static TradeSeen Trouble(VerifyTrade verify, Guid message, string trouble) => new(verify, message, [], trouble, null, 0);
}
