using System.Text.Json;

namespace Antbot.Chaos.Checking;

/// <summary>A row of the store's events, every column of it.</summary>
/// <param name="At">Microseconds since 1970.</param>
internal sealed record EventRow(
    long Sequence, Guid Id, string Stream, long Version, byte[] Data, byte[]? Binary, string Type, long At, string? Tenant, string? ClrType,
    string? Correlation, string? Causation, byte[]? Headers, string? Actor, bool? Archived)
{
    private JsonElement? _body;

    public JsonElement Body => _body ??= JsonSerializer.Deserialize<JsonElement>(Data);
}

internal sealed record LedgerRow(long Position, long Sequence, Guid EventId, string? Correlation, byte[] Previous, byte[] Hash, bool Foreign);

internal sealed record StreamRow(string Id, long Version, bool? Archived);

internal sealed record Store(Guid Id, IReadOnlyList<EventRow> Events, IReadOnlyList<LedgerRow> Ledger, IReadOnlyList<StreamRow> Streams);

/// <summary>An order as the venue remembers it.</summary>
internal sealed record VenueOrder(string ClientId, long Id, string Symbol, string Side, string Status, decimal Quantity, decimal Executed);

/// <param name="Quote">What was paid or got for it, beside the fee.</param>
internal sealed record VenueFill(long Id, long Order, string Symbol, decimal Quantity, decimal Quote, decimal Fee, string FeeAsset, bool IsBuyer);

internal sealed record VenueLedger(IReadOnlyList<VenueOrder> Orders, IReadOnlyList<VenueFill> Fills, IReadOnlyDictionary<string, decimal> Balances, long Forgotten);

/// <param name="Waiting">Messages that are ready, and at rest those too that were delivered and not acknowledged; null where there is no such queue.</param>
internal sealed record QueueDepth(string Name, long? Waiting)
{
    /// <summary>Where there is no broker: what the process says that it has given up.</summary>
    public const string GivenUp = "given-up";

    public bool IsDeadLetters => Name == GivenUp || Name.EndsWith("_error", StringComparison.Ordinal) || Name.EndsWith("_skipped", StringComparison.Ordinal) || Name == "antbot-dead";
}

/// <summary>Everything that is judged.</summary>
/// <param name="Deposits">What the account held before anybody traded on it.</param>
/// <param name="Accepted">Trades whose sender was told that they are accepted.</param>
internal sealed record Evidence(Store Store, VenueLedger Venue, IReadOnlyDictionary<string, decimal> Deposits, IReadOnlyList<QueueDepth> Queues, IReadOnlyCollection<string> Accepted);
