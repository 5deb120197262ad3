using System.Text.Json;

namespace Antbot.ReadModels;

public enum ViewTable
{
    Trades = 1,
    Orders = 2,
    Positions = 3,
    Processes = 4,
    Summaries = 5,
    DeadLetters = 6,
    DeadLetterGroups = 7,
    Mentions = 8,
    Actions = 9,
}

public readonly record struct RowKey(ViewTable Table, string Id);

/// <summary>One row of a read model: what is searched for, and the whole as a document.</summary>
/// <param name="Sequence">The last event that went into it.</param>
/// <param name="At">When it began; lists are ordered by it, the newest first.</param>
public sealed record ViewRow(
    ViewTable Table, string Id, long Sequence, string? Trade, string? Account, string? Symbol, string State, DateTimeOffset At, DateTimeOffset ChangedAt, ReadOnlyMemory<byte> Document)
{
    /// <summary>What else it is searched by, in the order of <see cref="ViewTables.SearchedBy"/>.</summary>
    public IReadOnlyList<string?> Search { get; init; } = [];

    public RowKey Key => new(Table, Id);

    public T As<T>() => JsonSerializer.Deserialize<T>(Document.Span, ReadModelJson.Options) ?? throw new JsonException($"The row {Id} of {Table} is null.");
}

/// <param name="States">Any of them; empty for all.</param>
/// <param name="After">The id of the last row of the page before.</param>
public sealed record ViewQuery(
    IReadOnlyList<string> States, string? Symbol = null, string? Account = null, string? Trade = null, string? IdPrefix = null, string? After = null, int Limit = 100)
{
    public const int LimitMax = 1_000;

    /// <summary>What else must be so, by the names of <see cref="ViewTables.SearchedBy"/>.</summary>
    public IReadOnlyDictionary<string, string> Search { get; init; } = new Dictionary<string, string>();

    /// <summary>When it began at the earliest.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>When it began at the latest.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>When it changed last, at the earliest.</summary>
    public DateTimeOffset? ChangedSince { get; init; }

    public bool OldestFirst { get; init; }

    public static ViewQuery All { get; } = new([]);
}

/// <summary>
/// Where read models are kept: derived from the events, thrown away at will. Rows and the place in history that they stand for change together or not at
/// all, so that no event is left out or counted twice, however often it is handed in.
/// </summary>
public interface IReadModels : IAsyncDisposable
{
    /// <summary>The sequence of the last event that is in them; 0 where none is.</summary>
    Task<long> ReadPositionAsync(CancellationToken cancellationToken = default);

    Task<IReadOnlyDictionary<RowKey, ViewRow>> FindAsync(IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken = default);

    /// <summary>Writes the rows and moves from one position to another; false, and nothing is done, where they stand elsewhere by now.</summary>
    Task<bool> ApplyAsync(long from, long to, IReadOnlyCollection<ViewRow> rows, CancellationToken cancellationToken = default);

    /// <summary>Forgets everything; whoever keeps them begins at the first event.</summary>
    Task ClearAsync(CancellationToken cancellationToken = default);

    /// <summary>The newest first, unless it is asked for otherwise.</summary>
    Task<IReadOnlyList<ViewRow>> ListAsync(ViewTable table, ViewQuery query, CancellationToken cancellationToken = default);
}

public static class ReadModelsExtensions
{
    public static async Task<ViewRow?> FindAsync(this IReadModels models, ViewTable table, string id, CancellationToken cancellationToken = default) =>
        (await models.FindAsync([new RowKey(table, id)], cancellationToken)).GetValueOrDefault(new RowKey(table, id));
}
