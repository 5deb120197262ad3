using Antbot.Runtime.Store;

namespace Antbot.Runtime.Projections;

/// <summary>What one process knows about the whole history at a glance. Derived, and thrown away at will.</summary>
public interface IProjection
{
    /// <summary>With its version, which changes whenever what is kept changes: an old copy is then passed over.</summary>
    string Name { get; }

    /// <summary>How the names of the streams begin that it wants to hear of.</summary>
    IReadOnlyList<string> Prefixes { get; }

    /// <summary>Called for every event of those streams, in commit order, by one thread.</summary>
    void Apply(StoredEvent stored);

    /// <summary>Instead of <see cref="Apply"/>, for an event that this build cannot take in: what is known of its stream alone is not to be relied on.</summary>
    void PassOver(StoredEvent stored)
    {
    }

    /// <summary>As JSON in UTF-8.</summary>
    byte[] Save();

    /// <summary>Replaces what is known with what was saved. What it throws means: begin from nothing.</summary>
    void Load(ReadOnlySpan<byte> saved);

    void Clear();
}
