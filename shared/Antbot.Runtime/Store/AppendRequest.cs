using Antbot.Contracts;
using Antbot.Kernel.Identity;

namespace Antbot.Runtime.Store;

/// <summary>One decision's events for one stream, all or none.</summary>
public sealed record AppendRequest
{
    public required StreamId Stream { get; init; }
    public required ExpectedVersion Expected { get; init; }
    public required Decision Decision { get; init; }
    public required IReadOnlyList<NewEvent> Events { get; init; }

    /// <summary>The time the decision was made with; kept in UTC, cut to microseconds.</summary>
    public required DateTimeOffset At { get; init; }

    public EventMeta Meta { get; init; } = EventMeta.None;

    /// <summary>Other streams that must still stand at a version when this commits.</summary>
    public IReadOnlyList<StreamGuard> Guards { get; init; } = [];
}

/// <param name="Type">The stored name, for ever.</param>
/// <param name="ClrType"><c>Namespace.Type, Assembly</c>, for readers that look classes up.</param>
/// <param name="Data">JSON in UTF-8.</param>
public sealed record NewEvent(string Type, string ClrType, ReadOnlyMemory<byte> Data);

/// <param name="Process">The process that decided: its first event says what it ran.</param>
public sealed record EventMeta(string? CorrelationId = null, string? CausationId = null, string? Actor = null, string? TraceId = null, Guid? Process = null)
{
    public static EventMeta None { get; } = new();
}

public sealed record StreamGuard(StreamId Stream, ExpectedVersion Expected);

/// <summary>What the caller believes of a stream's version. Version 0 is a stream that is not there.</summary>
public readonly record struct ExpectedVersion
{
    private ExpectedVersion(long value) => Value = value;

    public static ExpectedVersion Any { get; } = new(-1);

    public static ExpectedVersion None { get; } = new(0);

    /// <summary>The version, or -1 where any will do: the number the engines send.</summary>
    public long Value { get; }

    public static ExpectedVersion Exactly(long version)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(version);
        return new ExpectedVersion(version);
    }

    public bool Allows(long actual) => Value < 0 || Value == actual;

    public override string ToString() => Value switch
    {
        < 0 => "any version",
        0 => "no stream",
        _ => $"version {Value}",
    };
}
