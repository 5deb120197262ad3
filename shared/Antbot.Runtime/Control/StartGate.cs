using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Time;
using Antbot.Runtime.Store;

namespace Antbot.Runtime.Control;

/// <summary>Holds entries back for a while; unlike what is halted they are not refused.</summary>
public interface IEntryGate
{
    /// <summary>Why nothing may be entered yet, or null.</summary>
    string? Bar { get; }
}

/// <summary>
/// Nothing is entered before the account was held against the venue after this process began: it says in the history that it waits,
/// and opens with the look that knew of that. Works without the broker.
/// </summary>
/// <param name="instance">Which beginning this is: never the same twice.</param>
public sealed class StartGate(IEventStore store, EventCodec codec, TimeProvider clock, Guid instance) : IEntryGate
{
    public const string StreamPrefix = "gate-";

    private const int Page = 500;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    private volatile bool _open;

    public bool IsOpen => _open;

    public string? Bar => _open ? null : "the account has not been reconciled with the venue since this process began";

    /// <summary>Background work: ends only when it is cancelled, and may be started again after it failed.</summary>
    public async Task RunAsync(string service, AccountId account, CancellationToken cancellationToken)
    {
        var position = await AwaitAsync(service, account, cancellationToken);
        var began = position;
        while (!_open)
        {
            var mark = store.AppendMark;
            var page = await store.ReadPageAsync(position, Page, [Streams.Reconciliation(account).Value], cancellationToken);
            _open = page.Events.Any(e => Answers(e, account, began));
            if (page.Through > position)
                position = page.Through;
            else
                await store.WaitForAppendAsync(mark, Poll, cancellationToken);
        }
        await Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellationToken);
    }

    /// <summary>That stream's other events are Reconciliation's own: who waits here need not know them.</summary>
    private bool Answers(StoredEvent stored, AccountId account, long began) =>
        stored.Stream == Streams.Reconciliation(account).Value && codec.Find<StartReconciled>(stored) is { } done && done.Through >= began;

    private async Task<long> AwaitAsync(string service, AccountId account, CancellationToken cancellationToken)
    {
        var outcome = await store.AppendAsync(
            new AppendRequest
            {
                Stream = new StreamId($"{StreamPrefix}{service}"),
                Expected = ExpectedVersion.Any,
                Decision = new Decision(instance, "start-gate"),
                Events = [codec.Encode(new ReconciliationAwaited(service, instance, account))],
                At = clock.GetUtcNow().Cut(),
                Meta = new EventMeta(instance.ToString("N"), null, $"service:{service}"),
            },
            cancellationToken);
        return outcome switch
        {
            AppendOutcome.Appended done => done.Events[^1].Sequence,
            AppendOutcome.AlreadyThere there => there.Events[^1].Sequence,
            _ => throw new InvalidOperationException("An append that expects no version meets no conflict."),
        };
    }
}
