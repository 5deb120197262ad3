using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.Postgres;
using Antbot.Integration.Tests.Support;
using Antbot.Reconciliation;
using Antbot.Runtime.Bus;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Antbot.Integration.Tests.Faults;

/// <summary>
/// Somebody buys by hand, and what is said of the trade that this becomes comes before the trade: in every pair that can meet at a
/// service. What was bought has its stop all the same, and what was refused has its reason.
/// </summary>
public sealed class OvertakenAdoptionTests(OvertakenAdoptionTests.Shared shared) : IClassFixture<OvertakenAdoptionTests.Shared>
{
    private static readonly AccountId Account = new("main");
    private static readonly Symbol Symbol = new("BTCUSDT");

    /// <summary>One platform for all pairs: each has a holding of its own.</summary>
    public sealed class Shared(PostgresFixture postgres, RabbitFixture rabbit) : IAsyncLifetime
    {
        internal WholePlatform Platform { get; private set; } = null!;

        internal Crossing Crossing { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Platform = await WholePlatform.StartAsync(postgres, rabbit, ["reconciliation:everySeconds=2", "reconciliation:lastsSeconds=1"]);
            await Platform.ReadyAsync();
            await UntilAsync<BalanceBaselineSet>(Platform, _ => true);
            Crossing = await Crossing.BuildAsync(Platform.Broker);
        }

        public async ValueTask DisposeAsync()
        {
            await Crossing.DisposeAsync();
            await Platform.DisposeAsync();
        }
    }

    /// <summary>Everything that takes back or tells an end, before what begins what was found.</summary>
    public static TheoryData<string, string> Pairs => [.. Routes.Endpoints.SelectMany(e => Of(e, OvertakenCommandTests.Nature.TakesBack, OvertakenCommandTests.Nature.TellsTheEnd)
        .SelectMany(first => Of(e, OvertakenCommandTests.Nature.Finds).Select(found => (first, found))))];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task What_was_found_has_its_stop_all_the_same_and_what_is_refused_has_its_reason(string first, string found)
    {
        var (platform, crossing) = (shared.Platform, shared.Crossing);
        var before = (await platform.History.ReadOnAsync(Cancel)).Of<AdoptionDecided>().Count();
        crossing.Keep(m => m.Message.Name == found);
        Assert.Equal(200, (await platform.Venue.BuyAsync("0.01", $"web-{first}")).Status);
        await WholePlatform.UntilAsync(() => Task.FromResult(crossing.KeptOf(Routes.All.Keys.Single(t => t.Name == found)) > 0), () => $"{found} is on its way");
        var trade = (await platform.History.ReadOnAsync(Cancel)).Of<AdoptionDecided>().ElementAt(before).Signal.Trade;

        var refusal = await ((first, found) switch
        {
            (nameof(CancelTrade), nameof(AdoptPosition)) => ForbiddenAsync(platform, new CancelTrade(trade, Account, "not wanted")),
            (nameof(CloseTrade), nameof(AdoptPosition)) => ForbiddenAsync(platform, new CloseTrade(trade, Account, "not wanted")),
            (nameof(CorrectOrder), nameof(AdoptPosition)) => CorrectedAsync(platform, trade),
            (nameof(SettleOrder), nameof(AdoptPosition)) => SettledAsync(platform, trade),
            (nameof(WriteOffPosition), nameof(AdoptPosition)) => WrittenOffAsync(platform, trade),
            (nameof(EntryFailed), nameof(AdoptTrade)) => SetAsideAsync(platform, new EntryFailed(trade, Account, "before its time")),
            (nameof(TradeOpened), nameof(AdoptTrade)) => SetAsideAsync(platform, new TradeOpened(trade, Account, Symbol, Side.Buy, new Quantity(0.01m), new Price(50_000), new Money(500), Money.Zero, [])),
            (nameof(TradeClosed), nameof(AdoptTrade)) => SetAsideAsync(
                platform, new TradeClosed(trade, Account, Symbol, new Quantity(0.01m), new Price(50_000), new Price(50_000), Money.Zero, Money.Zero, "before its time", [])),
            _ => throw new NotSupportedException($"{first} can overtake {found}, and nobody has said what must come of it."),
        });
        crossing.Release();

        var kept = await ProtectedAsync(platform, before);
        if (refusal is not null)
        {
            await UntilAsync<EntryFailedRecorded>(platform, e => e.Trade == trade && e.Reason == refusal);
            Assert.Single(platform.History.Of<RemedyEnded>(), e => e.Trade == trade);
            Assert.DoesNotContain(platform.History.Of<PositionAdopted>(), e => e.Trade == trade);
        }
        Assert.Equal(refusal is null, kept == trade);
        // What was bought has one owner.
        Assert.Equal([kept], platform.History.Of<PositionAdopted>().Select(e => e.Trade).Intersect(Decided(platform, before)));

        await SayAsync(platform, Routes.Execution, new CloseTrade(kept, Account, "the test is over"));
        await platform.SettledAsync([trade, kept]);
        await NothingDiffersAsync(platform);
    }

