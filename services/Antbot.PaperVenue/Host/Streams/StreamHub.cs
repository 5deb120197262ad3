using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Antbot.PaperVenue.Faults;
using Antbot.PaperVenue.Http;

namespace Antbot.PaperVenue.Streams;

/// <summary>Who listens to what. Publishing never waits: a connection that does not keep up is cut.</summary>
internal sealed class StreamHub(FaultPlan faults, TimeProvider clock, TimeSpan keyLife)
{
    private const int MaxKeysPerAccount = 32;

    private readonly ConcurrentDictionary<string, ImmutableArray<Connection>> _listeners = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (int Account, DateTimeOffset Until)> _keys = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, ImmutableArray<Connection>> _owners = new();
    private readonly HashSet<Connection> _connections = [];
    private readonly Lock _gate = new();

    public bool HasListener(int account) => _owners.TryGetValue(account, out var owners) && owners.Length > 0;

    public int ListenerCount => _listeners.Values.Concat(_owners.Values).SelectMany(l => l).Distinct().Count();

    public void Publish(string stream, Func<byte[]> message)
    {
        if (!_listeners.TryGetValue(stream, out var connections) || connections.IsEmpty || faults.Silences(RouteGroup.Market))
            return;
        var bytes = message();
        foreach (var connection in connections)
            connection.Send(stream, bytes);
    }

    public void Tell(int account, ReadOnlyMemory<byte> message)
    {
        if (_owners.TryGetValue(account, out var connections) && !faults.Silences(RouteGroup.UserStream))
        {
            foreach (var connection in connections)
                connection.Tell(account, message);
        }
    }

    /// <summary>False when there are as many as there may be.</summary>
    public bool TryConnect(Connection connection, int most)
    {
        lock (_gate)
            return _connections.Count < most && _connections.Add(connection);
    }

    public void Disconnect(Connection connection)
    {
        lock (_gate)
            _connections.Remove(connection);
    }

    public void Listen(Connection connection, string stream)
    {
        lock (_gate)
            _listeners.AddOrUpdate(stream, [connection], (_, there) => there.Contains(connection) ? there : there.Add(connection));
    }

    public void Unlisten(Connection connection, string stream)
    {
        lock (_gate)
        {
            if (_listeners.TryGetValue(stream, out var there))
                _listeners[stream] = there.Remove(connection);
        }
    }

    public void ListenAsOwner(Connection connection, int account)
    {
        lock (_gate)
            _owners.AddOrUpdate(account, [connection], (_, there) => there.Contains(connection) ? there : there.Add(connection));
    }

    public void UnlistenAsOwner(Connection connection, int account)
    {
        lock (_gate)
        {
            if (_owners.TryGetValue(account, out var there))
                _owners[account] = there.Remove(connection);
        }
    }

    /// <summary>Ends every connection, whether it listens or not, as a venue that goes away does.</summary>
    public void CutAll()
    {
        lock (_gate)
        {
            foreach (var connection in _connections)
                connection.Cut("the venue is away");
        }
    }

    /// <summary>The account's key while it has one that is alive, else a new one.</summary>
    public string? NewKey(int account)
    {
        var now = clock.GetUtcNow();
        if (_keys.Count(k => k.Value.Account == account) >= MaxKeysPerAccount)
            return null;
        var key = RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 64);
        _keys[key] = (account, now + keyLife);
        return key;
    }

    public bool KeepKey(string key, int account)
    {
        if (FindKey(key) != account)
            return false;
        _keys[key] = (account, clock.GetUtcNow() + keyLife);
        return true;
    }

    public bool DropKey(string key, int account) => FindKey(key) == account && EndKey(key);

    /// <summary>Keys that nobody has kept alive end, and what listens with them is told.</summary>
    public void EndOldKeys()
    {
        var now = clock.GetUtcNow();
        foreach (var (old, _) in _keys.Where(k => k.Value.Until <= now))
            EndKey(old);
    }

    private bool EndKey(string key)
    {
        if (!_keys.TryRemove(key, out var ended))
            return false;
        if (_owners.TryGetValue(ended.Account, out var connections))
        {
            var message = UserMessages.KeyEnded(key, clock.GetUtcNow().ToUnixTimeMilliseconds());
            foreach (var connection in connections)
                connection.KeyEnded(key, message);
        }
        return true;
    }

    public int? FindKey(string key) => _keys.TryGetValue(key, out var known) && known.Until > clock.GetUtcNow() ? known.Account : null;
}
