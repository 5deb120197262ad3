using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Antbot.Venues;

/// <summary>How the market's streams of this process are doing, for its health and its log. A stream says nothing while it is broken.</summary>
internal sealed class StreamWatch(TimeProvider clock, ILogger<StreamWatch> log)
{
    private readonly TimeProvider _clock = clock;
    private readonly ILogger _log = log;
    private readonly ConcurrentDictionary<Watched, byte> _streams = [];

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

    internal sealed class Watched(StreamWatch owner, string name, TimeSpan silence) : IDisposable
    {
        private readonly Lock _lock = new();
        private long _heardAt = owner._clock.GetTimestamp();
        private string? _broken;

        public string Name => name;

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
            lock (_lock)
            {
                if (_broken is not null)
                    owner._log.LogInformation("The market's stream {Stream} is back after {Silence}", name, owner._clock.GetElapsedTime(_heardAt));
                (_heardAt, _broken) = (owner._clock.GetTimestamp(), null);
            }
        }

        /// <summary>Told once, however often it breaks again before it is heard.</summary>
        public void Broke(string why)
        {
            lock (_lock)
            {
                if (_broken is not null)
                    return;
                _broken = why;
            }
            owner._log.LogWarning("The market's stream {Stream} is broken: {Reason}", name, why);
        }

        public void Dispose() => owner._streams.TryRemove(this, out _);
    }
}
