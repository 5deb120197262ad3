using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Antbot.Runtime.Venue;
using Microsoft.Extensions.Logging;

namespace Antbot.Execution;

/// <summary>What the venue asks of orders, read at start and every hour. Without it nothing is entered.</summary>
public sealed class RuleBook(IVenue venue, TimeProvider clock, ILogger<RuleBook> log)
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    /// <summary>What was listed since the last reading is found out about when it is first asked for; what is listed nowhere is not asked for each time.</summary>
    private static readonly TimeSpan AnewAtMostEvery = TimeSpan.FromMinutes(1);

    private readonly TaskCompletionSource _read = new();
    private TaskCompletionSource _wanted = new();
    private TaskCompletionSource _next = new();
    private long _askedAt;
    private IReadOnlyDictionary<Symbol, SymbolRules> _rules = new Dictionary<Symbol, SymbolRules>();

    public IReadOnlyCollection<Symbol> Symbols => [.. Volatile.Read(ref _rules).Keys];

    public Task Read => _read.Task;

    public SymbolRules? Find(Symbol symbol) => Volatile.Read(ref _rules).GetValueOrDefault(symbol);

    /// <summary>Waits for the first reading, or for another where the symbol is not in it, but not for ever: what is not known then is refused.</summary>
    public async Task<SymbolRules?> FindAsync(Symbol symbol, TimeSpan within, CancellationToken cancellationToken)
    {
        if (!_read.Task.IsCompleted)
            await Task.WhenAny(_read.Task, Task.Delay(within, clock, cancellationToken));
        if (Find(symbol) is { } known)
            return known;
        if (_read.Task.IsCompleted && clock.GetElapsedTime(Volatile.Read(ref _askedAt)) >= AnewAtMostEvery)
        {
            var next = Volatile.Read(ref _next).Task;
            Volatile.Read(ref _wanted).TrySetResult();
            await Task.WhenAny(next, Task.Delay(within, clock, cancellationToken));
        }
        return Find(symbol);
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var wanted = new TaskCompletionSource();
            Volatile.Write(ref _wanted, wanted);
            Volatile.Write(ref _askedAt, clock.GetTimestamp());
            var answer = await venue.ReadRulesAsync(cancellationToken);
            if (answer is VenueAnswer<IReadOnlyList<SymbolRules>>.Said said)
            {
                Volatile.Write(ref _rules, said.Value.GroupBy(r => r.Symbol).ToDictionary(g => g.Key, g => g.First()));
                _read.TrySetResult();
                Interlocked.Exchange(ref _next, new TaskCompletionSource()).TrySetResult();
            }
            else
            {
                log.LogWarning("{Venue} does not tell what it asks of orders: {Answer}", venue.Name, answer);
            }
            await Task.WhenAny(wanted.Task, Task.Delay(answer is VenueAnswer<IReadOnlyList<SymbolRules>>.Said ? Every : Again, clock, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}
