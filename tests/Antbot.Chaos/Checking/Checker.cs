using System.Text.Json;

namespace Antbot.Chaos.Checking;

/// <summary>What must be true whatever has happened, judged from rows, the venue's ledger and the broker's counts alone.</summary>
internal static class Checker
{
    /// <summary>So begin the names of orders that a case places itself, as somebody who trades on the account by hand.</summary>
    public const string ByHand = "hand-";

    private const int NamedMax = 5;
    private const string Quote = "USDT";

    /// <summary>Of a trade that was begun.</summary>
    private const string FirstStep = "trade_validated";

    /// <summary>Between the sizing of an entry and its last fill, as a part of the price: no case moves the market up by more in the seconds that a signal lives.</summary>
    private const decimal MarketMovesMost = 0.05m;

    private static readonly string[] Ends = ["trade_closed", "trade_rejected", "trade_denied", "trade_failed", "trade_expired"];
    private static readonly string[] OnceATrade = ["trade_raised", "trade_validated", "trade_approved", "trade_opened", "trade_closing"];
    private static readonly string[] OnceAnOrderStream = ["entry_planned", "entry_failed", "position_opened", "position_closing", "position_closed"];

    /// <summary>What is still under way; empty when everything has come to rest.</summary>
    public static IReadOnlyList<string> Unsettled(Evidence evidence)
    {
        var unsettled = new List<string>();
        var trades = StreamsOf(evidence.Store, "trade-");
        var known = trades.Keys.Union(evidence.Accepted, StringComparer.Ordinal);
        Name(unsettled, "trades have no end", known.Where(t => HasNoEnd(trades, t)).Select(t => $"{t} ({trades.GetValueOrDefault(t)?[^1].Type ?? "nothing of it is recorded"})"));
        Name(unsettled, "closed trades were not held against the venue", trades
            .Where(t => t.Value.Exists(e => e.Type == "trade_closed") && !t.Value.Exists(e => e.Type == "trade_reconciled" && e.Body.GetProperty("Closed").GetBoolean()))
            .Select(t => t.Key));
        var held = new Exposure(evidence.Store);
        Name(unsettled, "trades still hold exposure", held.Holders.Select(h => $"{h.Trade} {h.Amount}"));
        Name(unsettled, "orders are open at the venue", Ours(evidence.Venue).Where(o => o.Status is "NEW" or "PARTIALLY_FILLED").Select(o => $"{o.ClientId} {o.Status}"));
        Name(unsettled, "queues hold messages", evidence.Queues.Where(q => !q.IsDeadLetters && q.Waiting > 0).Select(q => $"{q.Name} {q.Waiting}"));
        Name(unsettled, "queues are not there", evidence.Queues.Where(q => q.Waiting is null).Select(q => q.Name));
        return unsettled;
    }

    /// <summary>How many of them were entered and are over.</summary>
    public static int Closed(Evidence evidence, IEnumerable<string> trades)
    {
        var closed = evidence.Store.Events.Where(e => e.Type == "trade_closed").Select(e => e.Stream["trade-".Length..]).ToHashSet(StringComparer.Ordinal);
        return trades.Count(closed.Contains);
    }

    /// <summary>What became of all trades, how often.</summary>
    public static IEnumerable<(string End, int Count)> EndsOf(Evidence evidence) =>
        evidence.Store.Events.Where(IsEnd).GroupBy(e => e.Type, StringComparer.Ordinal).Select(g => (g.Key, g.Count())).OrderByDescending(g => g.Item2);

    /// <summary>How many trades had taken their first step by then, and had not come to their end.</summary>
    /// <param name="at">Microseconds since 1970.</param>
    public static int UnderWay(Store store, long at) =>
        StreamsOf(store, "trade-").Values.Count(t => t.Exists(e => e.At <= at && e.Type == FirstStep) && !t.Exists(e => e.At <= at && IsEnd(e)));

