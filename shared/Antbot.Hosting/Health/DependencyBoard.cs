using System.Collections.Concurrent;

namespace Antbot.Hosting;

/// <summary>What stands of a dependency: whether it works, since when, and what it said last.</summary>
public sealed record DependencyState(string Name, bool Works, DateTimeOffset Since, string? LastError, DateTimeOffset? LastErrorAt);

/// <summary>What this process has found of its dependencies, by probes and by using them.</summary>
public sealed class DependencyBoard(TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, DependencyState> _states = new(StringComparer.Ordinal);

    public IReadOnlyList<DependencyState> All => [.. _states.Values.OrderBy(s => s.Name, StringComparer.Ordinal)];

    /// <summary>Null until it has been used.</summary>
    public DependencyState? Find(string name) => _states.GetValueOrDefault(name);

    public void Works(string name)
    {
        if (_states.TryGetValue(name, out var now) && now.Works)
            return;
        var at = clock.GetUtcNow();
        _states.AddOrUpdate(name, static (n, at) => new DependencyState(n, Works: true, at, null, null), static (_, s, at) => s.Works ? s : s with { Works = true, Since = at }, at);
    }

    public void Fails(string name, string error)
    {
        var at = clock.GetUtcNow();
        _states.AddOrUpdate(
            name,
            static (n, x) => new DependencyState(n, Works: false, x.at, x.error, x.at),
            static (_, s, x) => s with { Works = false, Since = s.Works ? x.at : s.Since, LastError = x.error, LastErrorAt = x.at },
            (at, error));
    }
}
