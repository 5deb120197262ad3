namespace Antbot.EventStore.Proof.Publishing;

/// <summary>Brings the newest checkpoint to other places at a pace. Each names the one before it, so that the newest vouches for all.</summary>
/// <param name="say">Hears of what could not be published, and when it could again.</param>
public sealed class CheckpointPublisher(CheckpointFile file, IReadOnlyList<CheckpointPlace> places, TimeSpan every, TimeProvider clock, Action<string> say)
{
    private static readonly TimeSpan AgainMax = TimeSpan.FromMinutes(1);

    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(places.Select(p => PublishAsync(p, cancellationToken)));

    private async Task PublishAsync(CheckpointPlace place, CancellationToken cancellationToken)
    {
        long published = 0;
        var isInTrouble = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (file.Read().Checkpoints.LastOrDefault() is { } newest && newest.Position != published)
                {
                    await place.PutAsync(newest, cancellationToken);
                    published = newest.Position;
                    if (isInTrouble)
                        say($"{place.Address} takes checkpoints again.");
                    isInTrouble = false;
                }
            }
            catch (Exception e) when (e is CheckpointNotPublishedException or Runtime.Store.EventStoreException)
            {
                if (!isInTrouble)
                    say($"The checkpoint could not be published: {e.Message} It is tried again.");
                isInTrouble = true;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            // Before the first checkpoint there is nothing yet, and what failed shall not wait an hour.
            var pause = isInTrouble || published == 0 ? TimeSpan.FromTicks(Math.Min(every.Ticks, AgainMax.Ticks)) : every;
            await Task.Delay(pause, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
