using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>Which decisions are made again, and how. All events are read whatever is asked for: a decision rests on all that came before it.</summary>
public sealed record RedecisionOptions
{
    public static RedecisionOptions All { get; } = new();

    public IReadOnlyList<StreamKind> Kinds { get; init; } = StreamKinds.All;

    /// <summary>Reads the events; one that has read them before need not do so again.</summary>
    public EventCodec Codec { get; init; } = new(StreamKinds.Registry);

    public Overrides With { get; init; } = Overrides.None;

    public string? Stream { get; init; }

    public string? Service { get; init; }

    public string? Trade { get; init; }

    public DateTimeOffset? Since { get; init; }

    public DateTimeOffset? Until { get; init; }

    /// <summary>How many differences are told; all are counted.</summary>
    public int DifferencesMax { get; init; } = 1_000;

    public int Threads { get; init; } = Environment.ProcessorCount;

    public bool IsNarrowed => (Stream ?? Service ?? Trade) is not null || Since is not null || Until is not null;

    /// <summary>Whether any decision of the stream is asked for.</summary>
    public bool Wants(string stream, StreamKind kind) => (Stream is null || Stream == stream) && (Service is null || Service == kind.Service);

    public bool Wants(StoredEvent first) =>
        (Trade is null || Trade == first.CorrelationId) && !(first.Timestamp < Since) && !(first.Timestamp > Until);
}
