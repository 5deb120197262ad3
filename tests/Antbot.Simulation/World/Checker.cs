using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Coordinator.Core;
using Antbot.Execution;
using Antbot.Kernel.Proof;
using Antbot.Reconciliation;
using Antbot.Risk.Core;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Antbot.Signals.Core;
using Antbot.Simulation.Ports;
using Antbot.Validation.Core;
using Streams = Antbot.Contracts.Streams;

namespace Antbot.Simulation.World;

/// <summary>What must hold, at every step and at rest. It sees every commit, every publish and every order that the venue takes.</summary>
public sealed class Checker
{
    private static readonly (string Prefix, Func<object, IReadOnlyList<object>> React)[] Reactions =
    [
        (Streams.SignalPrefix, SignalDecider.React), (Streams.TradePrefix, TradeDecider.React), ("validation-", ValidationDecider.React), ("account-", RiskDecider.React),
        (Streams.OrderPrefix, ExecutionMessages.React), ("reconciliation-", ReconciliationDecider.React),
    ];

    private readonly SimWorld _world;
    private readonly Dictionary<Guid, string> _due = [];
    private readonly HashSet<Guid> _published = [];
    private readonly Dictionary<TradeId, TradeState> _trades = [];
    private readonly HashSet<TradeId> _approved = [];
    private readonly Dictionary<ClientOrderId, OrderIntended> _intended = [];
    private readonly Dictionary<ClientOrderId, OrderAttempted> _attempted = [];
    private readonly Dictionary<ClientOrderId, HashSet<string>> _fills = [];
    private readonly Dictionary<ClientOrderId, int> _taken = [];
    private readonly HashSet<(string Stream, string Causation)> _decided = [];
    private RiskState _account = RiskState.Initial;
    private ulong _hash = 14695981039346656037UL;
    private bool _halted;

    public Checker(SimWorld world)
    {
        _world = world;
        world.Disk.Committed = Committed;
        world.Broker.Published = Published;
        world.Exchange.Taken = Taken;
    }

    public List<string> Violations { get; } = [];

    /// <summary>Over everything that was committed, published and taken, in its order and at its time.</summary>
    public ulong Hash => _hash;

    public bool IsAtRest() => WhyNotAtRest() is null;

    public string? WhyNotAtRest()
    {
        if (_world.Accepted.Count < _world.Plan.Trades)
            return $"{_world.Accepted.Count} of {_world.Plan.Trades} signals are accepted";
        foreach (var trade in _world.Accepted)
        {
            if (!_trades.TryGetValue(trade, out var state))
                return $"{trade} has not been raised";
            if (!state.IsOver)
                return $"{trade} is in phase {state.Phase}";
            if (state is { Phase: TradePhase.Closed, Reconciled: false })
                return $"{trade} is closed and not reconciled";
        }
        if (_world.Exchange.Orders.Find(o => o.IsOpen) is { } open)
            return $"{open.Asked.Id} is open at the venue";
        if (_world.Broker.UnderWay > 0)
            return $"{_world.Broker.UnderWay} messages are under way";
        return _due.Where(d => !_published.Contains(d.Key)).Select(d => $"committed and not published: {d.Value}").FirstOrDefault();
    }

    public void AtRest()
    {
        foreach (var (message, reason) in _world.Broker.DeadLetters)
            Violated($"dead letter: {message.Body} because {reason}");
        if (_account.Reserved != 0 || _account.Open != 0)
            Violated($"{_account.Reserved} are reserved and {_account.Open} open although every trade is over");
        CheckFills();
        CheckChain();
    }

    private void Violated(string what) => Violations.Add($"at {_world.Loop.Now.TotalSeconds:0.000} s: {what}");

    private void Committed(IReadOnlyList<StoredEvent> events)
    {
        // One effect of one input, for each consumer: each consumer has streams of its own.
        if (events[0] is { CausationId: { } cause } first && !_decided.Add((first.Stream, cause)))
            Violated($"{first.Stream} was decided on twice because of {cause}");
        foreach (var stored in events)
        {
            Mix(stored.EventId, stored.Sequence);
            var @event = _world.Codec.Decode(stored);
            foreach (var (prefix, react) in Reactions)
            {
                if (!stored.Stream.StartsWith(prefix, StringComparison.Ordinal))
                    continue;
                foreach (var message in Outgoing.From([stored], _world.Codec, react))
                    _due[message.Id] = $"{message.Body.GetType().Name} to {message.Endpoint} of {stored.Type} in {stored.Stream}";
            }
            Look(stored, @event);
        }
    }

