using System.Security.Cryptography;
using System.Text.Json;
using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>What a stream had been folded to at a moment.</summary>
/// <param name="Sequence">Of the last event that it rests on.</param>
/// <param name="Hash">SHA-256 of the state's canonical JSON, as it is kept: two states are the same, bit for bit, where their hashes are.</param>
public sealed record StateAt(string Stream, string Service, long Version, long Sequence, DateTimeOffset At, string Hash, JsonElement State)
{
    internal static StateAt Of(FollowedStream followed, StoredEvent last) =>
        new(last.Stream, followed.Kind.Service, followed.Version, last.Sequence, last.Timestamp, Convert.ToHexStringLower(HashOf(followed.State)), Told(followed.State));

    /// <summary>For people: enums by name. Its members are in their order, so that it is told in the same words each time: a set or a table in memory has another order in each process.</summary>
    internal static JsonElement Told(object state) => JsonElement.Parse(CanonicalJson.From(JsonSerializer.SerializeToUtf8Bytes(state, state.GetType(), EventCodec.JsonForPeople)));

    internal static byte[] HashOf(object state) => SHA256.HashData(CanonicalJson.From(JsonSerializer.SerializeToUtf8Bytes(state, state.GetType(), EventCodec.Json)));
}

/// <param name="Live">Of which more may come; the others are over.</param>
public sealed record StreamCount(string Service, int Streams, int Live);

/// <summary>The whole system, or an account, at a moment.</summary>
/// <param name="Events">How many had been recorded.</param>
/// <param name="Hash">Over the names and states of all its streams, those that are over among them.</param>
/// <param name="States">Of the streams that are not over.</param>
public sealed record SystemAt(Moment Moment, long Events, string Hash, IReadOnlyList<StreamCount> Streams, IReadOnlyList<StateAt> States);

/// <summary>A stream that is another at the second moment than at the first.</summary>
/// <param name="From">The version then; 0 where it was not there yet.</param>
public sealed record StreamChange(string Stream, string Service, long From, long To, IReadOnlyList<JsonChange> Changes);

public sealed record Difference(Moment From, Moment To, IReadOnlyList<StreamChange> Streams);

/// <summary>One event of a trade, and what it made of its stream.</summary>
/// <param name="Changes">Of the stream's state.</param>
/// <param name="State">The whole state after it; null of a stream that other trades share, where only the changes are this trade's.</param>
public sealed record Step(
    int Number, long Sequence, DateTimeOffset At, string Stream, long Version, string Type, string? Actor, string? Causation, JsonElement Body, IReadOnlyList<JsonChange> Changes, JsonElement? State);

public sealed record TradeSteps(string Trade, bool More, IReadOnlyList<Step> Steps);