    /// <summary>The trades that have no end or still hold exposure.</summary>
    public static IReadOnlyList<string> Unfinished(Evidence evidence)
    {
        var trades = StreamsOf(evidence.Store, "trade-");
        return [.. trades.Keys.Union(evidence.Accepted, StringComparer.Ordinal).Where(t => HasNoEnd(trades, t)).Union(new Exposure(evidence.Store).Holders.Select(h => h.Trade), StringComparer.Ordinal)];
    }

    /// <summary>What is wrong for ever. Asked for at rest; empty where all is well.</summary>
    public static IReadOnlyList<string> Violations(Evidence evidence)
    {
        var wrong = new List<string>();
        Versions(evidence.Store, wrong);
        Name(wrong, "faults in the chain", Chain.FaultsOf(evidence.Store));
        Lives(evidence, wrong);
        Orders(evidence, wrong);
        Fills(evidence, wrong);
        Positions(evidence, wrong);
        Balances(evidence, wrong);
        var exposure = new Exposure(evidence.Store);
        Name(wrong, "faults of reservations", exposure.Faults);
        Name(wrong, "trades are over and exposure is still held for them", exposure.Holders.Select(h => $"{h.Trade} {h.Amount}"));
        foreach (var (what, which) in Letters.Faults(evidence.Store))
            Name(wrong, what, which);
        // The Console takes them out of their queues into the record; while it does not, they lie there.
        Name(wrong, "messages were dead-lettered", evidence.Store.Events.Where(e => e.Type == "dead_letter_kept" && !Letters.IsByHand(e)).Select(e => $"{Text(e, "MessageType")} to {Text(e, "Endpoint")}: {Text(e, "FaultMessage")}"));
        Name(wrong, "queues of dead letters hold messages", evidence.Queues.Where(q => q.IsDeadLetters && q.Waiting > 0).Select(q => $"{q.Name} {q.Waiting}"));
        return wrong;
    }

    /// <summary>What is wrong, whatever it is wrong with and however often.</summary>
    public static string KindOf(string violation) => violation.Split(':')[0].TrimStart([.. "0123456789 "]);

    private static void Versions(Store store, List<string> wrong)
    {
        Name(wrong, "event ids are there twice", store.Events.GroupBy(e => e.Id).Where(g => g.Count() > 1).Select(g => $"{g.Key}"));
        var streams = store.Events.GroupBy(e => e.Stream, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Select(e => e.Version).Order().ToList(), StringComparer.Ordinal);
        Name(wrong, "streams are not 1..n", streams.Where(s => !s.Value.SequenceEqual(Enumerable.Range(1, s.Value.Count).Select(v => (long)v))).Select(s => $"{s.Key}: {string.Join(' ', s.Value.Take(20))}"));
        Name(wrong, "streams say another version than their last event", store.Streams.Where(s => s.Version != (streams.TryGetValue(s.Id, out var versions) ? versions[^1] : 0)).Select(s => $"{s.Id} says {s.Version}"));
        Name(wrong, "streams have events and no head", streams.Keys.Except(store.Streams.Select(s => s.Id), StringComparer.Ordinal));
        Name(wrong, "streams are archived, or nobody knows", store.Streams.Where(s => s.Archived != false).Select(s => s.Id));
    }

    private static void Lives(Evidence evidence, List<string> wrong)
    {
        var (trades, signals) = (StreamsOf(evidence.Store, "trade-"), StreamsOf(evidence.Store, "signal-"));
        Name(wrong, "accepted signals are in no history", evidence.Accepted.Where(t => !signals.ContainsKey(t)));
        Name(wrong, "signals never became a trade", signals.Keys.Except(trades.Keys, StringComparer.Ordinal));
        Name(wrong, "trades have not one end", trades.Where(t => t.Value.Count(IsEnd) != 1).Select(t => $"{t.Key}: {string.Join(' ', t.Value.Where(IsEnd).Select(e => e.Type).DefaultIfEmpty("none"))}"));
        Name(wrong, "steps were taken more than once", Repeated(trades, OnceATrade));
        Name(wrong, "trades went on after their end", trades
            .Where(t => t.Value.FindIndex(IsEnd) is >= 0 and var end && t.Value.FindLastIndex(e => OnceATrade.Contains(e.Type, StringComparer.Ordinal)) > end)
            .Select(t => t.Key));
        Name(wrong, "steps of orders were taken more than once", Repeated(StreamsOf(evidence.Store, "order-"), OnceAnOrderStream));
    }

