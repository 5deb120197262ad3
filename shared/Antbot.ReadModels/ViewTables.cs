namespace Antbot.ReadModels;

public static class ViewTables
{
    public const string Endpoint = "endpoint";
    public const string MessageType = "message_type";
    public const string Fingerprint = "fingerprint";
    public const string Actor = "actor";

    /// <summary>Dead letters about which was decided otherwise while a copy was on its way.</summary>
    public const string Astray = "astray";

    private const string Columns = "id, sequence, trade, account, symbol, state, at, changed_at, document";

    internal static IReadOnlyList<ViewTable> All { get; } = Enum.GetValues<ViewTable>();

    /// <summary>The columns of a table beside those that all have.</summary>
    public static IReadOnlyList<string> SearchedBy(ViewTable table) => table switch
    {
        ViewTable.DeadLetters => [Endpoint, MessageType, Fingerprint, Astray],
        ViewTable.DeadLetterGroups => [Endpoint, MessageType],
        ViewTable.Actions => [Actor],
        _ => [],
    };

    internal static string ColumnsOf(ViewTable table) => string.Join(", ", SearchedBy(table).Prepend(Columns));

    /// <summary>The table's name in a database: never made of anything that came from outside.</summary>
    internal static string NameOf(ViewTable table) => table switch
    {
        ViewTable.Trades => "trades",
        ViewTable.Orders => "orders",
        ViewTable.Positions => "positions",
        ViewTable.Processes => "processes",
        ViewTable.Summaries => "summaries",
        ViewTable.DeadLetters => "dead_letters",
        ViewTable.DeadLetterGroups => "dead_letter_groups",
        ViewTable.Mentions => "mentions",
        ViewTable.Actions => "actions",
        _ => throw new ArgumentOutOfRangeException(nameof(table), table, "That is no read model."),
    };

    internal static ViewQuery Checked(ViewTable table, ViewQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        if (query.Search.Keys.FirstOrDefault(k => !SearchedBy(table).Contains(k, StringComparer.Ordinal)) is { } unknown)
            throw new ArgumentException($"{table} is not searched by '{unknown}'.", nameof(query));
        return query.Limit is >= 1 and <= ViewQuery.LimitMax ? query : throw new ArgumentException($"A page has 1 to {ViewQuery.LimitMax} rows.", nameof(query));
    }

    /// <summary>The first text behind every one that begins so; ids are plain ASCII.</summary>
    internal static string PrefixEnd(string prefix) => prefix + '\x7f';
}
