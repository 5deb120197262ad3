namespace Antbot.ReadModels;

internal static class ViewTables
{
    public static IReadOnlyList<ViewTable> All { get; } = Enum.GetValues<ViewTable>();

    /// <summary>The table's name in a database: never made of anything that came from outside.</summary>
    public static string NameOf(ViewTable table) => table switch
    {
        ViewTable.Trades => "trades",
        ViewTable.Orders => "orders",
        ViewTable.Positions => "positions",
        ViewTable.Processes => "processes",
        ViewTable.Summaries => "summaries",
        _ => throw new ArgumentOutOfRangeException(nameof(table), table, "That is no read model."),
    };

    public static ViewQuery Checked(ViewQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return query.Limit is >= 1 and <= ViewQuery.LimitMax ? query : throw new ArgumentException($"A page has 1 to {ViewQuery.LimitMax} rows.", nameof(query));
    }

    /// <summary>The first text behind every one that begins so; ids are plain ASCII.</summary>
    public static string PrefixEnd(string prefix) => prefix + '\x7f';
}