    private static void Orders(Evidence evidence, List<string> wrong)
    {
        var ours = Ours(evidence.Venue);
        var sequences = evidence.Store.Events;
        Name(wrong, "client order ids were used more than once at the venue", ours.GroupBy(o => o.ClientId, StringComparer.Ordinal).Where(g => g.Count() > 1).Select(g => $"{g.Key}: {g.Count()} orders"));
        Name(wrong, "trades were entered more than once", ours.Where(o => o.ClientId[0] == 'e').GroupBy(o => TradeOf(o.ClientId), StringComparer.Ordinal).Where(g => g.Count() > 1).Select(g => $"{g.Key}: {string.Join(' ', g.Select(o => o.ClientId))}"));
        Name(wrong, "orders at the venue are nobody's", evidence.Venue.Orders.Where(o => TradeOf(o.ClientId) is null && !o.ClientId.StartsWith(ByHand, StringComparison.Ordinal)).Select(o => o.ClientId));
        Name(wrong, "orders are still open", ours.Where(o => o.Status is "NEW" or "PARTIALLY_FILLED").Select(o => $"{o.ClientId} {o.Status}"));
        var intents = sequences.Where(e => e.Type == "order_intended").GroupBy(e => Text(e, "Order"), StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.ToList(), StringComparer.Ordinal);
        var attempts = sequences.Where(e => e.Type == "order_attempted").GroupBy(e => Text(e, "Order"), StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Min(e => e.Sequence), StringComparer.Ordinal);
        var approvals = sequences.Where(e => e.Type == "trade_approved").GroupBy(e => e.Stream["trade-".Length..], StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Min(e => e.Sequence), StringComparer.Ordinal);
        var reserved = sequences.Where(e => e.Type == "exposure_reserved").GroupBy(e => Text(e, "Trade"), StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Min(e => e.Sequence), StringComparer.Ordinal);
        Name(wrong, "intents are recorded more than once", intents.Where(i => i.Value.Count > 1).Select(i => i.Key));
        Name(wrong, "orders at the venue have no recorded intent", ours.Where(o => !intents.ContainsKey(o.ClientId)).Select(o => o.ClientId));
        Name(wrong, "orders at the venue are other ones than were intended", ours
            .Where(o => intents.TryGetValue(o.ClientId, out var intended) && intended.Exists(i => o.Quantity > Number(i, "Quantity") || o.Symbol != Text(i, "Symbol") || o.Side != SideOf(i)))
            .Select(o => $"{o.ClientId}: {o.Side} {o.Quantity} {o.Symbol}"));
        Name(wrong, "orders at the venue have no recorded attempt", ours.Where(o => !attempts.ContainsKey(o.ClientId)).Select(o => o.ClientId));
        Name(wrong, "entries at the venue were not approved before they were attempted", ours
            .Where(o => o.ClientId[0] == 'e' && attempts.TryGetValue(o.ClientId, out var attempted)
                && !(reserved.TryGetValue(TradeOf(o.ClientId)!, out var held) && approvals.TryGetValue(TradeOf(o.ClientId)!, out var approved) && held < approved && approved < attempted))
            .Select(o => o.ClientId));
    }

