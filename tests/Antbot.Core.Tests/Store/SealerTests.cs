using System.Collections.Concurrent;
using System.Threading.Channels;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Core.Tests.Store;

/// <summary>When the sealer looks, at what, and what it says; the engines' contract shows that it seals.</summary>
public sealed class SealerTests
{
    private static readonly SealerOptions Options = new() { Every = TimeSpan.FromSeconds(5), Recent = TimeSpan.FromMinutes(1), WholeEvery = TimeSpan.FromHours(1) };

    private readonly ManualClock _clock = new();
    private readonly ScriptedLedger _ledger = new();
    private readonly ConcurrentQueue<string> _said = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_looks_at_everything_first_and_once_more_when_what_was_under_way_is_over_and_then_at_what_is_recent()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = Sealer().RunAsync(stop.Token);
        var looks = new List<(int Second, long After)>();
        for (var second = 0; second <= 3_700; second += 5)
        {
            looks.Add((second, await _ledger.NextLookAsync()));
            // Ten events a second.
            _ledger.Sequence += 50;
            _clock.Advance(TimeSpan.FromSeconds(5));
        }
        await stop.CancelAsync();
        await running;

        Assert.Equal([0, 60, 3_660], looks.Where(l => l.After == long.MinValue).Select(l => l.Second));
        // A number that was drawn up to a minute ago is always looked at; one that is two minutes and more old is not.
        Assert.All(looks.Where(l => l.After != long.MinValue && l.Second > 60), l => Assert.InRange(l.After, 10 * (l.Second - 125), 10 * (l.Second - 60)));
        Assert.Empty(_said);
    }

    /// <summary>How long a writer without our lock may take, and how much is looked at every five seconds: both are paid for on every store.</summary>
    [Fact]
    public async Task Unless_told_otherwise_it_looks_every_five_seconds_at_what_was_drawn_in_the_last_fifteen()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = new Sealer(_ledger, _clock, (_, what) => _said.Enqueue(what)).RunAsync(stop.Token);
        var looks = new List<(int Second, long After)>();
        for (var second = 0; second <= 120; second += 5)
        {
            looks.Add((second, await _ledger.NextLookAsync()));
            _ledger.Sequence += 50;
            _clock.Advance(TimeSpan.FromSeconds(5));
        }
        await stop.CancelAsync();
        await running;

        Assert.Equal([0, 15], looks.Where(l => l.After == long.MinValue).Select(l => l.Second));
        Assert.All(looks.Where(l => l.After != long.MinValue && l.Second > 15), l => Assert.InRange(l.After, 10 * (l.Second - 35), 10 * (l.Second - 15)));
    }

    [Fact]
    public async Task A_store_that_is_away_is_said_once_and_survived()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var away = true;
        _ledger.Seal = () => away ? throw new EventStoreException(StoreFault.Unavailable, "It is not there.") : new SealSummary(3, []);
        var running = Sealer().RunAsync(stop.Token);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(long.MinValue, await _ledger.NextLookAsync());
            away = i < 2;
            _clock.Advance(Options.Every);
        }
        await stop.CancelAsync();
        await running;

        Assert.Equal(["Nothing can be sealed: It is not there.", "Sealed 3 events that another program appended.", "The sealer goes on: the store answers again."], _said.Take(3));
    }

    [Fact]
    public async Task What_is_refused_is_said_once_and_what_is_new_beside_it_too()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var refused = new List<SealRefusal> { new(7, "event a") };
        _ledger.Seal = () => new SealSummary(0, [.. refused]);
        var running = Sealer().RunAsync(stop.Token);
        for (var i = 0; i < 4; i++)
        {
            await _ledger.NextLookAsync();
            if (i == 1)
                refused.Add(new SealRefusal(8, "event b"));
            _clock.Advance(Options.Every);
        }
        await stop.CancelAsync();
        await running;

        Assert.Equal(["Not sealed: event a. Run 'antbot verify'.", "Not sealed: event b. Run 'antbot verify'."], _said);
    }

    [Fact]
    public async Task Without_the_right_to_seal_it_ends_so_that_another_may()
    {
        _ledger.Seal = () => throw new EventStoreException(StoreFault.Forbidden, "A reader only reads.");
        Assert.Equal(StoreFault.Forbidden, (await Assert.ThrowsAsync<EventStoreException>(() => Sealer().RunAsync(Cancel))).Fault);
    }

    [Fact]
    public async Task What_is_more_than_a_page_is_sealed_in_the_same_look()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var pages = new Queue<int>([1_000, 1_000, 5]);
        _ledger.Seal = () => new SealSummary(pages.TryDequeue(out var page) ? page : 0, []);
        var running = Sealer().RunAsync(stop.Token);
        for (var i = 0; i < 3; i++)
            await _ledger.NextLookAsync();
        await stop.CancelAsync();
        await running;

        Assert.Equal(["Sealed 2,005 events that another program appended."], _said);
    }

    private Sealer Sealer() => new(_ledger, _clock, (_, what) => _said.Enqueue(what), Options);

    /// <summary>A ledger of which only the head and the sealing matter.</summary>
    private sealed class ScriptedLedger : ILedger
    {
        private readonly InMemoryEventStore _memory = new(Guid.NewGuid());
        private readonly Channel<long> _looks = Channel.CreateUnbounded<long>();

        public long Sequence { get; set; }

        public Func<SealSummary> Seal { get; set; } = () => SealSummary.Nothing;

        /// <summary>Waits for the next look, and says behind which sequence it looked.</summary>
        public async Task<long> NextLookAsync() => await _looks.Reader.ReadAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Cancel);

        public Task<LedgerHead> ReadHeadAsync(CancellationToken cancellationToken = default) => Task.FromResult(new LedgerHead(Guid.Empty, Sequence, Sequence, []));

        public Task<SealSummary> SealAsync(int limit, long afterSequence = long.MinValue, CancellationToken cancellationToken = default)
        {
            try
            {
                return Task.FromResult(Seal());
            }
            finally
            {
                _looks.Writer.TryWrite(afterSequence);
            }
        }

        public IAsyncEnumerable<LedgerLink> ReadLinksAsync(long afterPosition = 0, CancellationToken cancellationToken = default) => _memory.ReadLinksAsync(afterPosition, cancellationToken);

        public Task<IReadOnlyList<HeadMismatch>> FindHeadMismatchesAsync(int limit, CancellationToken cancellationToken = default) => _memory.FindHeadMismatchesAsync(limit, cancellationToken);

        public Task<IReadOnlyList<StoredEvent>> FindUnsealedAsync(int limit, CancellationToken cancellationToken = default) => _memory.FindUnsealedAsync(limit, cancellationToken);

        public Task<IReadOnlyList<Checkpoint>> ReadCheckpointsAsync(CancellationToken cancellationToken = default) => _memory.ReadCheckpointsAsync(cancellationToken);

        public Task SaveCheckpointAsync(Checkpoint checkpoint, CancellationToken cancellationToken = default) => _memory.SaveCheckpointAsync(checkpoint, cancellationToken);

        public Task ImportAsync(Guid storeId, IReadOnlyList<LedgerLink> links, CancellationToken cancellationToken = default) => _memory.ImportAsync(storeId, links, cancellationToken);
    }

    /// <summary>A clock that moves when it is told to.</summary>
    private sealed class ManualClock : TimeProvider
    {
        private readonly List<(ManualTimer Timer, TimeSpan Period)> _timers = [];
        private TimeSpan _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now.Ticks;

        /// <summary>By one period of its timers, which then fire.</summary>
        public void Advance(TimeSpan by)
        {
            _now += by;
            foreach (var (timer, period) in _timers)
            {
                Assert.Equal(period, by);
                timer.Fire();
            }
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new ManualTimer(() => callback(state));
            _timers.Add((timer, period));
            return timer;
        }

        private sealed class ManualTimer(Action fire) : ITimer
        {
            public void Fire() => fire();

            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
