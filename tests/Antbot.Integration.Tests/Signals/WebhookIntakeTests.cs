using System.Text;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Integration.Tests.Support;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Antbot.Signals;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Signals;

/// <summary>What is a repetition and what is a new wish, where nothing in the request says so.</summary>
public sealed class WebhookIntakeTests
{
    private const string Body = """{"symbol":"BTCUSDT","side":"buy","price":100}""";

    /// <summary>A minute's beginning: the stretches of the default window begin there.</summary>
    private static readonly DateTimeOffset Minute = new(2026, 1, 2, 3, 4, 0, TimeSpan.Zero);

    private readonly InMemoryEventStore _store = new(Guid.NewGuid());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(0, 59, true)]
    [InlineData(59, 61, true)]
    [InlineData(59, 118, true)]
    [InlineData(59, 119, false)]
    [InlineData(0, 60, false)]
    [InlineData(0, 3_600, false)]
    [InlineData(61, 59, true)]
    public async Task The_same_body_within_the_window_is_the_same_trade_across_the_borders_of_time(int first, int second, bool same)
    {
        var trade = await TakeAsync(first);
        Assert.Equal(same, trade == await TakeAsync(second));
        Assert.Equal(same ? 1 : 2, (await _store.ReadPageAsync(0, 100, Cancel)).Count);
    }

    [Fact]
    public async Task A_wish_that_comes_every_other_minute_is_new_each_time_and_its_repetitions_are_not()
    {
        var trades = new List<TradeId>();
        for (var minute = 0; minute < 10; minute++)
        {
            foreach (var second in new[] { 0, 20, 50 })
                trades.Add(await TakeAsync(minute * 60 + second));
        }
        Assert.Equal(10, trades.Distinct().Count());
        Assert.All(trades.Chunk(3), three => Assert.Single(three.Distinct()));
    }

    [Fact]
    public async Task Two_instances_that_meet_at_a_border_do_not_both_take_it_for_new()
    {
        for (var i = 0; i < 200; i++)
        {
            var body = $$"""{"symbol":"BTCUSDT","side":"buy","price":100,"n":{{i}}}""";
            var trades = await Task.WhenAll(Enumerable.Range(0, 6).Select(n => Task.Run(() => TakeAsync(59 + n % 2, body))));
            Assert.Single(trades.Distinct());
        }
    }

    [Fact]
    public async Task Another_body_and_another_caller_are_other_trades()
    {
        TradeId[] trades = [await TakeAsync(0), await TakeAsync(0, Body.Replace("buy", "sell", StringComparison.Ordinal)), await TakeAsync(0, Body, "bert")];
        Assert.Equal(3, trades.Distinct().Count());
    }

    private async Task<TradeId> TakeAsync(int second, string body = Body, string caller = "anna")
    {
        var parts = new PipelineParts(
            _store, new EventCodec(EventRegistry.From(typeof(SignalRecorded).Assembly)), new RecordingBus(), new ManualClock(Minute.AddSeconds(second)), NoCrashPoints.Instance);
        var intake = new WebhookIntake(parts, new SignalRecorder(parts, NullLogger<SignalRecorder>.Instance), new Door(parts, new SignalOptions()), new FakeMarket(), new SignalOptions());
        return Assert.IsType<IntakeAnswer.Accepted>(await intake.TakeAsync(caller, Encoding.UTF8.GetBytes(body), null, Cancel)).Trade;
    }
}