    private static void Fills(Evidence evidence, List<string> wrong)
    {
        // What the venue has taken back is recorded as such, and may be told and taken back again.
        var busted = evidence.Store.Events.Where(e => e.Type == "order_fill_busted").Select(e => e.Body.GetProperty("Fill")).Select(f => (f.GetProperty("Order").GetString()!, f.GetProperty("FillId").GetString()!)).ToHashSet();
        var recorded = evidence.Store.Events.Where(e => e.Type == "order_filled" && !busted.Contains((Text(e, "Order"), Text(e, "FillId")))).ToList();
        Name(wrong, "fills are recorded twice", recorded.GroupBy(e => (Text(e, "Order"), Text(e, "FillId"))).Where(g => g.Count() > 1).Select(g => $"{g.Key.Item1} fill {g.Key.Item2}"));
        var sums = recorded.DistinctBy(e => (Text(e, "Order"), Text(e, "FillId"))).GroupBy(e => Text(e, "Order"), StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Sum(e => Number(e, "Quantity")), StringComparer.Ordinal);
        var adopted = evidence.Store.Events.Where(e => e.Type == "order_adopted").Select(e => Text(e, "Order")).ToHashSet(StringComparer.Ordinal);
        var ours = evidence.Venue.Orders.Where(o => TradeOf(o.ClientId) is not null || adopted.Contains(o.ClientId)).ToList();
        Name(wrong, "orders were executed otherwise than recorded", ours.Where(o => o.Executed != sums.GetValueOrDefault(o.ClientId)).Select(o => $"{o.ClientId}: {o.Executed} at the venue, {sums.GetValueOrDefault(o.ClientId)} recorded"));
        Costs(evidence, wrong);
        Name(wrong, "fills are recorded for orders that the venue does not know", sums.Keys.Except(ours.Select(o => o.ClientId), StringComparer.Ordinal));
        var fills = evidence.Venue.Fills.GroupBy(f => f.Order).ToDictionary(g => g.Key, g => g.DistinctBy(f => f.Id).Sum(f => f.Quantity));
        Name(wrong, "orders at the venue are not the sum of their fills", ours.Where(o => o.Executed != fills.GetValueOrDefault(o.Id)).Select(o => $"{o.ClientId}: {o.Executed}, its fills {fills.GetValueOrDefault(o.Id)}"));
    }

    /// <summary>An entry at the market's price is sized with a little to spare, and costs what it finds.</summary>
    private static void Costs(Evidence evidence, List<string> wrong)
    {
        var reserved = evidence.Store.Events.Where(e => e.Type == "exposure_reserved").GroupBy(e => Text(e, "Trade"), StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Max(e => Number(e, "Reserved")), StringComparer.Ordinal);
        var fills = evidence.Venue.Fills.DistinctBy(f => f.Id).ToLookup(f => f.Order);
        Name(wrong, "entries cost more than was set aside for them", Ours(evidence.Venue)
            .Where(o => o.ClientId[0] == 'e')
            .GroupBy(o => TradeOf(o.ClientId)!, o => fills[o.Id].Sum(f => f.Quote), StringComparer.Ordinal)
            .Where(g => reserved.TryGetValue(g.Key, out var most) && g.Sum() > most * (1 + MarketMovesMost))
            .Select(g => $"{g.Key} {g.Sum()} of {reserved[g.Key]}"));
    }

