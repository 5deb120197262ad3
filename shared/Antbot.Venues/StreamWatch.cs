using System.Collections.Concurrent;
using System.Globalization;
using Antbot.Hosting;
using Microsoft.Extensions.Logging;

namespace Antbot.Venues;

/// <summary>How the market's streams of this process are doing, for its health and its log. A stream says nothing while it is broken.</summary>
internal sealed class StreamWatch(TimeProvider clock, ILogger<StreamWatch> log, DependencyBoard? board = null)
{
    public const string Dependency = "market";

    private static readonly TimeSpan NonsenseToldEvery = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _clock = clock;
    private readonly ILogger _log = log;
    private readonly DependencyBoard? _board = board;
    private readonly ConcurrentDictionary<Watched, byte> _streams = [];
    private readonly Lock _telling = new();

    /// <summary>Why the market is not heard; null while every stream that is followed speaks often enough.</summary>
    public string? Trouble => _streams.Keys.Select(s => s.Fault).OfType<string>().Order(StringComparer.Ordinal).FirstOrDefault();

    /// <param name="silence">Beyond this the stream is taken for dead.</param>
    public Watched Begin(IReadOnlyList<string> streams, TimeSpan silence)
    {
        var name = streams.Count > 1 ? string.Create(CultureInfo.InvariantCulture, $"{streams[0]} and {streams.Count - 1} more") : streams[0];
        var watched = new Watched(this, name, silence);
        _streams[watched] = 0;
        return watched;
    }

    /// <summary>The market works while no stream is broken; all of them are looked at, so that whoever tells last tells what is so.</summary>
    private void Tell()
    {
        lock (_telling)
        {
            if (_streams.Keys.Select(s => s.Break).OfType<string>().Order(StringComparer.Ordinal).FirstOrDefault() is { } broken)
                _board?.Fails(Dependency, broken);
            else if (!_streams.IsEmpty)
                _board?.Works(Dependency);
        }
    }

    internal sealed class Watched(StreamWatch owner, string name, TimeSpan silence) : IDisposable
    {
        private readonly Lock _lock = new();
        private long _heardAt = owner._clock.GetTimestamp();
        private string? _broken;
        private bool _isHeard;
        private long? _nonsenseToldAt;
        private long _nonsense;

        public string Name => name;

        /// <summary>Why it is not connected; null where it speaks.</summary>
        public string? Break
        {
            get
            {
                lock (_lock)
                    return _broken is null ? null : $"{name}: {_broken}";
            }
        }

        public string? Fault
        {
            get
            {
                lock (_lock)
                {
                    var since = owner._clock.GetElapsedTime(_heardAt);
                    return since <= silence ? null : string.Create(CultureInfo.InvariantCulture, $"The market's stream {name} has said nothing for {since.TotalSeconds:0} s{(_broken is null ? "" : $": {_broken}")}. It is connected again until it speaks.");
                }
            }
        }

        public void Heard()
        {
            bool isNews;
            lock (_lock)
            {
                if (_broken is not null)
                    owner._log.LogInformation("The market's stream {Stream} is back after {Silence}", name, owner._clock.GetElapsedTime(_heardAt));
                isNews = _broken is not null || !_isHeard;
                (_heardAt, _broken, _isHeard) = (owner._clock.GetTimestamp(), null, true);
            }
            if (isNews)
                owner.Tell();
        }

        /// <summary>Logged once, however often it breaks again before it is heard.</summary>
        public void Broke(string why)
        {
            bool isNews;
            lock (_lock)
            {
                isNews = _broken is null;
                _broken = why;
            }
            if (isNews)
                owner._log.LogWarning("The market's stream {Stream} is broken: {Reason}", name, why);
            owner.Tell();
        }

        /// <summary>A message made no sense. Logged once a minute, with how many there were since it was told last.</summary>
        public void MadeNoSense(string stream, string why)
        {
            long count;
            lock (_lock)
            {
                _nonsense++;
                if (_nonsenseToldAt is { } told && owner._clock.GetElapsedTime(told) < NonsenseToldEvery)
                    return;
                (count, _nonsense, _nonsenseToldAt) = (_nonsense, 0, owner._clock.GetTimestamp());
            }
            owner._log.LogWarning("{Count} messages of the market's stream {Name} made no sense and were passed over, the last of them of {Stream}: {Reason}", count, name, stream, why);
        }

        public void Dispose()
        {
            owner._streams.TryRemove(this, out _);
            owner.Tell();
        }
    }
}
