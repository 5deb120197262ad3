using System.Text.Json;
using Antbot.Kernel.Time;
using Microsoft.Extensions.Logging;

namespace Antbot.PaperVenue.Following;

/// <summary>Candles of every instrument and interval, the oldest first.</summary>
internal sealed class History
{
    private readonly Dictionary<(int Instrument, int Interval), IReadOnlyList<Candle>> _candles = [];

    public void Add(Instrument instrument, int interval, IReadOnlyList<Candle> candles) => _candles[(instrument.Index, interval)] = candles;

    public IReadOnlyList<Candle> Of(Instrument instrument, int interval) => _candles.GetValueOrDefault((instrument.Index, interval)) ?? [];
}

/// <summary>
/// A real venue's prices, looked at twice a second. An old price is none: then there is no market here either, until it is back, with
/// the candles of the time between.
/// </summary>
/// <param name="waitFile">What it was told to wait for is waited for by who starts again, too.</param>
internal sealed class RealMarket(Uri address, VenueRules rules, TimeProvider clock, ILogger log, string waitFile, HttpMessageHandler? handler = null) : IAsyncDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstWithin = TimeSpan.FromSeconds(5);

    private readonly PublicMarket _market = new(address, clock, handler);
    private readonly CancellationTokenSource _stop = new();
    private Task _work = Task.CompletedTask;
    private volatile Look? _last;
    private volatile string _trouble = "it has not been looked at yet";

    /// <summary>Until when it is not asked again, whoever asks.</summary>
    private (long From, TimeSpan Wait) _pause;

    /// <param name="ToldAt">By our clock, as the other.</param>
    private sealed record Told(string Host, DateTimeOffset ToldAt, DateTimeOffset Until);

    private sealed record Look(IReadOnlyDictionary<string, (Fixed8 Bid, Fixed8 Ask)> Best, long At);

    public Uri Address { get; } = address;

    /// <summary>Why there are no prices, since when; null while there are.</summary>
    public string? Trouble => Fresh is not null ? null
        : _last is { } last ? $"no prices from {Address.Host} for {clock.GetElapsedTime(last.At).TotalSeconds:0} s: {_trouble}" : $"no prices from {Address.Host} yet: {_trouble}";

    private TimeSpan Rest => _pause.Wait - clock.GetElapsedTime(_pause.From) is var rest && rest > TimeSpan.Zero ? rest : TimeSpan.Zero;

    private Look? Fresh => _last is { } last && clock.GetElapsedTime(last.At) <= StaleAfter ? last : null;

    /// <summary>Null where there is no price that is young enough.</summary>
    public (Fixed8 Bid, Fixed8 Ask)? Best(Instrument instrument) => Fresh is { } look && look.Best.TryGetValue(instrument.Symbol, out var best) ? best : null;

    /// <summary>Every instrument's candles, by interval.</summary>
    public async Task<History> HistoryAsync(CancellationToken cancellationToken)
    {
        var all = new History();
        foreach (var instrument in rules.Instruments)
        {
            for (var i = 0; i < Interval.All.Count; i++)
                all.Add(instrument, i, await _market.CandlesAsync(instrument, Interval.All[i], cancellationToken));
        }
        return all;
    }

    /// <summary>The first prices and the past before them; nothing of either where it is away: then it is followed as soon as it is there.</summary>
    public async Task<History> FirstAsync(CancellationToken cancellationToken)
    {
        var since = clock.GetTimestamp();
        Recall();
        while (true)
        {
            if (clock.GetElapsedTime(since) + Rest > FirstWithin)
                return new History();
            await Task.Delay(Rest, clock, cancellationToken);
            try
            {
                var past = await HistoryAsync(cancellationToken);
                _last = new Look(await _market.BestAsync(rules.Instruments, cancellationToken), clock.GetTimestamp());
                return past;
            }
            catch (RealMarketException e)
            {
                Fail(e);
            }
        }
    }

    /// <param name="returned">Called with the candles of the time that was missed, before the first price after it.</param>
    public void Start(Action<History> returned) => _work = FollowAsync(returned);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work;
        _stop.Dispose();
        _market.Dispose();
    }

    private async Task FollowAsync(Action<History> returned)
    {
        var isAway = false;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                // What it was told to wait for at the start is over first.
                await Task.Delay(Rest, clock, _stop.Token);
                if (Fresh is null)
                    returned(await HistoryAsync(_stop.Token));
                _last = new Look(await _market.BestAsync(rules.Instruments, _stop.Token), clock.GetTimestamp());
                if (isAway)
                    log.LogInformation("The market at {Address} is followed again", Address);
                isAway = false;
                Pause(LookEvery);
            }
            catch (RealMarketException e)
            {
                Fail(e);
                if (!isAway)
                    log.LogWarning("The market at {Address} cannot be followed, and is asked again: {Trouble}", Address, e.Message);
                isAway = true;
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void Fail(RealMarketException e)
    {
        _trouble = e.Message;
        Pause(e.RetryAfter ?? LookAgain);
        if (e.RetryAfter is { } wait)
            Keep(wait);
    }

    private void Keep(TimeSpan wait)
    {
        try
        {
            DataFile.Write(waitFile, new Told(Address.Authority, clock.GetUtcNow(), clock.GetUtcNow() + wait));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.LogWarning("{Address} wants us to wait for {Wait}, and who starts again within that would not know: {Reason}", Address, wait, e.Message);
        }
    }

    /// <summary>A file that cannot be read tells nothing: who asks is told again. A clock that was set back makes no wait longer than it was.</summary>
    private void Recall()
    {
        try
        {
            if (DataFile.Read<Told>(waitFile) is not { } told || told.Host != Address.Authority)
                return;
            Pause(new[] { told.Until - clock.GetUtcNow(), told.Until - told.ToldAt, ToldToWait.Longest }.Min());
            if (Rest > TimeSpan.Zero)
                _trouble = $"it has wanted us to wait until {told.Until:u}";
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            log.LogWarning("{File}, which says until when {Address} wants us to wait, cannot be read: {Reason}", waitFile, Address, e.Message);
        }
    }

    private void Pause(TimeSpan wait) => _pause = (clock.GetTimestamp(), wait);
}
