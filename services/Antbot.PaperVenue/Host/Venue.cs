using Antbot.PaperVenue.Faults;
using Antbot.PaperVenue.Following;
using Antbot.PaperVenue.Journal;
using Antbot.PaperVenue.Streams;
using Microsoft.Extensions.Logging;

namespace Antbot.PaperVenue;

/// <summary>The venue cannot take this now: its disk is full or its journal is being mended.</summary>
internal sealed class VenueUnavailableException(string message) : Exception(message);

/// <summary>
/// The exchange with what makes it last and what shows it: one lock around the state, a journal behind it, streams in front.
/// Whatever a caller is told is on disk before it is told.
/// </summary>
internal sealed partial class Venue : IAsyncDisposable
{
    private static readonly TimeSpan TendEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TellEvery = TimeSpan.FromMinutes(1);

    private readonly PaperVenueOptions _options;
    private readonly string _folder;
    private readonly TimeProvider _clock;
    private readonly FaultPlan _faults;
    private readonly ILogger _log;
    private readonly RealMarket? _real;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly UserReports _reports;
    private Exchange _exchange;
    private JournalWriter _journal;
    private IReadOnlyList<MarketData> _data;
    private Task _work = Task.CompletedTask;
    private long _snapshotAt;
    private long _turns;
    private Exception? _suspect;
    private bool _ended;
    private readonly Dictionary<Type, long> _toldAt = [];

    /// <param name="real">Whose prices are those of this venue, and their past.</param>
    public Venue(PaperVenueOptions options, TimeProvider clock, StreamHub hub, FaultPlan faults, ILogger log, RealMarket? real = null, History? past = null)
    {
        (_options, _clock, Hub, _faults, _log, _real) = (options, clock, hub, faults, log, real);
        Weather = new Weather(options);
        _reports = new UserReports(hub, faults, clock, _stop.Token);
        _folder = Path.Combine(options.Data, "journal");
        (_exchange, _journal) = Open();
        var now = Now;
        // More than one update in a microsecond there never is, so the next start goes on above.
        Updates = now * 1_000;
        _data = [.. options.Rules.Instruments.Select(i => new MarketData(i, options, _exchange[i].Shift, now, past))];
        LoadReplay();
        foreach (var instrument in options.Rules.Instruments)
            Step(instrument, first: true);
        ReleaseHeld();
    }

    public Weather Weather { get; }

    public StreamHub Hub { get; }

    public VenueRules Rules => _options.Rules;

    public long Now => _clock.GetUtcNow().ToUnixTimeMilliseconds();

    public long JournalBytes => _journal.Bytes;

    public long JournalSyncs => _journal.Syncs;

    /// <summary>How often what keeps it in order has itself failed.</summary>
    public long TendFailures { get; private set; }

    public IReadOnlyList<string> Notes { get; private set; } = [];

    /// <summary>Grows with every change that can be seen.</summary>
    public long Updates { get; private set; }

    /// <summary>Null while orders are taken.</summary>
    public string? Trouble => this switch
    {
        { _ended: true } => "It has ended.",
        { Failure: { } failure } => $"It is being opened anew from its disk after a failure: {failure.Message}",
        { _journal.HasRoom: false } => "The disk is full: nothing is accepted that could not be kept.",
        _ => null,
    };

    public void Start()
    {
        _real?.Start(TakePast);
        _work = Task.WhenAll(MoveAsync(), TendAsync());
    }

    /// <summary>Changes something and answers when that is on disk. What the answer says is made while nobody else changes anything.</summary>
    public async Task<T> ChangeAsync<T>(Func<Exchange, long, T> change)
    {
        T answer;
        Task durable;
        lock (_gate)
        {
            if (Trouble is { } trouble)
                throw new VenueUnavailableException(trouble);
            // However late the next step is: nothing is traded at a price that has become too old.
            if (_real is { Trouble: not null })
            {
                foreach (var instrument in Rules.Instruments)
                    Keep(() => Step(instrument, first: false));
            }
            answer = Keep(() => change(_exchange, Now));
            durable = _journal.Durable;
        }
        await durable;
        return answer;
    }

    /// <summary>Looks at something; what is seen is on disk before it is told.</summary>
    public async Task<T> ReadAsync<T>(Func<Exchange, long, T> read)
    {
        T answer;
        Task durable;
        lock (_gate)
        {
            answer = read(_exchange, Now);
            durable = _journal.Durable;
        }
        await durable;
        return answer;
    }

    /// <summary>Looks at what everybody may see.</summary>
    public T Show<T>(Instrument instrument, Func<Market, MarketData, T> show)
    {
        lock (_gate)
            return show(_exchange[instrument], _data[instrument.Index]);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work;
        try
        {
            await WriteSnapshotAsync(isLast: true);
        }
        catch (Exception e) when (e is JournalException or IOException or UnauthorizedAccessException)
        {
            _log.LogWarning(e, "The state could not be written down at the end; the next start reads the journal.");
        }
        _journal.Dispose();
        _stop.Dispose();
    }

    private async Task<bool> NextAsync(PeriodicTimer timer)
    {
        try
        {
            return await timer.WaitForNextTickAsync(_stop.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
