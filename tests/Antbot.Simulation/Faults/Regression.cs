using System.Text.Json;
using System.Text.Json.Serialization;
using Antbot.Simulation.World;

namespace Antbot.Simulation.Faults;

/// <summary>A plan that once found something, kept so that it is run for ever.</summary>
/// <param name="Prevents">What must not come back.</param>
/// <param name="Shows">What the plan broke when it was found.</param>
/// <param name="Bug">The mistake on purpose under which the plan breaks it still, so that it is known to be able to.</param>
/// <param name="Meets">Where no mistake on purpose shows it: what its run has to record, by its stored name, or to count, or it comes no longer where it was found.</param>
public sealed record Regression(
    string Prevents, Invariant Shows, string? Bug, Plan Plan, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Meets = null)
{
    private const string Suffix = ".json";

    [JsonIgnore]
    public string Name { get; private init; } = "";

    /// <summary>Those beside the code, in the folder of this name.</summary>
    public static IReadOnlyList<Regression> All { get; } = Read();

    /// <summary>It has to fail, or nothing that passes proves anything.</summary>
    public static Regression Canary => All.First(r => r.Name == "canary");

    public static Regression Read(string text) => JsonSerializer.Deserialize<Regression>(text, Plan.Json) ?? throw new JsonException("There is no regression in it.");

    public string Write() => JsonSerializer.Serialize(this, Plan.Json) + "\n";

    /// <summary>What is wrong with it, or null.</summary>
    public string? Fault()
    {
        if (Plan.Faults.Count > Shrinker.FaultsMax)
            return $"a plan of {Plan.Faults.Count} faults is not a small one: {Shrinker.FaultsMax} are the most";
        var clean = SimRun.LookingFor(Shows, Plan);
        if (!clean.Passed)
            return $"{Prevents}: {clean.Violations[0]}";
        return Bug is null ? FaultWithout(clean) : FaultUnder(Bugs.Find(Bug), clean);
    }

    private string? FaultUnder(Bug bug, SimResult clean)
    {
        var shown = SimRun.LookingFor(Shows, Plan, bug);
        return bug.Shows != Shows ? $"'{Bug}' breaks {bug.Shows}, and the plan was kept because it broke {Shows}"
            : !bug.IsShownBy(shown.Violations) ? $"under '{Bug}' it has to break {Shows}, and {(shown.Passed ? "passes" : $"breaks another: {shown.Violations[0]}")}"
            : NeverHappened(clean.Tally.Faults.Union(shown.Tally.Faults));
    }

    private string? FaultWithout(SimResult clean)
    {
        if (Meets is not { Count: > 0 } meets)
            return "it names neither a mistake on purpose under which it fails nor what its run has to meet: nobody would see that it shows nothing any more";
        return meets.FirstOrDefault(m => !clean.HasMet(m)) is { } missed ? $"its run has to meet '{missed}', and does not" : NeverHappened(clean.Tally.Faults);
    }

    private string? NeverHappened(IEnumerable<Fault> happened) => Plan.Faults.Except(happened).FirstOrDefault() is { } never ? $"it has come apart from the code: {never} never happened" : null;

    private static List<Regression> Read()
    {
        var assembly = typeof(Regression).Assembly;
        var all = new List<Regression>();
        foreach (var resource in assembly.GetManifestResourceNames().Where(n => n.EndsWith(Suffix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            var read = JsonSerializer.Deserialize<Regression>(stream, Plan.Json) ?? throw new JsonException($"{resource} is empty.");
            all.Add(read with { Name = resource[..^Suffix.Length] });
        }
        return all;
    }
}
