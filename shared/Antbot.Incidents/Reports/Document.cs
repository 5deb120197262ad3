using System.Globalization;

namespace Antbot.Incidents.Reports;

/// <summary>A page for people, before it is written in one notation or another: whoever writes it makes every text harmless there.</summary>
internal sealed record Document(string Title, IReadOnlyList<Section> Sections);

/// <param name="Lines">A paragraph each.</param>
internal sealed record Section(string Heading, IReadOnlyList<string> Lines, Grid? Grid = null);

internal sealed record Grid(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows);

/// <summary>What goes into every page alike: no control of a terminal, no turned writing, one line.</summary>
internal static class PlainText
{
    private const int LengthMax = 1_000;

    public static string Of(string text)
    {
        var line = string.Concat(text.Select(c => char.IsControl(c) || char.IsSurrogate(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse ? ' ' : c)).Trim();
        return line.Length <= LengthMax ? line : $"{line[..(LengthMax - 1)]}…";
    }
}
