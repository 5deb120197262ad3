using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.Postgres;
using Antbot.Integration.Tests.Support;
using Antbot.Risk.Core;
using Antbot.Runtime.Bus;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Antbot.Integration.Tests.Faults;

/// <summary>What takes a command back, or tells how it ended, comes before the command itself: in every pair that can meet at a service.</summary>
public sealed class OvertakenCommandTests(OvertakenCommandTests.Shared shared) : IClassFixture<OvertakenCommandTests.Shared>
{
    private static readonly AccountId Account = new("main");
    private static readonly Symbol Symbol = new("BTCUSDT");

    /// <summary>What each message is to whom it is sent. One that is new must be given its place here.</summary>
    internal static readonly IReadOnlyDictionary<Type, Nature> Natures = new Dictionary<Type, Nature>
    {
        [typeof(SignalRaised)] = Nature.Command,
        [typeof(ValidateSignal)] = Nature.Command,
        [typeof(AssessRisk)] = Nature.Command,
        [typeof(ExecuteTrade)] = Nature.Command,
        [typeof(VerifyTrade)] = Nature.Command,
        [typeof(CancelTrade)] = Nature.TakesBack,
        [typeof(CloseTrade)] = Nature.TakesBack,
        [typeof(CorrectOrder)] = Nature.TakesBack,
        [typeof(SettleOrder)] = Nature.TakesBack,
        [typeof(WriteOffPosition)] = Nature.TakesBack,
        [typeof(AdoptTrade)] = Nature.Finds,
        [typeof(AdoptPosition)] = Nature.Finds,
        [typeof(EntryFailed)] = Nature.TellsTheEnd,
        [typeof(TradeOpened)] = Nature.TellsTheEnd,
        [typeof(TradeClosed)] = Nature.TellsTheEnd,
        [typeof(SignalRejected)] = Nature.Answer,
        [typeof(RiskDenied)] = Nature.Answer,
        [typeof(SignalValidated)] = Nature.Answer,
        [typeof(RiskApproved)] = Nature.Answer,
        [typeof(EntryAccepted)] = Nature.Answer,
        [typeof(EntryUnknown)] = Nature.Answer,
        [typeof(TradeClosing)] = Nature.Answer,
        [typeof(TradeReconciled)] = Nature.Answer,
        [typeof(DriftFound)] = Nature.Answer,
    };

    internal enum Nature
    {
        Command,
        TakesBack,
        TellsTheEnd,

        /// <summary>To whoever gave the command, and so never before it.</summary>
        Answer,

        /// <summary>Begins what nobody gave a command for; <see cref="OvertakenAdoptionTests"/> say what comes of it when it is overtaken.</summary>
        Finds,
    }

    /// <summary>One platform for all pairs: each has a trade of its own.</summary>
    public sealed class Shared(PostgresFixture postgres, RabbitFixture rabbit) : IAsyncLifetime
    {
        internal WholePlatform Platform { get; private set; } = null!;

        internal Crossing Crossing { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Platform = await WholePlatform.StartAsync(postgres, rabbit, ["execution:holdingSecondsMax=2"]);
            await Platform.ReadyAsync();
            Crossing = await Crossing.BuildAsync(Platform.Broker);
        }

        public async ValueTask DisposeAsync()
        {
            await Crossing.DisposeAsync();
            await Platform.DisposeAsync();
        }
    }

