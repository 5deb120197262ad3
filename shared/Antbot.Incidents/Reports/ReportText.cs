using System.Globalization;
using System.Net;
using System.Text;

namespace Antbot.Incidents.Reports;

/// <summary>A report as a page to read from top to bottom. Whatever stands in events is a text there, and nothing else.</summary>
public static class ReportText
{
    private const string MarksOfMarkdown = "\\`*_{}[]()<>#|!&~@$^";

    /// <summary>Looks alike in light and dark, and on paper; loads nothing and runs nothing.</summary>
    private const string Style = """
        body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
        h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #8886}
        .grid{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.85rem}
        th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #8884}
        td:first-child{white-space:nowrap}td{overflow-wrap:anywhere;min-width:4rem}
        @media print{body{margin:0;max-width:none}}
        """;

    public static string Html(IncidentReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var document = ReportPage.Of(report);
        var html = new StringBuilder();
        html.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
        html.Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        html.Append(CultureInfo.InvariantCulture, $"<title>{Escaped(document.Title)}</title>\n<style>\n{Style}\n</style>\n</head>\n<body>\n<h1>{Escaped(document.Title)}</h1>\n");
        foreach (var section in document.Sections)
        {
            html.Append(CultureInfo.InvariantCulture, $"<h2>{Escaped(section.Heading)}</h2>\n");
            foreach (var line in section.Lines)
                html.Append(CultureInfo.InvariantCulture, $"<p>{Escaped(line)}</p>\n");
            if (section.Grid is not { } grid)
                continue;
            html.Append(CultureInfo.InvariantCulture, $"<div class=\"grid\"><table>\n<thead><tr>{string.Concat(grid.Columns.Select(c => $"<th scope=\"col\">{Escaped(c)}</th>"))}</tr></thead>\n<tbody>\n");
            foreach (var row in grid.Rows)
                html.Append(CultureInfo.InvariantCulture, $"<tr>{string.Concat(row.Select(c => $"<td>{Escaped(c)}</td>"))}</tr>\n");
            html.Append("</tbody></table></div>\n");
        }
        return html.Append("</body>\n</html>\n").ToString();
    }

    public static string Markdown(IncidentReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var document = ReportPage.Of(report);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {Marked(document.Title)}\n");
        foreach (var section in document.Sections)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {Marked(section.Heading)}\n");
            foreach (var line in section.Lines)
                text.Append(CultureInfo.InvariantCulture, $"\n{Marked(line)}\n");
            if (section.Grid is not { } grid)
                continue;
            text.Append(CultureInfo.InvariantCulture, $"\n{Row(grid.Columns)}{Row(grid.Columns.Select(_ => "---"), isRule: true)}");
            foreach (var row in grid.Rows)
                text.Append(Row(row));
        }
        return text.ToString();
    }

    private static string Row(IEnumerable<string> cells, bool isRule = false) => $"| {string.Join(" | ", cells.Select(c => isRule ? c : Marked(c)))} |\n";

    private static string Escaped(string text) => WebUtility.HtmlEncode(PlainText.Of(text));

    /// <summary>Nothing in it is a mark, an address to follow, or the beginning of a list.</summary>
    private static string Marked(string text)
    {
        var marked = new StringBuilder();
        var plain = PlainText.Of(text);
        for (var i = 0; i < plain.Length; i++)
        {
            var isAddress = (plain[i] == ':' && i + 1 < plain.Length && plain[i + 1] == '/') || (plain[i] == '.' && i >= 3 && plain.AsSpan(i - 3, 3).Equals("www", StringComparison.OrdinalIgnoreCase));
            var beginsList = (i == 0 && plain[i] is '-' or '+' or '=') || (plain[i] is '.' && i > 0 && plain.AsSpan(0, i).IndexOfAnyExceptInRange('0', '9') < 0);
            if (MarksOfMarkdown.Contains(plain[i], StringComparison.Ordinal) || isAddress || beginsList)
                marked.Append('\\');
            marked.Append(plain[i]);
        }
        return marked.ToString();
    }
}
