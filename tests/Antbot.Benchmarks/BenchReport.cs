using System.Text.Json;
using Spectre.Console;

namespace Antbot.Benchmarks;

/// <param name="Peer">What does the same the plain way, measured in the same run.</param>
/// <param name="Limit">What cannot be beaten here, measured in the same run.</param>
/// <param name="Ratio">What the floor is about, for example the value over the peer's.</param>
/// <param name="Floor">Null for a figure that is only shown.</param>
/// <param name="Target">A figure to aim at; it decides nothing.</param>
public sealed record BenchRow(
    string Area, string Name, double Value, string Unit, double? Peer, double? Limit, double? Ratio, string? Floor, bool? Passed, double? Target);

/// <summary>Collects the figures of a run, prints them as a table and keeps them as <c>artifacts/bench.json</c>.</summary>
public sealed class BenchReport(string area)
{
    private readonly List<BenchRow> _rows = [];

    public bool AllPassed => _rows.All(r => r.Passed is not false);

    public void Show(string name, double value, string unit, double? peer = null, double? limit = null, double? target = null) =>
        Add(new BenchRow(area, name, value, unit, peer, limit, peer is > 0 ? value / peer : null, null, null, target));

    /// <summary>The ratio must be at least <paramref name="floor"/>.</summary>
    public void AtLeast(string name, double value, string unit, double ratio, double floor, double? peer = null, double? limit = null, double? target = null) =>
        Add(new BenchRow(area, name, value, unit, peer, limit, ratio, $">= {floor}", ratio >= floor, target));

    /// <summary>The ratio must be at most <paramref name="ceiling"/>.</summary>
    public void AtMost(string name, double value, string unit, double ratio, double ceiling, double? peer = null, double? limit = null, double? target = null) =>
        Add(new BenchRow(area, name, value, unit, peer, limit, ratio, $"<= {ceiling}", ratio <= ceiling, target));

    public void Write(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllText(path, JsonSerializer.Serialize(_rows, new JsonSerializerOptions(JsonSerializerDefaults.Web) { WriteIndented = true }));
    }

    public void Print()
    {
        var table = new Table().Border(TableBorder.Ascii2).AddColumns("figure", "value", "unit", "peer", "limit", "ratio", "floor", "target", "");
        foreach (var column in table.Columns.Skip(1).Take(1).Concat(table.Columns.Skip(3).Take(3)))
            column.RightAligned();
        foreach (var r in _rows)
            table.AddRow(Markup.Escape(r.Name), Number(r.Value), r.Unit, Number(r.Peer), Number(r.Limit), Number(r.Ratio), r.Floor ?? "", Number(r.Target), r.Passed switch { true => "ok", false => "SHORT", null => "" });
        AnsiConsole.Profile.Width = 160;
        AnsiConsole.Write(table);
        Console.WriteLine($"{_rows.Count(r => r.Passed is true)} passed, {_rows.Count(r => r.Passed is false)} failed");
    }

    private void Add(BenchRow row)
    {
        _rows.Add(row);
        Console.WriteLine($"  {row.Name}: {Number(row.Value)} {row.Unit}{(row.Ratio is null ? "" : $", ratio {Number(row.Ratio)}")}{(row.Floor is null ? "" : $" (floor {row.Floor})")}");
    }

    private static string Number(double? value) => value switch
    {
        null => "",
        >= 1000 => $"{value:N0}",
        >= 10 => $"{value:0.0}",
        _ => $"{value:0.000}",
    };
}
