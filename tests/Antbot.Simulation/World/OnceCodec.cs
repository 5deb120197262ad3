using Antbot.Runtime.Store;

namespace Antbot.Simulation.World;

/// <summary>Reads each stored event once: whoever in this world reads it again is given the same object, which nobody can change.</summary>
internal sealed class OnceCodec(EventRegistry registry) : EventCodec(registry)
{
    private readonly Dictionary<StoredEvent, object> _read = new(ReferenceEqualityComparer.Instance);

    /// <summary>Here everything is read from its bytes: what would read otherwise than it was written shall be seen.</summary>
    public override void Remember(StoredEvent stored, object @event)
    {
    }

    public override object Decode(StoredEvent stored)
    {
        if (!_read.TryGetValue(stored, out var @event))
            _read[stored] = @event = base.Decode(stored);
        return @event;
    }
}
