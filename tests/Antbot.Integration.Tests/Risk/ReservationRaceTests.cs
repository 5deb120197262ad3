using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.EventStore.Postgres;
using Antbot.Integration.Tests.Postgres;
using Antbot.Integration.Tests.Sqlite;
using Antbot.Integration.Tests.Support;
using Antbot.Kernel.Identity;
using Antbot.Risk.Core;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Xunit;
using Some = Antbot.Core.Tests.Coordinator.Some;

namespace Antbot.Integration.Tests.Risk;

/// <summary>Two instances of Risk on one store, as two processes would have it, and everything delivered to both.</summary>
public sealed class ReservationRaceTests(PostgresFixture postgres)
{
    private const int Assessments = 1_000;
    private const decimal Notional = 30;

    private static readonly RiskLimits Limits = RiskLimits.Default;
    private static readonly AccountId Account = new("race");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task On_postgres_a_thousand_concurrent_assessments_never_exceed_the_limit()
    {
        var database = await postgres.Server.CreateDatabaseAsync(cancellationToken: Cancel);
        await PostgresSchema.EnsureAsync(database.ConnectionString, Cancel);
        await using var one = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = database.ConnectionString });
        await using var two = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = database.ConnectionString });
        await RaceAsync(one, two);
    }

    [Fact]
    public async Task On_sqlite_a_thousand_concurrent_assessments_never_exceed_the_limit()
    {
        using var folder = new SqliteFolder();
        await using var one = await folder.OpenAsync();
        await using var two = await folder.OpenAsync();
        await RaceAsync(one, two);
    }

    private static async Task RaceAsync(IEventStore one, IEventStore two)
    {
        var instances = new[] { new Instance(one), new Instance(two) };
        var handled = await Task.WhenAll(Enumerable.Range(0, Assessments).SelectMany(i => instances, (i, instance) => instance.AssessAsync(i)));

        var codec = instances[0].Codec;
        var (state, version, answered) = (RiskState.Initial, 0L, new Dictionary<TradeId, Type>());
        await foreach (var stored in one.ReadStreamAsync(Streams.Account(Account), cancellationToken: Cancel))
        {
            var @event = codec.Decode(stored);
            state = RiskState.Fold.Apply(state, @event);
            version = stored.Version;
            Assert.True(state.Reserved + state.Open <= Limits.ExposureMax.Value, $"{state.Reserved} reserved and {state.Open} open at version {stored.Version}");
            switch (@event)
            {
                case ExposureReserved e:
                    Assert.Equal(state.Reserved - Notional, e.Sight.Reserved);
                    answered.Add(e.Trade, typeof(RiskApproved));
                    break;
                case RiskDeniedRecorded e:
                    Assert.Equal(state.Reserved, e.Sight.Reserved);
                    answered.Add(e.Trade, typeof(RiskDenied));
                    break;
            }
        }
        // Each was decided once, on exactly what stood before it, and the account was filled to the last reservation that fits.
        Assert.Equal(Assessments, version);
        Assert.Equal(Assessments, answered.Count);
        Assert.Equal((int)(Limits.ExposureMax.Value / Notional), answered.Values.Count(t => t == typeof(RiskApproved)));
        // Both instances answered everything, and the same.
        foreach (var instance in instances)
            Assert.Equal(answered.OrderBy(a => a.Key.Value, StringComparer.Ordinal), instance.Answers.OrderBy(a => a.Key.Value, StringComparer.Ordinal));
        Assert.Equal(Assessments, handled.SelectMany(h => h).Select(e => e.EventId).Distinct().Count());
    }

    private sealed class Instance
    {
        private readonly RecordingBus _bus = new();
        private readonly StreamPipeline<RiskState> _pipeline;

        public Instance(IEventStore store) =>
            _pipeline = new StreamPipeline<RiskState>(new PipelineParts(store, Codec, _bus, TimeProvider.System, NoCrashPoints.Instance), RiskDecider.With(Limits));

        public EventCodec Codec { get; } = new(EventRegistry.From(typeof(RiskState).Assembly));

        public IReadOnlyDictionary<TradeId, Type> Answers => _bus.Sent.ToDictionary(m => ((ITradeMessage)m.Body).Trade, m => m.Body.GetType());

        public Task<IReadOnlyList<StoredEvent>> AssessAsync(int i)
        {
            var now = DateTimeOffset.UtcNow;
            var trade = new TradeId(DeterministicId.From("race", $"{i}"));
            var signal = Some.Signal with { Trade = trade, Account = Account, Notional = new Money(Notional), RaisedAt = now, ValidUntil = now.AddHours(1) };
            var input = new Input(DeterministicId.From("race-message", $"{i}"), new AssessRisk(signal, 0.7m), trade.Value, "service:risk");
            return Task.Run(() => _pipeline.HandleAsync(Streams.Account(Account), input, Cancel));
        }
    }
}
