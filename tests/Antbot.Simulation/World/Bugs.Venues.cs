using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Antbot.Runtime.Venue;

namespace Antbot.Simulation.World;

public static partial class Bugs
{
    private static VenueAnswer<OrderReport> TooMany() => new VenueAnswer<OrderReport>.Refused(Refusal.RateLimited, "-1003", "Too much request weight used.");

    private class OverVenue(IVenue inner) : IVenue
    {
        public string Name => inner.Name;

        public AccountId Account => inner.Account;

        public bool IsPaper => inner.IsPaper;

        public virtual DateTimeOffset? Now => inner.Now;

        public string? LiveBar => inner.LiveBar;

        public Task<VenueAnswer<DateTimeOffset>> MeasureClockAsync(CancellationToken cancellationToken = default) => inner.MeasureClockAsync(cancellationToken);

        public Task<VenueAnswer<IReadOnlyList<SymbolRules>>> ReadRulesAsync(CancellationToken cancellationToken = default) => inner.ReadRulesAsync(cancellationToken);

        public virtual Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default) => inner.PlaceAsync(order, cancellationToken);

        public virtual Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default) => inner.FindOrderAsync(symbol, order, cancellationToken);

        public virtual Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default) => inner.FindOrderAsync(symbol, venueOrderId, cancellationToken);

        public virtual Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, DateTimeOffset since, CancellationToken cancellationToken = default) => inner.ListFillsAsync(symbol, since, cancellationToken);

        public virtual Task<VenueAnswer<OrderReport>> CancelAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default) => inner.CancelAsync(symbol, order, cancellationToken);

        public virtual Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(CancellationToken cancellationToken = default) => inner.ListOpenOrdersAsync(cancellationToken);

        public virtual Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(Symbol symbol, CancellationToken cancellationToken = default) => inner.ListOpenOrdersAsync(symbol, cancellationToken);

        public virtual Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default) => inner.ListFillsAsync(symbol, venueOrderId, cancellationToken);

        public virtual Task<VenueAnswer<IReadOnlyList<Balance>>> ReadBalancesAsync(CancellationToken cancellationToken = default) => inner.ReadBalancesAsync(cancellationToken);

        public Task<VenueAnswer<KeyPermissions>> ReadPermissionsAsync(CancellationToken cancellationToken = default) => inner.ReadPermissionsAsync(cancellationToken);
    }

    private sealed class RetryingVenue(IVenue inner, SimProcess process, bool sameWindow) : OverVenue(inner)
    {
        public override async Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default)
        {
            var answer = await base.PlaceAsync(order, cancellationToken);
            if (answer is not VenueAnswer<OrderReport>.Unknown)
                return answer;
            await Task.Delay(TimeSpan.FromSeconds(sameWindow ? 3 : 0.1), process.Clock, cancellationToken);
            return await base.PlaceAsync(order with { SignedAt = Now ?? order.SignedAt }, cancellationToken);
        }
    }

    private sealed class DoublingVenue(IVenue inner) : OverVenue(inner)
    {
        public override Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default) =>
            base.PlaceAsync(order.Id.Role == OrderRole.Entry ? order with { Quantity = order.Quantity + order.Quantity } : order, cancellationToken);
    }

    private sealed class SureVenue(IVenue inner) : OverVenue(inner)
    {
        public override async Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default)
        {
            var answer = await base.PlaceAsync(order, cancellationToken);
            return answer is VenueAnswer<OrderReport>.Unknown unknown ? new VenueAnswer<OrderReport>.Refused(Refusal.Other, "-1", unknown.Text) : answer;
        }
    }

    /// <summary>An entry without an answer is given up, and every further try at it refused.</summary>
    private sealed class GivenUpVenue(IVenue inner) : OverVenue(inner)
    {
        private readonly HashSet<ClientOrderId> _givenUp = [];

        public override async Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default)
        {
            if (_givenUp.Contains(order.Id))
                return TooMany();
            var answer = await base.PlaceAsync(order, cancellationToken);
            if (order.Id.Role != OrderRole.Entry || answer is not VenueAnswer<OrderReport>.Unknown)
                return answer;
            _givenUp.Add(order.Id);
            return TooMany();
        }
    }

    private sealed class AllOrNothingVenue(IVenue inner) : OverVenue(inner)
    {
        public override async Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default)
        {
            var answer = await base.PlaceAsync(order, cancellationToken);
            return answer is VenueAnswer<OrderReport>.Said { Value: { Status: VenueOrderStatus.PartiallyFilled } }
                ? TooMany()
                : answer;
        }
    }

    private sealed class ShortSightedVenue(IVenue inner) : OverVenue(inner)
    {
        public override Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(CancellationToken cancellationToken = default) =>
            Task.FromResult<VenueAnswer<IReadOnlyList<OrderReport>>>(new VenueAnswer<IReadOnlyList<OrderReport>>.Said([]));

        public override Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(Symbol symbol, CancellationToken cancellationToken = default) => ListOpenOrdersAsync(cancellationToken);

        public override Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, DateTimeOffset since, CancellationToken cancellationToken = default) =>
            Task.FromResult<VenueAnswer<IReadOnlyList<FillReport>>>(new VenueAnswer<IReadOnlyList<FillReport>>.Said([]));
    }

    /// <summary>Once an answer has failed to come, its clock says that the order's window has passed already.</summary>
    private sealed class HastyVenue(IVenue inner) : OverVenue(inner)
    {
        private static readonly TimeSpan Haste = TimeSpan.FromSeconds(20);

        private bool _hasty;

        public override DateTimeOffset? Now => base.Now + (_hasty ? Haste : TimeSpan.Zero);

        public override async Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default)
        {
            var signed = order.SignedAt > base.Now + Haste / 2 ? order with { SignedAt = order.SignedAt - Haste } : order;
            var answer = await base.PlaceAsync(signed, cancellationToken);
            _hasty |= answer is VenueAnswer<OrderReport>.Unknown;
            return answer;
        }
    }

    /// <summary>After what the account began with, which is known.</summary>
    private sealed class DimVenue(IVenue inner) : OverVenue(inner)
    {
        private int _asked;

        public override async Task<VenueAnswer<IReadOnlyList<Balance>>> ReadBalancesAsync(CancellationToken cancellationToken = default)
        {
            var answer = await base.ReadBalancesAsync(cancellationToken);
            return answer is VenueAnswer<IReadOnlyList<Balance>>.Said said && _asked++ > 0 ? said with { Value = [], PassedOver = said.Value.Count } : answer;
        }
    }

    private sealed class OneFillVenue(IVenue inner) : OverVenue(inner)
    {
        public override async Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default) =>
            await base.ListFillsAsync(symbol, venueOrderId, cancellationToken) is VenueAnswer<IReadOnlyList<FillReport>>.Said { Value: { Count: > 1 } fills }
                ? new VenueAnswer<IReadOnlyList<FillReport>>.Said([fills[0]])
                : await base.ListFillsAsync(symbol, venueOrderId, cancellationToken);
    }

    private sealed class HopefulVenue(IVenue inner) : OverVenue(inner)
    {
        public override async Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default) =>
            await base.FindOrderAsync(symbol, order, cancellationToken) is VenueAnswer<OrderReport>.Said { Value: { IsOver: false } report }
                ? new VenueAnswer<OrderReport>.Said(report with { Status = VenueOrderStatus.Filled })
                : await base.FindOrderAsync(symbol, order, cancellationToken);
    }

    private sealed class PartBlindVenue(IVenue inner) : OverVenue(inner)
    {
        public override async Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default) => Blind(await base.PlaceAsync(order, cancellationToken));

        public override async Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default) =>
            Blind(await base.FindOrderAsync(symbol, order, cancellationToken));

        public override async Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(CancellationToken cancellationToken = default) =>
            await base.ListOpenOrdersAsync(cancellationToken) is VenueAnswer<IReadOnlyList<OrderReport>>.Said said ? said with { Value = [.. said.Value.Select(Blind)] } : new VenueAnswer<IReadOnlyList<OrderReport>>.Unknown("No answer came in time.");

        private static VenueAnswer<OrderReport> Blind(VenueAnswer<OrderReport> answer) => answer is VenueAnswer<OrderReport>.Said said ? said with { Value = Blind(said.Value) } : answer;

        private static OrderReport Blind(OrderReport report) => report.Status == VenueOrderStatus.PartiallyFilled ? report with { Status = VenueOrderStatus.Open, Executed = Quantity.Zero, Cost = Money.Zero, Fills = [] } : report;
    }

    private sealed class LateVenue(IVenue inner, SimProcess process) : OverVenue(inner)
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

        private readonly Dictionary<ClientOrderId, long> _since = [];

        public override async Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default)
        {
            var answer = await base.PlaceAsync(order, cancellationToken);
            if (answer is VenueAnswer<OrderReport>.Unknown)
                _since[order.Id] = process.Clock.GetTimestamp();
            return answer;
        }

        public override Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default) =>
            _since.TryGetValue(order, out var since) && process.Clock.GetElapsedTime(since) < Patience
                ? Task.FromResult<VenueAnswer<OrderReport>>(new VenueAnswer<OrderReport>.Unknown("There is time."))
                : base.FindOrderAsync(symbol, order, cancellationToken);
    }

    private sealed class StubbornVenue(IVenue inner) : OverVenue(inner)
    {
        private readonly HashSet<ClientOrderId> _unheard = [];

        public override async Task<VenueAnswer<OrderReport>> CancelAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default)
        {
            if (_unheard.Contains(order))
                return await FindOrderAsync(symbol, order, cancellationToken);
            var answer = await base.CancelAsync(symbol, order, cancellationToken);
            if (answer is VenueAnswer<OrderReport>.Unknown)
                _unheard.Add(order);
            return answer;
        }

        public override async Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default)
        {
            var answer = await base.FindOrderAsync(symbol, order, cancellationToken);
            return _unheard.Contains(order) && answer is VenueAnswer<OrderReport>.Said { Value: var report } ? new VenueAnswer<OrderReport>.Said(report with { Status = VenueOrderStatus.Open }) : answer;
        }
    }
}