    /// <summary>Every pair of an endpoint's, and a command that is given twice: of an open trade and of the closed one.</summary>
    public static TheoryData<string, string> Pairs
    {
        get
        {
            var pairs = Routes.Endpoints
                .SelectMany(e => Natures.Where(n => n.Value is Nature.TakesBack or Nature.TellsTheEnd && Routes.Of(n.Key).Contains(e))
                    .SelectMany(first => Natures.Where(n => n.Value == Nature.Command && Routes.Of(n.Key).Contains(e)).Select(second => (first.Key.Name, second.Key.Name))))
                .Append((nameof(VerifyTrade), nameof(VerifyTrade)));
            return [.. pairs];
        }
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_message_is_classed() =>
        Assert.Equal(Routes.All.Keys.Select(t => t.Name).Order(StringComparer.Ordinal), Natures.Keys.Select(t => t.Name).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task It_is_refused_or_waits_and_nothing_is_left_behind(string first, string command)
    {
        var (platform, crossing) = (shared.Platform, shared.Crossing);
        crossing.Keep(m => m.Message.Name == command);
        var trade = await platform.SignalAsync(new { symbol = Symbol.Value, side = "buy", notional = 50, idempotencyKey = $"{first} before {command}" });
        await WholePlatform.UntilAsync(() => Task.FromResult(crossing.KeptOf(Routes.All.Keys.Single(t => t.Name == command)) > 0), () => $"{command} is on its way");

        var phase = await ((first, command) switch
        {
            (nameof(CancelTrade), nameof(ExecuteTrade)) => ForbiddenAsync(platform, crossing, new CancelTrade(trade, Account, "not wanted")),
            (nameof(CloseTrade), nameof(ExecuteTrade)) => ForbiddenAsync(platform, crossing, new CloseTrade(trade, Account, "not wanted")),
            (nameof(CorrectOrder), nameof(ExecuteTrade)) => CorrectedAsync(platform, crossing, trade),
            (nameof(SettleOrder), nameof(ExecuteTrade)) => SettledAsync(platform, crossing, trade),
            (nameof(WriteOffPosition), nameof(ExecuteTrade)) => WrittenOffAsync(platform, crossing, trade),
            (nameof(EntryFailed), nameof(AssessRisk)) => ReleasedAsync(platform, crossing, trade),
            (nameof(TradeClosed), nameof(AssessRisk)) => CountedAsync(platform, crossing, trade),
            (nameof(TradeOpened), nameof(AssessRisk)) => FilledAsync(platform, crossing, trade),
            (nameof(EntryFailed), nameof(SignalRaised)) => HeldAsync(platform, crossing, new EntryFailed(trade, Account, "before its time")),
            (nameof(TradeOpened), nameof(SignalRaised)) => HeldAsync(platform, crossing, Opened(trade)),
            (nameof(TradeClosed), nameof(SignalRaised)) => HeldAsync(platform, crossing, Closed(trade)),
            (nameof(VerifyTrade), nameof(VerifyTrade)) => VerifiedBackwardsAsync(platform, crossing, trade),
            _ => throw new NotSupportedException($"{first} can overtake {command}, and nobody has said what must come of it."),
        });

        await platform.SettledAsync([trade]);
        await platform.HoldsAsync([.. platform.History.Trades.Keys]);
        if (phase != TradePhase.Failed)
            Assert.DoesNotContain(platform.History.Of<TradeFailed>(), f => f.Trade == trade);
        Assert.Equal(phase, platform.History.Trades[trade].Phase);
    }

    /// <summary>Its tombstone refuses the command, although the signal is still good.</summary>
    private static async Task<TradePhase> ForbiddenAsync(WholePlatform platform, Crossing crossing, ITradeMessage compensation)
    {
        await SayAsync(platform, Routes.Execution, compensation);
        await platform.SettledAsync([compensation.Trade]);
        crossing.Release();
        await UntilAsync<EntryFailedRecorded>(platform, e => e.Trade == compensation.Trade);
        Assert.Single(platform.History.Of<EntryForbidden>(), e => e.Trade == compensation.Trade);
        Assert.DoesNotContain(platform.History.Of<OrderIntended>(), e => e.Trade == compensation.Trade);
        Assert.DoesNotContain(await VenueOrderLine.ReadAsync(platform.Venue), o => o.Trade == compensation.Trade);
        return TradePhase.Failed;
    }

    /// <summary>What is corrected before there is anything changes nothing of what comes.</summary>
    private static async Task<TradePhase> CorrectedAsync(WholePlatform platform, Crossing crossing, TradeId trade)
    {
        await SayAsync(platform, Routes.Execution, new CorrectOrder(trade, Account, ClientOrderId.Of(trade, OrderRole.Entry, 0), "it is not there", "none"));
        await UntilAsync<OrderCorrected>(platform, e => e.Order.Trade == trade);
        crossing.Release();
        return TradePhase.Closed;
    }

    /// <summary>What is not held yet cannot be gone: nothing comes of it, and the trade goes its way.</summary>
    private static async Task<TradePhase> WrittenOffAsync(WholePlatform platform, Crossing crossing, TradeId trade)
    {
        var before = await platform.HandledAsync(nameof(WriteOffPosition));
        await SayAsync(platform, Routes.Execution, new WriteOffPosition(trade, Account, new Quantity(0.00000001m), "gone", "the test says so"));
        // It leaves nothing behind, so that it was handled is to be seen by the count alone.
        await WholePlatform.UntilAsync(async () => await platform.HandledAsync(nameof(WriteOffPosition)) > before, () => "it is handled before the command comes");
        Assert.DoesNotContain((await platform.History.ReadOnAsync(Cancel)).Of<OrderIntended>(), e => e.Trade == trade);
        crossing.Release();
        await UntilAsync<PositionOpened>(platform, e => e.Trade == trade);
        Assert.DoesNotContain(platform.History.Of<PositionWrittenOff>(), e => e.Trade == trade);
        return TradePhase.Closed;
    }

    /// <summary>What was not sent yet is in no doubt: the operator is refused, and the trade goes its way.</summary>
    private static async Task<TradePhase> SettledAsync(WholePlatform platform, Crossing crossing, TradeId trade)
    {
        await SayAsync(platform, Routes.Execution, new SettleOrder(trade, ClientOrderId.Of(trade, OrderRole.Entry, 0), trade.Guid, Confirms: false, "anna", "it is not there"));
        await UntilAsync<OrderSettlementRefused>(platform, e => e.Order.Trade == trade);
        crossing.Release();
        return TradePhase.Closed;
    }

    /// <summary>A release before the reservation bars it: the assessment is denied.</summary>
    private static async Task<TradePhase> ReleasedAsync(WholePlatform platform, Crossing crossing, TradeId trade)
    {
        await SayAsync(platform, Routes.Execution, new CancelTrade(trade, Account, "not wanted"));
        await UntilAsync<AssessmentBarred>(platform, b => b.Trade == trade);
        crossing.Release();
        await UntilAsync<RiskDeniedRecorded>(platform, d => d.Trade == trade);
        Assert.DoesNotContain(platform.History.Of<ExposureReserved>(), e => e.Trade == trade);
        return TradePhase.Failed;
    }

    private static async Task<TradePhase> CountedAsync(WholePlatform platform, Crossing crossing, TradeId trade)
    {
        await SayAsync(platform, Routes.Risk, Closed(trade));
        await UntilAsync<PositionClosedCounted>(platform, c => c.Trade == trade);
        crossing.Release();
        await UntilAsync<RiskDeniedRecorded>(platform, d => d.Trade == trade);
        Assert.DoesNotContain(platform.History.Of<ExposureReserved>(), e => e.Trade == trade);
        return TradePhase.Denied;
    }

    /// <summary>What is said to be open counts as open until it is said to be closed; a second position is not allowed on top of it.</summary>
    private static async Task<TradePhase> FilledAsync(WholePlatform platform, Crossing crossing, TradeId trade)
    {
        await SayAsync(platform, Routes.Risk, Opened(trade));
        await UntilAsync<ReservationFilled>(platform, f => f.Trade == trade);
        crossing.Release();
        await UntilAsync<RiskDeniedRecorded>(platform, d => d.Trade == trade);
        Assert.Equal((0m, 50m), (platform.History.Account.Reserved, platform.History.Account.Open));
        await SayAsync(platform, Routes.Risk, Closed(trade));
        return TradePhase.Denied;
    }

    /// <summary>News of a trade that nobody has raised is refused, tried again, and set aside with its reason; the trade then goes its own way.</summary>
    private static async Task<TradePhase> HeldAsync(WholePlatform platform, Crossing crossing, ITradeMessage news)
    {
        await SayAsync(platform, Routes.Coordinator, news);
        await WholePlatform.UntilAsync(async () => (await platform.DeadLettersAsync()).Any(l => l.Trades.Contains(news.Trade)), () => "it is set aside");
        var dead = Assert.Single(await platform.DeadLettersAsync(), l => l.Trades.Contains(news.Trade));
        Assert.Equal((Routes.Coordinator, news.GetType().Name), (dead.Endpoint, dead.MessageType));
        Assert.Contains("what it follows from is not there", dead.FaultMessage, StringComparison.Ordinal);
        crossing.Release();
        return TradePhase.Closed;
    }

    /// <summary>The closed trade is verified before the open one.</summary>
    private static async Task<TradePhase> VerifiedBackwardsAsync(WholePlatform platform, Crossing crossing, TradeId trade)
    {
        await WholePlatform.UntilAsync(
            async () => (await platform.History.ReadOnAsync(Cancel)).Trades.GetValueOrDefault(trade)?.Phase == TradePhase.Closed && crossing.KeptOf(typeof(VerifyTrade)) >= 2, () => "both are on their way");
        crossing.Release();
        await WholePlatform.UntilAsync(async () => (await platform.History.ReadOnAsync(Cancel)).Of<TradeReconciledRecorded>().Where(r => r.Trade == trade).Select(r => r.Closed).Distinct().Count() == 2, () => "both are answered");
        return TradePhase.Closed;
    }

    private static TradeOpened Opened(TradeId trade) =>
        new(trade, Account, Symbol, Side.Buy, new Quantity(0.001m), new Price(50_000), new Money(50), Money.Zero, [ClientOrderId.Of(trade, OrderRole.Entry, 0)]);

    private static TradeClosed Closed(TradeId trade) =>
        new(trade, Account, Symbol, new Quantity(0.001m), new Price(50_000), new Price(50_000), Money.Zero, Money.Zero, "before its time", [ClientOrderId.Of(trade, OrderRole.Entry, 0)]);

    private static Task SayAsync(WholePlatform platform, string endpoint, ITradeMessage message) =>
        platform.Services.GetRequiredService<IMessageBus>().PublishAsync([new OutboundMessage(Guid.NewGuid(), endpoint, message, message.Trade.Value, null)], Cancel);

    private static Task UntilAsync<TEvent>(WholePlatform platform, Func<TEvent, bool> wanted) => WholePlatform.UntilAsync(
        async () => (await platform.History.ReadOnAsync(Cancel)).Of<TEvent>().Any(wanted), () => $"there is a {typeof(TEvent).Name}");
}
