using Spectre.Console;

namespace Antbot.Cli.Commands;

/// <summary>One look for all tables. What comes from events is escaped: it is no markup, and no terminal's control either.</summary>
internal static class Tables
{
    private const int WidthWhenNoTerminal = 200;

    public static Table New(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (var column in columns)
            table.AddColumn(new TableColumn(Markup.Escape(column)) { NoWrap = true });
        return table;
    }

    public static void Write(Table table)
    {
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = WidthWhenNoTerminal;
        AnsiConsole.Write(table);
    }

    public static string Time(DateTimeOffset at) => at == DateTimeOffset.UnixEpoch ? "" : $"{at.UtcDateTime:MM-dd HH:mm:ss}";

    /// <summary>Text from outside on one line of a terminal.</summary>
    public static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