    /// <summary>What was entered less what was given back is what each trade says that it leaves.</summary>
    private static void Positions(Evidence evidence, List<string> wrong)
    {
        var fills = evidence.Venue.Fills.DistinctBy(f => f.Id).ToLookup(f => f.Order);
        var adopted = evidence.Store.Events.Where(e => e.Type == "order_adopted").ToDictionary(e => Text(e, "Order"), e => Text(e, "Trade"), StringComparer.Ordinal);
        var orders = evidence.Venue.Orders
            .Where(o => TradeOf(o.ClientId) is not null || adopted.ContainsKey(o.ClientId))
            .ToLookup(o => TradeOf(o.ClientId) ?? adopted[o.ClientId], StringComparer.Ordinal);
        // What came to a trade, or left it, without an order: only the history tells of it.
        var (came, gone) = (Sums(evidence.Store, "position_adopted"), Sums(evidence.Store, "position_written_off"));
        var closed = evidence.Store.Events.Where(e => e.Type == "position_closed").GroupBy(e => e.Stream["order-".Length..], StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.First(), StringComparer.Ordinal);
        var (otherwise, more) = (new List<string>(), new List<string>());
        foreach (var (trade, close) in closed)
        {
            var all = orders[trade].SelectMany(o => fills[o.Id]).ToList();
            var bought = close.Body.GetProperty("Side").GetInt32() == 1;
            var entered = all.Where(f => f.IsBuyer == bought).Sum(f => f.Quantity) + came.GetValueOrDefault(trade);
            var left = entered - gone.GetValueOrDefault(trade) - all.Where(f => f.IsBuyer != bought).Sum(f => f.Quantity) - (bought ? all.Where(f => f.Symbol.StartsWith(f.FeeAsset, StringComparison.Ordinal)).Sum(f => f.Fee) : 0);
            if (entered != Number(close, "Quantity"))
                otherwise.Add($"{trade} entered {entered} at the venue and says {Number(close, "Quantity")}");
            if (bought && left != Number(close, "Left"))
                more.Add($"{trade} leaves {left} at the venue and says {Number(close, "Left")}");
        }
        Name(wrong, "trades were entered otherwise than they say", otherwise);
        Name(wrong, "trades leave something else than they say", more);
        Name(wrong, "trades were entered at the venue and have no recorded close", orders.Where(o => o.Any(x => x.ClientId[0] == 'e' && x.Executed > 0) && !closed.ContainsKey(o.Key)).Select(o => o.Key));
    }

    /// <summary>What the account holds is what it was given, and what every fill added and took.</summary>
    private static void Balances(Evidence evidence, List<string> wrong)
    {
        // What the venue has forgotten cannot be added up, and nothing else here either.
        if (evidence.Venue.Forgotten > 0)
            wrong.Add($"{evidence.Venue.Forgotten} orders are forgotten by the venue: what it says is not all");
        var expected = new Dictionary<string, decimal>(evidence.Deposits, StringComparer.Ordinal);
        foreach (var fill in evidence.Venue.Fills.DistinctBy(f => f.Id))
        {
            var (coin, money) = (fill.Symbol[..^Quote.Length], fill.Symbol[^Quote.Length..]);
            expected[coin] = expected.GetValueOrDefault(coin) + (fill.IsBuyer ? fill.Quantity : -fill.Quantity);
            expected[money] = expected.GetValueOrDefault(money) + (fill.IsBuyer ? -fill.Quote : fill.Quote);
            expected[fill.FeeAsset] = expected.GetValueOrDefault(fill.FeeAsset) - fill.Fee;
        }
        Name(wrong, "balances are not what fills made of them", expected.Keys.Union(evidence.Venue.Balances.Keys, StringComparer.Ordinal)
            .Where(a => expected.GetValueOrDefault(a) != evidence.Venue.Balances.GetValueOrDefault(a))
            .Select(a => $"{a}: {evidence.Venue.Balances.GetValueOrDefault(a)} and not {expected.GetValueOrDefault(a)}"));
    }

    private static Dictionary<string, decimal> Sums(Store store, string type) => store.Events
        .Where(e => e.Type == type)
        .GroupBy(e => Text(e, "Trade"), StringComparer.Ordinal)
        .ToDictionary(g => g.Key, g => g.Sum(e => Number(e, "Quantity")), StringComparer.Ordinal);

    private static IEnumerable<string> Repeated(Dictionary<string, List<EventRow>> streams, string[] once) =>
        streams.SelectMany(s => s.Value.Where(e => once.Contains(e.Type, StringComparer.Ordinal)).GroupBy(e => e.Type, StringComparer.Ordinal).Where(g => g.Count() > 1).Select(g => $"{s.Key}: {g.Count()} times {g.Key}"));