    private void Look(StoredEvent stored, object @event)
    {
        switch (@event)
        {
            case ActivitySet e:
                _halted = e.Activity != Activity.Active;
                break;
            case ExposureReserved e:
                _approved.Add(e.Trade);
                break;
            case OrderIntended e:
                _intended[e.Order] = e;
                break;
            case OrderAttempted e:
                if (_halted && e.Order.Role == OrderRole.Entry)
                    Violated($"an attempt at the entry {e.Order} was committed after a halt");
                if (e.Order.Role == OrderRole.Entry && _intended[e.Order].ValidUntil + TimeSpan.FromSeconds(3) < e.VenueTime)
                    Violated($"an attempt at the entry {e.Order} was made after it was valid");
                _attempted[e.Order] = e;
                break;
            case OrderFilled e:
                if (!_fills.TryGetValue(e.Order, out var fills))
                    _fills[e.Order] = fills = [];
                if (!fills.Add(e.FillId))
                    Violated($"fill {e.FillId} of {e.Order} was recorded twice");
                break;
        }
        if (stored.Stream.StartsWith("account-", StringComparison.Ordinal))
        {
            _account = RiskState.Fold.Apply(_account, @event);
            if (@event is ExposureReserved && _account.Reserved + _account.Open > SimWorld.Limits.ExposureMax.Value)
                Violated($"{_account.Reserved} reserved and {_account.Open} open are above the limit of {SimWorld.Limits.ExposureMax}");
        }
        if (stored.Stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal))
        {
            var trade = TradeId.From(stored.Stream[Streams.TradePrefix.Length..]);
            var before = _trades.GetValueOrDefault(trade, TradeState.Initial);
            var after = _trades[trade] = TradeState.Fold.Apply(before, @event);
            if (before.IsOver && after.Phase != before.Phase)
                Violated($"{trade} went from {before.Phase} to {after.Phase}");
            if (after.Phase < before.Phase)
                Violated($"{trade} went back from {before.Phase} to {after.Phase}");
        }
    }

    private void Published(OutboundMessage message)
    {
        Mix(message.Id, _world.Loop.Ticks);
        if (!_due.ContainsKey(message.Id))
            Violated($"{message.Body.GetType().Name} was published before the event that it follows from was committed");
        _published.Add(message.Id);
    }

    private void Taken(ExchangeOrder order)
    {
        var id = order.Asked.Id;
        Mix(Guid.Empty, _world.Loop.Ticks);
        if ((_taken[id] = _taken.GetValueOrDefault(id) + 1) > 1)
            Violated($"{id} was placed {_taken[id]} times");
        if (!_attempted.TryGetValue(id, out var attempt))
            Violated($"{id} was sent before an attempt was recorded");
        else if (order.TakenAt > attempt.VenueTime + TimeSpan.FromMilliseconds(attempt.WindowMilliseconds))
            Violated($"{id} was taken after its window");
        if (id.Role == OrderRole.Entry && (id.Trade is not { } trade || !_approved.Contains(trade)))
            Violated($"the entry {id} was never approved");
    }

    /// <summary>What is recorded is what the venue has: every fill, once; and nothing is held but what cannot be sold.</summary>
    private void CheckFills()
    {
        foreach (var order in _world.Exchange.Orders)
        {
            var recorded = _fills.GetValueOrDefault(order.Asked.Id) ?? [];
            if (!recorded.SetEquals(order.Fills.Select(f => f.FillId)))
                Violated($"{order.Asked.Id} has the fills [{string.Join(' ', order.Fills.Select(f => f.FillId))}] at the venue and [{string.Join(' ', recorded)}] in the store");
        }
        foreach (var trade in _world.Exchange.Orders.GroupBy(o => o.Asked.Id.Trade))
        {
            var rule = SimExchange.Rules.First(r => r.Symbol == trade.First().Asked.Symbol);
            var held = trade.SelectMany(o => o.Fills).Sum(f => f.Side.Sign() * f.Quantity.Value - (f.FeeAsset == rule.BaseAsset ? f.Fee.Value : 0));
            if (held < 0 || held * _world.Exchange.PriceOf(rule.Symbol) > rule.NotionalMin.Value + 0.1m)
                Violated($"{held} {rule.BaseAsset} are left of {trade.Key}");
        }
    }

    private void CheckChain()
    {
        var (links, previous) = (_world.Disk.Data.Ledger.ReadLinksAsync().ToBlockingEnumerable(), (byte[]?)null);
        var versions = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var link in links)
        {
            var e = link.Event!;
            if (previous is not null && !link.PreviousHash.AsSpan().SequenceEqual(previous))
                Violated($"the chain is broken at {link.Position}");
            if (!ChainLink.Hash(link.PreviousHash, e.ContentHash(), link.Position, link.Sequence, e.Version, link.Foreign).AsSpan().SequenceEqual(link.Hash))
                Violated($"event {link.Position} is not what was recorded");
            if (e.Version != (versions[e.Stream] = versions.GetValueOrDefault(e.Stream) + 1))
                Violated($"{e.Stream} goes to version {e.Version}");
            previous = link.Hash;
        }
    }

    private void Mix(Guid id, long number)
    {
        Span<byte> bytes = stackalloc byte[24];
        id.TryWriteBytes(bytes);
        BitConverter.TryWriteBytes(bytes[16..], number);
        foreach (var b in bytes)
            _hash = (_hash ^ b) * 1099511628211UL;
    }
}