    /// <summary>It was to end before it began: it is refused, and what is held becomes another trade.</summary>
    private static async Task<string?> ForbiddenAsync(WholePlatform platform, ITradeMessage compensation)
    {
        await SayAsync(platform, Routes.Execution, compensation);
        await UntilAsync<EntryForbidden>(platform, e => e.Trade == compensation.Trade);
        return "not adopted: forbidden before the command came: not wanted";
    }

    private static async Task<string?> CorrectedAsync(WholePlatform platform, TradeId trade)
    {
        await SayAsync(platform, Routes.Execution, new CorrectOrder(trade, Account, ClientOrderId.Of(trade, OrderRole.Entry, 0), "it is not there", "none"));
        await UntilAsync<OrderCorrected>(platform, e => e.Order.Trade == trade);
        return null;
    }

    private static async Task<string?> SettledAsync(WholePlatform platform, TradeId trade)
    {
        await SayAsync(platform, Routes.Execution, new SettleOrder(trade, ClientOrderId.Of(trade, OrderRole.Entry, 0), trade.Guid, Confirms: false, "anna", "it is not there"));
        await UntilAsync<OrderSettlementRefused>(platform, e => e.Order.Trade == trade);
        return null;
    }

    /// <summary>What is not held yet cannot be gone; where it is, it is found again.</summary>
    private static async Task<string?> WrittenOffAsync(WholePlatform platform, TradeId trade)
    {
        var before = await platform.HandledAsync(nameof(WriteOffPosition));
        await SayAsync(platform, Routes.Execution, new WriteOffPosition(trade, Account, new Quantity(0.01m), "gone", "the test says so"));
        await WholePlatform.UntilAsync(async () => await platform.HandledAsync(nameof(WriteOffPosition)) > before, () => "it is handled before the position comes");
        return null;
    }

    private static async Task<string?> SetAsideAsync(WholePlatform platform, ITradeMessage news)
    {
        await SayAsync(platform, Routes.Coordinator, news);
        await WholePlatform.UntilAsync(async () => (await platform.DeadLettersAsync()).Any(l => l.Trades.Contains(news.Trade)), () => "it is set aside");
        var dead = Assert.Single(await platform.DeadLettersAsync(), l => l.Trades.Contains(news.Trade));
        Assert.Equal((Routes.Coordinator, news.GetType().Name), (dead.Endpoint, dead.MessageType));
        Assert.Contains("what it follows from is not there", dead.FaultMessage, StringComparison.Ordinal);
        return null;
    }

    /// <summary>The trade that what was bought has become, once its stop rests at the venue.</summary>
    private static async Task<TradeId> ProtectedAsync(WholePlatform platform, int before)
    {
        TradeId? kept = null;
        await WholePlatform.UntilAsync(
            async () =>
            {
                await platform.History.ReadOnAsync(Cancel);
                var decided = Decided(platform, before);
                kept = (await VenueOrderLine.ReadAsync(platform.Venue)).Where(o => o is { IsOver: false, Side: "SELL" } && decided.Contains(o.Trade)).Select(o => (TradeId?)o.Trade).SingleOrDefault();
                return kept is not null;
            },
            () => "what was bought has its stop at the venue");
        return kept!.Value;
    }

    private static HashSet<TradeId> Decided(WholePlatform platform, int before) => [.. platform.History.Of<AdoptionDecided>().Skip(before).Select(a => a.Signal.Trade)];

    /// <summary>Nothing is left of it for the next pair.</summary>
    private static async Task NothingDiffersAsync(WholePlatform platform)
    {
        var open = "";
        await WholePlatform.UntilAsync(
            async () =>
            {
                var state = (await platform.History.ReadOnAsync(Cancel)).Events.Where(e => e.Stored.Stream == Streams.Reconciliation(Account).Value)
                    .Aggregate(ReconciliationState.Initial, (s, e) => ReconciliationState.Fold.Apply(s, e.Event));
                open = string.Join("; ", state.Differences.Select(d => $"{d.Key}: {d.Value.What}"));
                return state.Differences.IsEmpty;
            },
            () => $"nothing differs any more: {open}");
    }

    private static IEnumerable<string> Of(string endpoint, params OvertakenCommandTests.Nature[] natures) =>
        OvertakenCommandTests.Natures.Where(n => natures.Contains(n.Value) && Routes.Of(n.Key).Contains(endpoint)).Select(n => n.Key.Name);

    private static Task SayAsync(WholePlatform platform, string endpoint, ITradeMessage message) =>
        platform.Services.GetRequiredService<IMessageBus>().PublishAsync([new OutboundMessage(Guid.NewGuid(), endpoint, message, message.Trade.Value, null)], Cancel);

    private static Task UntilAsync<TEvent>(WholePlatform platform, Func<TEvent, bool> wanted) => WholePlatform.UntilAsync(
        async () => (await platform.History.ReadOnAsync(Cancel)).Of<TEvent>().Any(wanted), () => $"there is a {typeof(TEvent).Name}");
}
