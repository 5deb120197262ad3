using System.Text.Encodings.Web;
using System.Text.Json;
using Spectre.Console;

namespace Antbot.Benchmarks;

/// <param name="Peer">What does the same the plain way, measured in the same run.</param>
/// <param name="Limit">What cannot be beaten here, measured in the same run.</param>
/// <param name="Ratio">The value over its peer's, or what the floor is about.</param>
/// <param name="Floor">Null for a figure that is only shown.</param>
/// <param name="Target">A figure to aim at; it decides nothing.</param>
/// <param name="Server">Which server answered, with its version.</param>
public sealed record BenchRow(
    string Area,
    string Name,
    double Value,
    string Unit,
    double? Peer,
    double? Limit,
    double? Ratio,
    string? Floor,
    bool? Passed,
    double? Target,
    string Server,
    int Cores,
    string Cpu);

/// <summary>Collects the figures of a run, prints them as a table and keeps them as JSON.</summary>
public sealed class BenchReport(string area, Machine machine)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly List<BenchRow> _rows = [];

    public bool AllPassed => _rows.All(r => r.Passed is not false);

    /// <summary>The part of the report whose figures this server gives.</summary>
    public BenchSection Of(string server) => new(this, server);

    public void Write(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllText(path, JsonSerializer.Serialize(_rows, Json));
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
        Console.WriteLine($"{string.Join(", ", _rows.Select(r => r.Server).Distinct())}; {machine.Cores} cores of {machine.Cpu}");
        Console.WriteLine($"{_rows.Count(r => r.Passed is true)} passed, {_rows.Count(r => r.Passed is false)} failed");
    }

    internal void Add(string server, string name, double value, string unit, double? peer, double? limit, double? ratio, string? floor, bool? passed, double? target)
    {
        if (peer is null && limit is null)
            throw new ArgumentException($"'{name}' stands alone: without a peer or a limit of the same run a figure says nothing.", nameof(peer));
        if (_rows.Any(r => r.Name == name))
            throw new ArgumentException($"There is a figure '{name}' already.", nameof(name));
        _rows.Add(new BenchRow(area, name, value, unit, peer, limit, ratio, floor, passed, target, server, machine.Cores, machine.Cpu));
        Console.WriteLine($"  {name}: {Number(value)} {unit}{(ratio is null ? "" : $", ratio {Number(ratio)}")}{(floor is null ? "" : $" (floor {floor})")}");
    }

    private static string Number(double? value) => value switch
    {
        null => "",
        >= 1000 => $"{value:N0}",
        >= 10 => $"{value:0.0}",
        _ => $"{value:0.000}",
    };
}

/// <summary>Figures of one server.</summary>
public sealed class BenchSection(BenchReport report, string server)
{
    public void Show(string name, double value, string unit, double? peer = null, double? limit = null, double? target = null) =>
        report.Add(server, name, value, unit, peer, limit, peer is > 0 ? value / peer : null, floor: null, passed: null, target);

    /// <summary>The ratio, the value over its peer's where none is given, must be at least <paramref name="floor"/>.</summary>
    public void AtLeast(string name, double value, string unit, double floor, double peer, double? limit = null, double? ratio = null, double? target = null)
    {
        var compared = ratio ?? value / peer;
        report.Add(server, name, value, unit, peer, limit, compared, $">= {floor}", compared >= floor, target);
    }

    /// <summary>The value over its peer's must be at most <paramref name="ceiling"/>.</summary>
    public void AtMost(string name, double value, string unit, double ceiling, double peer, double? limit = null) =>
        report.Add(server, name, value, unit, peer, limit, value / peer, $"<= {ceiling}", value / peer <= ceiling, target: null);

    /// <summary>The value itself must be at most <paramref name="ceiling"/>.</summary>
    public void Within(string name, double value, string unit, double ceiling, double? peer = null, double? limit = null) =>
        report.Add(server, name, value, unit, peer, limit, peer is > 0 ? value / peer : null, $"value <= {ceiling}", value <= ceiling, target: null);
}
