using System.Collections.Concurrent;
using Antbot.PaperVenue.Faults;

namespace Antbot.PaperVenue.Streams;

/// <summary>What owners are told of their accounts: in order, no sooner than it is on disk, and under a fault otherwise.</summary>
internal sealed class UserReports(StreamHub hub, FaultPlan faults, TimeProvider clock, CancellationToken stop)
{
    private readonly Lock _telling = new();
    private readonly ConcurrentQueue<(long Sequence, int Account, bool IsFill, byte[] Message)> _untold = new();

    /// <summary>A report that waits until the one after it has been told.</summary>
    private (int Account, byte[] Message)? _overtaken;

    /// <summary>The journal has everything up to this on disk.</summary>
    private long _committed;

    public void Add(long sequence, int account, bool isFill, byte[] message) => _untold.Enqueue((sequence, account, isFill, message));

    /// <summary>The state it was of is no more.</summary>
    public void Forget() => _untold.Clear();

    public void BeginAfter(long sequence)
    {
        lock (_telling)
            _committed = sequence;
    }

    /// <summary>What is on disk may be told to whom it concerns. Called by the journal, in order.</summary>
    public void Committed(long sequence)
    {
        lock (_telling)
            _committed = Math.Max(_committed, sequence);
        TellCommitted();
    }

    public void TellCommitted()
    {
        if (_untold.IsEmpty)
            return;
        lock (_telling)
        {
            while (_untold.TryPeek(out var next) && next.Sequence <= _committed && _untold.TryDequeue(out next))
            {
                if (next.IsFill && faults.StrikeReport() is { } fault)
                    TellFaultily(next.Account, next.Message, fault);
                else
                    hub.Tell(next.Account, next.Message);
                if (next.IsFill && _overtaken is { } late && late.Message != next.Message)
                {
                    _overtaken = null;
                    hub.Tell(late.Account, late.Message);
                }
            }
        }
    }

    private void TellFaultily(int account, byte[] message, Fault fault)
    {
        switch (fault.Kind)
        {
            case FaultKind.LostReport:
                break;
            case FaultKind.DuplicateReport:
                hub.Tell(account, message);
                hub.Tell(account, message);
                break;
            case FaultKind.ReorderReport:
                // One at a time is overtaken; another that is there already goes first.
                if (_overtaken is { } late)
                    hub.Tell(late.Account, late.Message);
                _overtaken = (account, message);
                break;
            default:
                _ = TellLateAsync(account, message, fault);
                break;
        }
    }

    private async Task TellLateAsync(int account, byte[] message, Fault fault)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(fault.Milliseconds), clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Nobody listens to a venue that has ended.
        if (!stop.IsCancellationRequested)
            hub.Tell(account, message);
    }
}
