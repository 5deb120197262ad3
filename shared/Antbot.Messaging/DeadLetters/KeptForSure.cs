using Antbot.Runtime.Bus;
using Microsoft.Extensions.Logging;

namespace Antbot.Messaging;

/// <summary>Hands a dead letter over until it is kept: the store may be down, and a letter is not given up for that.</summary>
internal sealed class KeptForSure(IDeadLetters letters, TimeProvider clock, ILogger log)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private int _waiting;

    /// <summary>How many could not be kept yet.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    public async Task KeepAsync(DeadMessage message, CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        while (await TryKeepAsync(message, isFirst: pause == FirstPause, cancellationToken) is false)
        {
            Interlocked.Increment(ref _waiting);
            try
            {
                await Task.Delay(pause, clock, cancellationToken);
            }
            finally
            {
                Interlocked.Decrement(ref _waiting);
            }
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
        }
    }

    private async Task<bool> TryKeepAsync(DeadMessage message, bool isFirst, CancellationToken cancellationToken)
    {
        try
        {
            await letters.KeepAsync(message, cancellationToken);
            return true;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            log.Log(isFirst ? LogLevel.Warning : LogLevel.Debug, "A dead letter of {Queue} cannot be recorded yet, and is tried again until it is: {Fault}", message.Queue, Texts.Cap(e.Message, Texts.Line));
            return false;
        }
    }
}
