using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Antbot.Chaos.Checking;

namespace Antbot.Chaos.Tests;

/// <summary>What one closed trade and one refused one leave behind when nothing is wrong, made by hand.</summary>
internal sealed class SoundEvidence
{
    public const string Closed = "11111111111111111111111111111111";
    public const string Denied = "22222222222222222222222222222222";
    public const string Adopted = "33333333333333333333333333333333";

    private static readonly Guid StoreId = Guid.Parse("0f0e0d0c-0b0a-0908-0706-050403020100");

    public SoundEvidence()
    {
        Add($"signal-{Closed}", "signal_raised", "{}");
        Add($"signal-{Denied}", "signal_raised", "{}");
        Add($"trade-{Closed}", "trade_raised", "{}");
        Add($"trade-{Closed}", "trade_validated", "{}");
        Add("account-main", "exposure_reserved", $$"""{"Trade":"{{Closed}}","Reserved":50}""");
        Add($"trade-{Closed}", "trade_approved", "{}");
        Add($"order-{Closed}", "entry_planned", "{}");
        Add($"order-{Closed}", "order_intended", Intent($"e0-{Closed}", side: 1, 0.5m));
        Add($"order-{Closed}", "order_attempted", $$"""{"Order":"e0-{{Closed}}"}""");
        Add($"order-{Closed}", "order_filled", $$"""{"Order":"e0-{{Closed}}","FillId":"901","Quantity":0.5}""");
        Add($"order-{Closed}", "position_opened", "{}");
        Add("account-main", "reservation_filled", $$"""{"Trade":"{{Closed}}","Released":50,"Cost":49.5}""");
        Add($"trade-{Closed}", "trade_opened", "{}");
        Add($"order-{Closed}", "order_intended", Intent($"x0-{Closed}", side: 2, 0.4m));
        Add($"order-{Closed}", "order_attempted", $$"""{"Order":"x0-{{Closed}}"}""");
        Add($"order-{Closed}", "order_filled", $$"""{"Order":"x0-{{Closed}}","FillId":"902","Quantity":0.4}""");
        Add($"order-{Closed}", "position_closed", """{"Side":1,"Quantity":0.5,"Left":0.099}""");
        Add("account-main", "position_closed_counted", $$"""{"Trade":"{{Closed}}","Freed":49.5}""");
        Add($"trade-{Closed}", "trade_closed", "{}");
        Add($"trade-{Closed}", "trade_reconciled", """{"Closed":true}""");
        Add($"trade-{Denied}", "trade_raised", "{}");
        Add($"trade-{Denied}", "trade_denied", "{}");
    }

    public List<EventRow> Events { get; } = [];

    public List<VenueOrder> Orders { get; } = [new($"e0-{Closed}", 1, "BTCUSDT", "BUY", "FILLED", 0.5m, 0.5m), new($"x0-{Closed}", 2, "BTCUSDT", "SELL", "FILLED", 0.4m, 0.4m)];

    public List<VenueFill> Fills { get; } = [new(901, 1, "BTCUSDT", 0.5m, 49.5m, 0.001m, "BTC", IsBuyer: true), new(902, 2, "BTCUSDT", 0.4m, 39.6m, 0.04m, "USDT", IsBuyer: false)];

    public Dictionary<string, decimal> Deposits { get; } = new(StringComparer.Ordinal) { ["USDT"] = 1_000 };

    public Dictionary<string, decimal> Balances { get; } = new(StringComparer.Ordinal) { ["USDT"] = 990.06m, ["BTC"] = 0.099m };

    public long Forgotten { get; set; }

    public List<QueueDepth> Queues { get; } = [new("antbot-risk", 0), new("antbot-risk_error", 0), new("antbot-dead", 0)];

    /// <summary>What becomes of each stream's head; null where it has none.</summary>
    public Func<StreamRow, StreamRow?> Head { get; set; } = head => head;

    public List<string> Accepted { get; } = [Closed, Denied];

    /// <summary>The chain over what the events are now: whatever is wrong then is not the chain's affair.</summary>
    public Evidence Sealed() => With([.. Link()]);

