namespace Antbot.Runtime.Store;

/// <summary>What an engine refuses to take, whichever engine it is.</summary>
public static class StoreLimits
{
    /// <summary>A larger body belongs beside the events, with its hash in the event.</summary>
    public const int EventBytesMax = 1024 * 1024;

    public const int EventsPerAppendMax = 1_000;
    public const int AppendBytesMax = 4 * EventBytesMax;
    public const int GuardsPerAppendMax = 16;
    public const int TypeLengthMax = 200;
    public const int ClrTypeLengthMax = 500;
    public const int TextLengthMax = 500;
    public const int PageSizeMax = 10_000;

    /// <summary>A page ends with the event that reaches this, so that large bodies do not fill the memory.</summary>
    public const int PageBytesMax = 16 * EventBytesMax;

    public const int CheckpointNameLengthMax = 200;
    public const int SnapshotBytesMax = 16 * 1024 * 1024;
}
