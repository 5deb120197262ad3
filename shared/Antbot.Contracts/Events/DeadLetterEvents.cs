namespace Antbot.Contracts.Events;

// What is recorded in `deadletter-{id}`: a message that nobody could work on, as it was, and what was done about it.

/// <summary>Who gave it up.</summary>
public enum DeadLetterKind
{
    /// <summary>The endpoint, after its attempts.</summary>
    Fault = 1,

    /// <summary>The endpoint at once: nobody there takes its type.</summary>
    Skipped = 2,

    /// <summary>The broker: it was given back too often.</summary>
    Broker = 3,
}

public enum DeadLetterStatus
{
    /// <summary>Nothing has been decided about it.</summary>
    New = 1,

    /// <summary>Somebody held that nothing is to come of it.</summary>
    Discarded = 2,

    /// <summary>It was sent once more, and what came of it is not known yet.</summary>
    Replaying = 3,

    /// <summary>What was decided on it is in the history.</summary>
    Replayed = 4,

    /// <summary>What would be sent once more is another message than the one that came. Nothing else has been decided about it.</summary>
    Edited = 5,

    /// <summary>Nothing was done about it for so long that nothing is to come of it any more.</summary>
    Expired = 6,
}

/// <summary>A header's type on the wire. What is stored and sent again has the one it came with.</summary>
public enum HeaderKind
{
    Nothing = 1,

    /// <summary>A text in UTF-8.</summary>
    Text = 2,

    /// <summary>A text by its type, but no UTF-8.</summary>
    RawText = 3,
    Bytes = 4,
    Boolean = 5,
    Int8 = 6,
    UInt8 = 7,
    Int16 = 8,
    UInt16 = 9,
    Int32 = 10,
    UInt32 = 11,
    Int64 = 12,
    Single = 13,
    Double = 14,
    Decimal = 15,

    /// <summary>Seconds since 1970.</summary>
    Timestamp = 16,

    /// <summary>What follows one step deeper is in it, by name.</summary>
    Table = 17,

    /// <summary>What follows one step deeper is in it, in order.</summary>
    List = 18,
}

/// <summary>One header, or one member of the table or list before it. Flat, because what comes from outside may be nested without end.</summary>
/// <param name="Depth">0 for a header itself.</param>
/// <param name="Name">Empty within a list. A NUL, which no store of JSON takes, is <c>\0</c>, a backslash <c>\\</c>; so in the texts of values.</param>
/// <param name="Value">Bytes in base64, numbers in invariant digits; empty where what follows is the value.</param>
public sealed record MessageHeader(int Depth, string Name, HeaderKind Kind, string Value);

/// <summary>What a message bore beside its body, untouched. Texts are written as those of <see cref="MessageHeader"/> are.</summary>
/// <param name="Timestamp">Seconds since 1970.</param>
public sealed record MessageProperties(
    string? MessageId, string? CorrelationId, string? ContentType, string? ContentEncoding, string? Type, string? ReplyTo, string? Expiration, string? UserId, string? AppId, string? ClusterId,
    int? DeliveryMode, int? Priority, long? Timestamp, IReadOnlyList<MessageHeader> Headers);

/// <summary>Bytes by what they are.</summary>
/// <param name="Sha256">In hexadecimal digits.</param>
public sealed record ContentHash(string Sha256, long Bytes);

/// <param name="Queue">Where it lay.</param>
/// <param name="Endpoint">Where it was going; empty where nobody can say.</param>
/// <param name="Message">Its id, where it bore one that can be found again.</param>
/// <param name="Trades">All that it is about: a parcel's messages are about many.</param>
/// <param name="Fingerprint">The same for all that failed at the same place in the same way, in every build.</param>
/// <param name="Properties">Null where they are too large for an event: then they lie, as JSON, under <paramref name="LargeProperties"/>.</param>
/// <param name="Body">Null where it is too large for an event: then it lies under <paramref name="Content"/>.</param>
[StoredName("dead_letter_kept")]
public sealed record DeadLetterKept(
    Guid Letter, string Queue, string Endpoint, DeadLetterKind Kind, Guid? Message, string MessageType, IReadOnlyList<TradeId> Trades,
    string FaultType, string FaultMessage, string Stack, int? Attempts, DateTimeOffset? FailedAt, string Build, string Fingerprint,
    MessageProperties? Properties, ContentHash? LargeProperties, byte[]? Body, ContentHash Content);

[StoredName("dead_letter_discarded")]
public sealed record DeadLetterDiscarded(Guid Letter, Guid Request, string Fingerprint, string Reason, string By);

/// <param name="Replay">Counts those of this letter, from 1.</param>
[StoredName("dead_letter_replay_ordered")]
public sealed record DeadLetterReplayOrdered(Guid Letter, Guid Request, string Fingerprint, int Replay, string Reason, string By);

/// <summary>The message within is another one from now on, under the same ids: that is what is sent once more. The bytes that came stay as they are.</summary>
/// <param name="Edit">Counts those of this letter, from 1.</param>
/// <param name="Patch">What was done to the message, as a JSON patch (RFC 6902).</param>
/// <param name="Before">What would have been sent until then.</param>
/// <param name="Body">Null where it is too large for an event: then it lies under <paramref name="After"/>.</param>
[StoredName("dead_letter_edited")]
public sealed record DeadLetterEdited(Guid Letter, Guid Request, string Fingerprint, int Edit, string Patch, ContentHash Before, ContentHash After, byte[]? Body, string Reason, string By);

/// <summary>It has been left alone for longer than letters are kept waiting.</summary>
[StoredName("dead_letter_expired")]
public sealed record DeadLetterExpired(Guid Letter, string Fingerprint, string Reason, string By);

/// <summary>It has an effect: an event of whoever it was going to, that was decided on this very message.</summary>
/// <param name="Sequence">Of that event.</param>
[StoredName("dead_letter_replayed")]
public sealed record DeadLetterReplayed(Guid Letter, string Fingerprint, int Replay, Guid Effect, string Stream, long Sequence);

/// <summary>It died again after it had been sent once more.</summary>
/// <param name="Cause">The fingerprint of how it died this time; the letter stays with those of its first death.</param>
[StoredName("dead_letter_returned")]
public sealed record DeadLetterReturned(
    Guid Letter, string Fingerprint, int Replay, Guid Returned, DeadLetterKind Kind, string FaultType, string FaultMessage, string Stack, int? Attempts, DateTimeOffset? FailedAt, string Build, string Cause);

/// <summary>It was sent once more, nobody was heard of it, and somebody would rather not wait: it is open again.</summary>
[StoredName("dead_letter_given_up")]
public sealed record DeadLetterGivenUp(Guid Letter, Guid Request, string Fingerprint, int Replay, string Reason, string By);

/// <param name="Command">What was wanted: discard, replay, give-up, edit.</param>
[StoredName("dead_letter_refused")]
public sealed record DeadLetterRefused(Guid Letter, Guid Request, string Command, string By, IReadOnlyList<Messages.Verdict> Verdicts);