    public Evidence With(IReadOnlyList<LedgerRow> ledger)
    {
        var streams = Events.GroupBy(e => e.Stream, StringComparer.Ordinal).Select(g => new StreamRow(g.Key, g.Max(e => e.Version), Archived: false)).Select(Head).OfType<StreamRow>().ToList();
        return new Evidence(new Store(StoreId, Events, ledger, streams), new VenueLedger(Orders, Fills, Balances, Forgotten), Deposits, Queues, Accepted);
    }

    public void Add(string stream, string type, string data)
    {
        var sequence = Events.Count == 0 ? 1 : Events[^1].Sequence + 1;
        Events.Add(new EventRow(
            sequence, new Guid(SHA256.HashData(BitConverter.GetBytes(sequence))[..16]), stream, Events.Count(e => e.Stream == stream) + 1, Encoding.UTF8.GetBytes(data), null, type, 1_000 * sequence, "*DEFAULT*",
            null, null, null, null, "service:test", false));
    }

    /// <summary>A trade of what somebody else had: half of it held, a quarter bought by an order of his; some of it was sold by its stop, and some was gone.</summary>
    public void Adopt()
    {
        Add($"trade-{Adopted}", "trade_adopted", "{}");
        Add($"order-{Adopted}", "position_adopted", $$"""{"Order":"e0-{{Adopted}}","Trade":"{{Adopted}}","Quantity":0.5}""");
        Add($"order-{Adopted}", "order_adopted", $$"""{"Order":"hand-1","Trade":"{{Adopted}}","Quantity":0.25}""");
        Add($"order-{Adopted}", "order_filled", """{"Order":"hand-1","FillId":"903","Quantity":0.25}""");
        Add($"order-{Adopted}", "position_opened", "{}");
        Add("account-main", "reservation_filled", $$"""{"Trade":"{{Adopted}}","Released":0,"Cost":75}""");
        Add($"trade-{Adopted}", "trade_opened", "{}");
        Add($"order-{Adopted}", "order_intended", Intent($"s0-{Adopted}", side: 2, 0.25m));
        Add($"order-{Adopted}", "order_attempted", $$"""{"Order":"s0-{{Adopted}}"}""");
        Add($"order-{Adopted}", "order_filled", $$"""{"Order":"s0-{{Adopted}}","FillId":"904","Quantity":0.25}""");
        Add($"order-{Adopted}", "position_written_off", $$"""{"Trade":"{{Adopted}}","Quantity":0.1}""");
        Add($"order-{Adopted}", "position_closed", """{"Side":1,"Quantity":0.75,"Left":0.4}""");
        Add("account-main", "position_closed_counted", $$"""{"Trade":"{{Adopted}}","Freed":75}""");
        Add($"trade-{Adopted}", "trade_closed", "{}");
        Add($"trade-{Adopted}", "trade_reconciled", """{"Closed":true}""");
        Orders.AddRange([new VenueOrder("hand-1", 3, "BTCUSDT", "BUY", "FILLED", 0.25m, 0.25m), new VenueOrder($"s0-{Adopted}", 4, "BTCUSDT", "SELL", "FILLED", 0.25m, 0.25m)]);
        Fills.AddRange([new VenueFill(903, 3, "BTCUSDT", 0.25m, 24.75m, 0, "USDT", IsBuyer: true), new VenueFill(904, 4, "BTCUSDT", 0.25m, 24.75m, 0, "USDT", IsBuyer: false)]);
    }

    public void Remove(string stream, string type) => Events.RemoveAll(e => e.Stream == stream && e.Type == type);

    public void Change(string type, string from, string to)
    {
        var at = Events.FindIndex(e => e.Type == type && Encoding.UTF8.GetString(e.Data).Contains(from, StringComparison.Ordinal));
        Events[at] = Events[at] with { Data = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Events[at].Data).Replace(from, to, StringComparison.Ordinal)) };
    }

    public static string Intent(string order, int side, decimal quantity) => string.Create(CultureInfo.InvariantCulture, $$"""{"Order":"{{order}}","Symbol":"BTCUSDT","Side":{{side}},"Quantity":{{quantity}}}""");

    public IEnumerable<LedgerRow> Link()
    {
        var previous = Chain.Genesis(StoreId);
        for (var i = 0; i < Events.Count; i++)
        {
            var link = new LedgerRow(i + 1, Events[i].Sequence, Events[i].Id, Events[i].Correlation, previous, [], Foreign: false);
            previous = Chain.LinkHash(link, Events[i]);
            yield return link with { Hash = previous };
        }
    }
}
