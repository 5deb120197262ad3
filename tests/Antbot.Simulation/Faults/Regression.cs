using System.Text.Json;
using System.Text.Json.Serialization;
using Antbot.Simulation.World;

namespace Antbot.Simulation.Faults;

/// <summary>A plan that once found something, kept so that it is run for ever.</summary>
/// <param name="Prevents">What must not come back.</param>
/// <param name="Bug">The mistake on purpose under which the plan fails still, so that it is known to be able to.</param>
public sealed record Regression(string Prevents, string? Bug, Plan Plan)
{
    private const string Suffix = ".json";

    [JsonIgnore]
    public string Name { get; private init; } = "";

    /// <summary>Those beside the code, in the folder of this name.</summary>
    public static IReadOnlyList<Regression> All { get; } = Read();

    /// <summary>It has to fail, or nothing that passes proves anything.</summary>
    public static Regression Canary => All.First(r => r.Name == "canary");

    public string Write() => JsonSerializer.Serialize(this, Plan.Json) + "\n";

    /// <summary>What is wrong with it, or null.</summary>
    public string? Fault()
    {
        var clean = SimRun.Of(Plan);
        if (!clean.Passed)
            return $"{Prevents}: {clean.Violations[0]}";
        return Bug is null || !SimRun.Of(Plan, Bugs.Find(Bug)).Passed ? null : $"under '{Bug}' it has to fail, and passes";
    }

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
