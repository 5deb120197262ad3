using System.Threading.Channels;
using Antbot.Contracts;
using Antbot.Contracts.Market;
using Antbot.Contracts.Venue;

namespace Antbot.Venues;

/// <summary>Puts candles from two sources into one sequence a symbol: each once, in order, none left out.</summary>
internal sealed class CandleSequence(TimeSpan interval, Func<Symbol, DateTimeOffset, CancellationToken, Task<VenueAnswer<IReadOnlyList<Candle>>>> read)
{
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>When the next candle of each symbol opens.</summary>
    private readonly Dictionary<Symbol, DateTimeOffset> _next = [];

    public void Begin(Symbol symbol, DateTimeOffset now) => _next[symbol] = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % interval.Ticks), TimeSpan.Zero);

    public async Task TakeAsync(Candle candle, ChannelWriter<Candle> to, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (!_next.TryGetValue(candle.Symbol, out var next) || candle.OpenedAt < next)
                return;
            // With a gap before it, it is left to the filling, which brings it too.
            if (candle.OpenedAt == next || await FillAsync(candle.Symbol, to, cancellationToken) is null && candle.OpenedAt == _next[candle.Symbol])
                await GiveAsync(candle, to, cancellationToken);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Fetches what should have closed before this time and has not come.</summary>
    public async Task<IReadOnlyList<string>> FillAsync(ChannelWriter<Candle> to, DateTimeOffset dueBefore, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            var faults = new List<string>();
            foreach (var (symbol, next) in _next.ToList())
            {
                if (next + interval < dueBefore && await FillAsync(symbol, to, cancellationToken) is { } fault)
                    faults.Add($"{symbol}: {fault}");
            }
            return faults;
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task<string?> FillAsync(Symbol symbol, ChannelWriter<Candle> to, CancellationToken cancellationToken)
    {
        switch (await read(symbol, _next[symbol], cancellationToken))
        {
            case VenueAnswer<IReadOnlyList<Candle>>.Said said:
                // What the venue itself has a gap in is passed over: it has no more to give.
                foreach (var candle in said.Value.Where(c => c.OpenedAt >= _next[symbol]))
                    await GiveAsync(candle, to, cancellationToken);
                return null;
            case var other:
                return other.ToString();
        }
    }

    private async Task GiveAsync(Candle candle, ChannelWriter<Candle> to, CancellationToken cancellationToken)
    {
        await to.WriteAsync(candle, cancellationToken);
        _next[candle.Symbol] = candle.ClosedAt;
    }
}
