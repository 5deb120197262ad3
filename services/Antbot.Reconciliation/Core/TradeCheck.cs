using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;

namespace Antbot.Reconciliation;

/// <summary>What our own record, `order-{trade}`, says of one order.</summary>
public sealed record RecordedOrder(ClientOrderId Order, Side Side, Quantity Executed, bool Over);

/// <summary>The venue was asked about a trade.</summary>
/// <param name="Trouble">Why the answers do not say; then nothing is concluded from them.</param>
/// <param name="Record">Our own record, read only where the trade does not look as it should.</param>
/// <param name="Unsellable">What is less than this the venue does not let go of; 0 where it was not asked for.</param>
/// <param name="Adopted">By our record, what came to the trade without an order of ours; 0 where the record was not read.</param>
/// <param name="WrittenOff">By our record, what left it without one.</param>
public sealed record TradeSeen(
    VerifyTrade Verify, Guid Message, IReadOnlyList<SeenOrder> Orders, string? Trouble, IReadOnlyList<RecordedOrder>? Record, decimal Unsellable, Quantity Adopted = default, Quantity WrittenOff = default)
{
    public decimal Entered => Orders.Where(o => o.Side == Verify.Side).Sum(o => o.Executed.Value) + Adopted.Value;

    /// <summary>What the trade has left in the account, of either sign.</summary>
    public decimal Net => Orders.Sum(o => o.Side.Sign() * o.Executed.Value - o.BaseFees.Value) + Verify.Side.Sign() * (Adopted.Value - WrittenOff.Value);
}

/// <summary>Whether a trade is at the venue what it is said to be.</summary>
public static class TradeCheck
{
    private const int WordsMax = 4_000;

    /// <summary>Null where all is as it should be.</summary>
    public static string? Drift(TradeSeen seen)
    {
        var verify = seen.Verify;
        if ((Quantity.Fault(seen.Entered) ?? Quantity.Fault(Math.Abs(seen.Net))) is { } fault)
            return $"what the venue says adds up to nothing that can be held: {fault}";
        if (seen.Entered != verify.Quantity.Value && !RecordAgrees(seen, verify.Side))
            return $"entered {seen.Entered} at the venue, {verify.Quantity} by our word";
        if (!verify.Closed)
            return null;
        if (seen.Orders.FirstOrDefault(o => o.Status is VenueOrderStatus.Open or VenueOrderStatus.PartiallyFilled) is { } open)
            return $"{open.Order} is still open at the venue, and the trade is closed by our word";
        return IsLeft(seen) ? $"{seen.Net} is left at the venue, nothing by our word" : null;
    }

    public static bool IsLeft(TradeSeen seen) => seen.Net != 0 && Math.Abs(seen.Net) >= seen.Unsellable;

    /// <summary>Where our record of an order differs from the venue.</summary>
    public static IReadOnlyList<Correction> Corrections(TradeSeen seen)
    {
        if (seen.Record is not { } record)
            return [];
        // The question and the record come from outside: the same order may be in them twice, and the later word counts.
        var known = new Dictionary<ClientOrderId, RecordedOrder>();
        foreach (var each in record)
            known[each.Order] = each;
        var corrections = new List<Correction>();
        foreach (var order in seen.Orders)
        {
            var ours = known.GetValueOrDefault(order.Order);
            if (ours is null ? order.Known : ours.Executed != order.Executed)
                corrections.Add(new Correction(order.Order, $"executed {order.Executed} at the venue, {(ours is null ? "not in our record" : $"{ours.Executed} in our record")}"));
            else if (ours is not null && order.Status is { } status && IsOver(status) != ours.Over)
                corrections.Add(new Correction(order.Order, $"{status} at the venue, {(ours.Over ? "ended" : "open")} in our record"));
        }
        return corrections;
    }

    /// <summary>The venue's own words, for people and for ever.</summary>
    public static string Evidence(IReadOnlyList<SeenOrder> orders)
    {
        var words = string.Join("; ", orders.Select(Words));
        return words.Length <= WordsMax ? words : $"{words[..WordsMax]}…";
    }

    private static string Words(SeenOrder o) => o.Known
        ? $"{o.Order} is the venue's order {o.VenueOrderId}: {o.Side} {o.Status}, executed {o.Executed} of {o.Quantity} for {o.Cost}{(o.BaseFees > Quantity.Zero ? $", fees {o.BaseFees} of it" : "")}, at {o.At:O}"
        : $"{o.Order} is not known to the venue";

    /// <summary>Our record was corrected, or has gone on, since the question was asked: it and the venue are at one.</summary>
    private static bool RecordAgrees(TradeSeen seen, Side side) =>
        seen.Record is { } record && Corrections(seen).Count == 0 && record.Where(r => r.Side == side).Sum(r => r.Executed.Value) + seen.Adopted.Value == seen.Entered;

    private static bool IsOver(VenueOrderStatus status) => status is not (VenueOrderStatus.Open or VenueOrderStatus.PartiallyFilled);
}
