using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.Sqlite;
using Antbot.Integration.Tests.Support;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Antbot.Validation;
using Antbot.Validation.Core;
using Xunit;
using Some = Antbot.Core.Tests.Coordinator.Some;

namespace Antbot.Integration.Tests.Validation;

/// <summary>Two instances of Validation on one store, and one wish uttered many times.</summary>
public sealed class DuplicateRaceTests
{
    private const int Repetitions = 200;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_one_wish_uttered_many_times_at_once_exactly_one_is_valid()
    {
        using var folder = new SqliteFolder();
        await using var one = await folder.OpenAsync();
        await using var two = await folder.OpenAsync();
        var bus = new RecordingBus();
        var instances = new[] { Handler(one, bus), Handler(two, bus) };
        var now = DateTimeOffset.UtcNow;
        await Task.WhenAll(Enumerable.Range(0, Repetitions).Select(i => Task.Run(() =>
        {
            var trade = new TradeId(DeterministicId.From("wish", $"{i}"));
            var signal = Some.Signal with { Trade = trade, RaisedAt = now, ValidUntil = now.AddMinutes(5) };
            return instances[i % 2].HandleAsync(new ValidateSignal(signal), new Input(DeterministicId.From("message", $"{i}"), new ValidateSignal(signal), trade.Value, "service:validation"), Cancel);
        })));
        Assert.Equal(Repetitions, bus.Sent.Select(m => ((ITradeMessage)m.Body).Trade).Distinct().Count());
        Assert.Single(bus.Sent, m => m.Body is SignalValidated);
        Assert.Equal(Repetitions, await one.ReadVersionAsync(Streams.Validation(Some.Symbol), Cancel));
    }

    private static ValidateSignalHandler Handler(IEventStore store, RecordingBus bus)
    {
        var parts = new PipelineParts(store, new EventCodec(EventRegistry.From(typeof(SymbolMemory).Assembly)), bus, TimeProvider.System, NoCrashPoints.Instance);
        return new ValidateSignalHandler(new StreamPipeline<SymbolMemory>(parts, ValidationDecider.With(ValidationLimits.Default)));
    }
}