    private static bool HasNoEnd(Dictionary<string, List<EventRow>> trades, string trade) => !trades.GetValueOrDefault(trade, []).Exists(IsEnd);

    private static bool IsEnd(EventRow e) => Ends.Contains(e.Type, StringComparer.Ordinal);

    private static Dictionary<string, List<EventRow>> StreamsOf(Store store, string prefix) => store.Events
        .Where(e => e.Stream.StartsWith(prefix, StringComparison.Ordinal))
        .GroupBy(e => e.Stream[prefix.Length..], StringComparer.Ordinal)
        .ToDictionary(g => g.Key, g => g.OrderBy(e => e.Version).ToList(), StringComparer.Ordinal);

    private static List<VenueOrder> Ours(VenueLedger venue) => [.. venue.Orders.Where(o => TradeOf(o.ClientId) is not null)];

    /// <summary>Of <c>e0-</c>, <c>s1-</c>, <c>x12-</c> and a trade's 32 digits.</summary>
    internal static string? TradeOf(string clientId) =>
        clientId.Split('-') is [{ Length: 2 or 3 } role, { Length: 32 } trade] && role[0] is 'e' or 's' or 'x' ? trade : null;

    private static string Text(EventRow e, string name) => e.Body.GetProperty(name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : e.Body.GetProperty(name).GetRawText();

    private static string SideOf(EventRow e) => e.Body.GetProperty("Side").GetInt32() == 1 ? "BUY" : "SELL";

    private static decimal Number(EventRow e, string name) => e.Body.GetProperty(name).GetDecimal();

    private static void Name(List<string> to, string what, IEnumerable<string> which)
    {
        var all = which.ToList();
        if (all.Count > 0)
            to.Add($"{all.Count} {what}: {string.Join("; ", all.Take(NamedMax))}{(all.Count > NamedMax ? " …" : "")}");
    }

    /// <summary>What the account holds back for each trade, added up from the history.</summary>
    private sealed class Exposure
    {
        private readonly Dictionary<string, decimal> _held = new(StringComparer.Ordinal);
        private readonly List<string> _faults = [];

        public Exposure(Store store)
        {
            var closedBefore = new HashSet<string>(StringComparer.Ordinal);
            var reserved = new HashSet<string>(StringComparer.Ordinal);
            foreach (var e in store.Events.Where(e => e.Stream.StartsWith("account-", StringComparison.Ordinal)).OrderBy(e => e.Sequence))
            {
                switch (e.Type)
                {
                    case "exposure_reserved":
                        if (!reserved.Add(Text(e, "Trade")))
                            _faults.Add($"{Text(e, "Trade")} was reserved twice");
                        _held[Text(e, "Trade")] = Number(e, "Reserved");
                        break;
                    case "reservation_filled":
                        Free(e, "Released");
                        if (!closedBefore.Contains(Text(e, "Trade")))
                            _held[Text(e, "Trade")] = Number(e, "Cost");
                        break;
                    case "reservation_released":
                        Free(e, "Released");
                        break;
                    case "position_closed_counted":
                        Free(e, "Freed");
                        closedBefore.Add(Text(e, "Trade"));
                        break;
                }
            }
            Holders = [.. _held.Where(h => h.Value != 0).Select(h => (h.Key, h.Value))];
        }

        public IReadOnlyList<(string Trade, decimal Amount)> Holders { get; }

        public IReadOnlyList<string> Faults => _faults;

        private void Free(EventRow e, string name)
        {
            var trade = Text(e, "Trade");
            var (held, freed) = (_held.GetValueOrDefault(trade), Number(e, name));
            if (held != freed)
                _faults.Add($"{trade} held {held} and {freed} was freed");
            _held[trade] = 0;
        }
    }
}
