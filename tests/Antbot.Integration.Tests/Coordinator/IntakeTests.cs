using System.Reflection;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Coordinator;
using Antbot.Coordinator.Core;
using Antbot.Integration.Tests.Support;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Xunit;
using Some = Antbot.Core.Tests.Coordinator.Some;

namespace Antbot.Integration.Tests.Coordinator;

/// <summary>Where new signals wait: in their order, for as long as it makes sense, and never for good.</summary>
public sealed class IntakeTests
{
    private readonly ManualClock _clock = new(Some.Now);
    private readonly InMemoryEventStore _store = new(Guid.NewGuid());
    private readonly EventCodec _codec = new(EventRegistry.From(typeof(TradeRaised).Assembly));
    private readonly Intake _intake;

    public IntakeTests() => _intake = new Intake(new PipelineParts(_store, _codec, new RecordingBus(), _clock, NoCrashPoints.Instance), new CoordinatorOptions());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Those_that_wait_begin_in_their_order_as_others_reach_the_venue()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var following = _intake.RunAsync(stop.Token);
        await FillAsync();
        var waiting = Enumerable.Range(100, 3).Select(n => _intake.WaitAsync(SignalOf(n), Cancel)).ToList();
        await Task.Delay(100, Cancel);
        Assert.DoesNotContain(waiting, w => w.IsCompleted);
        for (var n = 0; n < 3; n++)
        {
            await ReachAsync(n);
            await waiting[n].WaitAsync(TimeSpan.FromSeconds(10), Cancel);
            Assert.DoesNotContain(waiting[(n + 1)..], w => w.IsCompleted);
        }
        await stop.CancelAsync();
        await following;
    }

    [Fact]
    public async Task One_that_has_waited_until_it_is_too_late_waits_no_longer()
    {
        await FillAsync();
        var waiting = _intake.WaitAsync(SignalOf(100), Cancel);
        await Task.Delay(100, Cancel);
        Assert.False(waiting.IsCompleted);
        _clock.Move(TimeSpan.FromMilliseconds(20_001));
        await waiting.WaitAsync(TimeSpan.FromSeconds(10), Cancel);
    }

    [Fact]
    public async Task One_that_gave_up_waiting_keeps_nobody_behind_it()
    {
        await FillAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var (gone, behind) = (_intake.WaitAsync(SignalOf(100), stop.Token), _intake.WaitAsync(SignalOf(101), Cancel));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        // One a second.
        _clock.Move(TimeSpan.FromSeconds(1));
        await behind.WaitAsync(TimeSpan.FromSeconds(10), Cancel);
    }

    /// <summary>A start on a long history let one in a second until all of it was read.</summary>
    [Fact]
    public async Task Until_what_is_under_way_is_known_all_wait_a_little_and_nobody_for_good()
    {
        var unread = DispatchProxy.Create<IEventStore, Unread>();
        var intake = new Intake(new PipelineParts(unread, _codec, new RecordingBus(), _clock, NoCrashPoints.Instance), new CoordinatorOptions());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var following = intake.RunAsync(stop.Token);
        var waiting = Enumerable.Range(0, 2 * EntryWindow.RoomMin).Select(n => intake.WaitAsync(SignalOf(n), Cancel)).ToList();
        _clock.Move(TimeSpan.FromSeconds(4));
        await Task.Delay(100, Cancel);
        Assert.DoesNotContain(waiting, w => w.IsCompleted);
        _clock.Move(TimeSpan.FromSeconds(1));
        await Task.WhenAll(waiting).WaitAsync(TimeSpan.FromSeconds(10), Cancel);
        await stop.CancelAsync();
        await following;
    }

    /// <summary>A look that failed gave its fault to all that waited.</summary>
    [Fact]
    public async Task One_look_that_fails_fails_one_and_those_behind_it_begin()
    {
        await FillAsync();
        var waiting = Enumerable.Range(100, 3).Select(n => _intake.WaitAsync(SignalOf(n), Cancel)).ToList();
        _clock.Fail(new InvalidOperationException("no time"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => waiting[0]).WaitAsync(TimeSpan.FromSeconds(10), Cancel);
        await NobodyBehindWaitsForGoodAsync(waiting[1..]);
    }

    [Fact]
    public async Task One_bad_signal_fails_itself_and_those_behind_it_begin()
    {
        await FillAsync();
        var before = _intake.WaitAsync(SignalOf(100), Cancel);
        var bad = _intake.WaitAsync(null!, Cancel);
        var behind = Enumerable.Range(101, 2).Select(n => _intake.WaitAsync(SignalOf(n), Cancel)).ToList();
        _clock.Move(TimeSpan.FromSeconds(1));
        await before.WaitAsync(TimeSpan.FromSeconds(10), Cancel);
        await Assert.ThrowsAsync<NullReferenceException>(() => bad).WaitAsync(TimeSpan.FromSeconds(10), Cancel);
        await NobodyBehindWaitsForGoodAsync(behind);
    }

    private async Task NobodyBehindWaitsForGoodAsync(IReadOnlyList<Task> behind)
    {
        await Task.Delay(100, Cancel);
        Assert.DoesNotContain(behind, w => w.IsCompleted);
        foreach (var next in behind)
        {
            // One a second.
            _clock.Move(TimeSpan.FromSeconds(1));
            await next.WaitAsync(TimeSpan.FromSeconds(10), Cancel);
        }
    }

    private static Signal SignalOf(int n) => Some.Signal with { Trade = Of(n) };

    private static TradeId Of(int n) => new(DeterministicId.From("intake", $"{n}"));

    private async Task FillAsync()
    {
        for (var n = 0; n < EntryWindow.RoomMin; n++)
            await _intake.WaitAsync(SignalOf(n), Cancel).WaitAsync(TimeSpan.FromSeconds(10), Cancel);
    }

    /// <summary>Recorded wherever: another instance may have done it.</summary>
    private Task ReachAsync(int n) => _store.AppendAsync(
        new AppendRequest
        {
            Stream = Streams.Trade(Of(n)), Expected = ExpectedVersion.Any, Decision = new Decision(Guid.NewGuid(), TradeDecider.Consumer), At = Some.Now, Meta = new EventMeta(Of(n).Value, null, "test"),
            Events = [_codec.Encode(new TradeEntryAccepted(Of(n), Some.Order, "17", Some.Now))],
        },
        Cancel);

    /// <summary>A store whose history cannot be read at the moment.</summary>
    private class Unread : DispatchProxy
    {
        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => throw new EventStoreException(StoreFault.Unavailable, "It cannot be read at the moment.");
    }
}
