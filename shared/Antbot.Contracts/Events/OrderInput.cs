using System.Text.Json.Serialization;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;

namespace Antbot.Contracts.Events;

public enum OrderInputKind
{
    Enter = 1,
    GetOut = 2,

    /// <summary>An attempt was answered, with a report.</summary>
    Said = 3,
    Refused = 4,
    NotSent = 5,

    /// <summary>An attempt was sent, and no answer came that says.</summary>
    Unknown = 6,

    /// <summary>Nobody answers for an attempt: who sent it is gone.</summary>
    Unanswered = 7,
    Seen = 8,
    NotFound = 9,
    Proceed = 10,
    Correct = 11,
    Revalidate = 12,
    Propose = 13,
    Confirm = 14,
    Adopt = 15,
    WriteOff = 16,
}

/// <summary>
/// What a decision of Execution rested on, as its first event: with it, the state before and the time of the event everything that
/// follows can be decided again. What the kind has no use for is not written, nor what the decision's other events say in full.
/// </summary>
/// <param name="VenueTime">The venue's clock; null while it was never measured.</param>
/// <param name="Last">The newest price of the trade's symbol; null where there was none that is fresh.</param>
/// <param name="Market">What an entry would have paid, where it was not planned.</param>
[StoredName("order_input")]
public sealed record OrderInput(
    OrderInputKind Kind,
    int WindowMilliseconds,
    long ControlVersion,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? VenueTime = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? EntryBar = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? EntryHold = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Price? Last = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Price? Bid = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Price? Ask = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ClientOrderId? Order = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Attempt = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] OrderReport? Report = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Refusal? Refusal = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Code = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Text = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Evidence = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] TimeSpan? RetryAfter = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? AskedAt = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] SymbolRules? Rules = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Signal? Signal = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Money? Reserved = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Price? Market = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ExecutionPolicy? Policy = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] TradeId? Trade = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] AccountId? Account = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? Request = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? By = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] FoundOrder? Found = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Quantity? Quantity = null);
