using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof.Publishing;

/// <summary>Brings the newest checkpoint to other places at a pace. Each names the one before it, so that the newest vouches for all.</summary>
/// <param name="say">Hears of what could not be published, and when it could again.</param>
public sealed class CheckpointPublisher(CheckpointFile file, IReadOnlyList<CheckpointPlace> places, TimeSpan every, TimeProvider clock, Action<string> say)
{
    private static readonly TimeSpan AgainMax = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LastWithin = TimeSpan.FromSeconds(10);

    private readonly Place[] _places = [.. places.Select(p => new Place(p))];

    /// <summary>What keeps the newest from being everywhere; null while nothing does.</summary>
    public string? Trouble => _places.Select(p => p.Contradiction ?? p.Trouble).FirstOrDefault(t => t is not null);

    /// <summary>Until it is stopped, and <paramref name="ended"/> once more: then the last checkpoint is made.</summary>
    public Task RunAsync(Task ended, CancellationToken cancellationToken) => Task.WhenAll(_places.Select(p => PublishAsync(p, ended, cancellationToken)));

    private async Task PublishAsync(Place place, Task ended, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await BringAsync(place, cancellationToken);
            // Before the first checkpoint there is nothing yet, and what failed shall not wait an hour.
            var pause = place.Trouble is not null || place.Published is null ? TimeSpan.FromTicks(Math.Min(every.Ticks, AgainMax.Ticks)) : every;
            await Task.Delay(pause, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await ended.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        using var limit = new CancellationTokenSource(LastWithin, clock);
        await BringAsync(place, limit.Token);
    }

    private async Task BringAsync(Place place, CancellationToken cancellationToken)
    {
        try
        {
            if (file.Newest() is not { } newest || newest.Position == place.Published)
                return;
            await place.Of.PutAsync(newest, cancellationToken);
            place.Published = newest.Position;
            if (place.Trouble is not null)
                say($"{place.Of.Name} takes checkpoints again.");
            place.Trouble = null;
        }
        catch (CheckpointNotPublishedException e) when (e.IsContradicted)
        {
            // Said each time, and no later success makes it good.
            say($"TAMPERED: {e.Message}");
            (place.Trouble, place.Contradiction) = (null, e.Message);
        }
        catch (Exception e) when (e is CheckpointNotPublishedException or EventStoreException)
        {
            if (place.Trouble != e.Message)
                say($"The checkpoint could not be published: {e.Message} It is tried again.");
            place.Trouble = e.Message;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The end.
        }
    }

    private sealed class Place(CheckpointPlace of)
    {
        public CheckpointPlace Of => of;

        public long? Published { get; set; }

        public string? Trouble { get; set; }

        public string? Contradiction { get; set; }
    }
}
