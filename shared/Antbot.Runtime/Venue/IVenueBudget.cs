namespace Antbot.Runtime.Venue;

/// <summary>One count of a venue's that a request falls into: its weight in this minute, an order in these ten seconds.</summary>
/// <param name="Scope">Whose count it is: an address's, or an account's there.</param>
/// <param name="Slot">Which stretch of time, numbered from the epoch on.</param>
/// <param name="Need">Where so much cannot be had, nothing is taken.</param>
/// <param name="Wanted">At most so much is taken, for what follows at once.</param>
/// <param name="Cap">Beyond this the count does not grow.</param>
/// <param name="Seen">What the venue itself has counted there; it is believed where it is more.</param>
public readonly record struct BudgetDraw(string Scope, string Kind, long Slot, long Need, long Wanted, long Cap, long Seen);

/// <param name="Granted">Of each draw; empty where one of them could not be had, for then none is.</param>
/// <param name="Used">What each count has come to.</param>
/// <param name="Blocked">How long the venue has told us to wait; zero where it has not.</param>
public sealed record BudgetAnswer(IReadOnlyList<long> Granted, IReadOnlyList<long> Used, TimeSpan Blocked);

/// <summary>What all processes use up together of what a venue allows them. Throws where it cannot be asked.</summary>
public interface IVenueBudget
{
    /// <summary>All of the draws or none. Without any, it is only asked whether the venue has told us to wait.</summary>
    Task<BudgetAnswer> DrawAsync(string venue, IReadOnlyList<BudgetDraw> draws, CancellationToken cancellationToken = default);

    /// <summary>The venue has told us to wait: when this returns, nobody is granted anything before it is over. A longer wait stands.</summary>
    Task BlockAsync(string venue, TimeSpan wait, CancellationToken cancellationToken = default);
}

/// <summary>Where there is one process.</summary>
/// <param name="waits">Where what it was told to wait for outlives it; null for nowhere.</param>
public sealed class LocalVenueBudget(TimeProvider clock, KeptWaits? waits = null) : IVenueBudget
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Scope, string Kind), SortedDictionary<long, long>> _used = [];
    private readonly Dictionary<string, (long From, TimeSpan Wait)> _blocks = waits?.Read(clock.GetUtcNow()).ToDictionary(w => w.Key, w => (clock.GetTimestamp(), w.Value), StringComparer.Ordinal) ?? new(StringComparer.Ordinal);

    public Task<BudgetAnswer> DrawAsync(string venue, IReadOnlyList<BudgetDraw> draws, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (Rest(venue) is var rest && rest > TimeSpan.Zero)
                return Task.FromResult(new BudgetAnswer([], [], rest));
            var used = draws.Select(d => Raise(d)).ToList();
            if (draws.Where((d, i) => used[i] + d.Need > d.Cap).Any())
                return Task.FromResult(new BudgetAnswer([], used, TimeSpan.Zero));
            var granted = draws.Select((d, i) => Math.Min(d.Wanted, d.Cap - used[i])).ToList();
            for (var i = 0; i < draws.Count; i++)
                _used[(draws[i].Scope, draws[i].Kind)][draws[i].Slot] = used[i] += granted[i];
            return Task.FromResult(new BudgetAnswer(granted, used, TimeSpan.Zero));
        }
    }

    public Task BlockAsync(string venue, TimeSpan wait, CancellationToken cancellationToken = default)
    {
        TimeSpan rest;
        lock (_lock)
        {
            if (wait > Rest(venue))
                _blocks[venue] = (clock.GetTimestamp(), wait);
            rest = Rest(venue);
        }
        // A disk that stalls keeps nobody from asking who may.
        return waits is null ? Task.CompletedTask : Task.Run(() => Keep(venue, rest), cancellationToken);
    }

    private void Keep(string venue, TimeSpan wait)
    {
        lock (waits!)
            waits.Write(venue, wait, clock.GetUtcNow());
    }

    private TimeSpan Rest(string venue) => _blocks.TryGetValue(venue, out var block) && block.Wait - clock.GetElapsedTime(block.From) is var rest && rest > TimeSpan.Zero ? rest : TimeSpan.Zero;

    private long Raise(BudgetDraw draw)
    {
        if (!_used.TryGetValue((draw.Scope, draw.Kind), out var slots))
            _used[(draw.Scope, draw.Kind)] = slots = [];
        // Near a change of slots two are in use; what is older is over.
        while (slots.Count > 0 && slots.First().Key < draw.Slot - 2)
            slots.Remove(slots.First().Key);
        return slots[draw.Slot] = Math.Max(slots.GetValueOrDefault(draw.Slot), draw.Seen);
    }
}
