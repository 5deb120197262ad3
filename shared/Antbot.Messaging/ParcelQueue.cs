using System.Diagnostics;
using Antbot.Runtime.Bus;

namespace Antbot.Messaging;

/// <summary>
/// What goes to one endpoint. While something is on its way, what comes waits, and then goes together: the busier, the larger the
/// parcels; with nothing else to do, each message goes alone and at once.
/// </summary>
/// <param name="send">Returns when the broker has confirmed all of them.</param>
internal sealed class ParcelQueue(Func<IReadOnlyList<ParcelledMessage>, Task> send)
{
    private readonly Lock _lock = new();
    private readonly Queue<Waiting> _waiting = new();
    private bool _sending;

    /// <summary>Returns when they are confirmed. Who gives up takes back what still waits, not what is on its way.</summary>
    public async Task SendAsync(IEnumerable<ParcelledMessage> messages, CancellationToken cancellationToken)
    {
        var mine = messages.Select(m => new Waiting(m)).ToArray();
        lock (_lock)
        {
            foreach (var message in mine)
                _waiting.Enqueue(message);
            if (!_sending)
            {
                _sending = true;
                // Without the context of whoever happens to be first: it would be every later one's trace and log scope.
                ThreadPool.UnsafeQueueUserWorkItem(static queue => _ = queue.RunAsync(), this, preferLocal: false);
            }
        }
        await using var giveUp = cancellationToken.UnsafeRegister(_ => Array.ForEach(mine, m => m.Done.TrySetCanceled(cancellationToken)), null);
        await Task.WhenAll(mine.Select(m => m.Done.Task));
    }

    private async Task RunAsync()
    {
        while (Take() is { Count: > 0 } parcel)
        {
            try
            {
                await send([.. parcel.Select(w => w.Message)]);
                foreach (var waiting in parcel)
                    waiting.Done.TrySetResult();
            }
            catch (Exception e)
            {
                foreach (var waiting in parcel)
                    waiting.Done.TrySetException(e);
            }
        }
    }

    private List<Waiting> Take()
    {
        lock (_lock)
        {
            var parcel = new List<Waiting>();
            var bytes = 0L;
            while (parcel.Count < Parcel.MessagesMax && _waiting.TryPeek(out var next) && (parcel.Count == 0 || bytes + next.Message.Json.Length <= Parcel.BytesMax))
            {
                _waiting.Dequeue();
                if (next.Done.Task.IsCompleted)
                    continue;
                bytes += next.Message.Json.Length;
                parcel.Add(next);
            }
            _sending = parcel.Count > 0;
            return parcel;
        }
    }

    private sealed record Waiting(ParcelledMessage Message)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>A message that has been written once: what cannot be written never comes as far as a parcel.</summary>
/// <param name="Span">Within which it was sent.</param>
internal sealed record ParcelledMessage(OutboundMessage Message, byte[] Json, Activity? Span = null);
