using System.Text.Json;
using Antbot.Chaos.Running;

namespace Antbot.Chaos;

/// <summary>How far a long run of kills has come. It is on disk after each batch.</summary>
/// <param name="Seed">What the choices of victims and moments are made from; when processes really die is up to the machine.</param>
/// <param name="Barren">So many batches in a row, up to now, in which nobody could be killed.</param>
internal sealed record KillTally(int Seed, int Kills, int Batches, long Trades, IReadOnlyDictionary<string, int> ByVictim, IReadOnlyList<string> Failures, int Barren = 0)
{
    private const int BarrenMax = 3;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static KillTally Empty(int seed) => new(seed, 0, 0, 0, new SortedDictionary<string, int>(StringComparer.Ordinal), []);

    /// <summary>Nothing here can be killed, and going on for ever would not help.</summary>
    public bool IsHopeless => Barren >= BarrenMax;

    /// <param name="failure">Null where the batch passed.</param>
    public KillTally After(IReadOnlyDictionary<string, int> killed, int trades, string? failure) => this with
    {
        Kills = Kills + killed.Values.Sum(),
        Batches = Batches + 1,
        Trades = Trades + trades,
        ByVictim = new SortedDictionary<string, int>(ByVictim.Keys.Union(killed.Keys, StringComparer.Ordinal).ToDictionary(v => v, v => ByVictim.GetValueOrDefault(v) + killed.GetValueOrDefault(v), StringComparer.Ordinal), StringComparer.Ordinal),
        Failures = failure is null ? Failures : [.. Failures, failure],
        Barren = killed.Values.Sum() == 0 ? Barren + 1 : 0,
    };

    /// <summary>What is left to go on from; null where there is nothing, or that run has come to its end.</summary>
    public static KillTally? Read(string file, int goal)
    {
        try
        {
            return File.Exists(file) && JsonSerializer.Deserialize<KillTally>(File.ReadAllText(file), Json) is { } before && before.Kills < goal ? before : null;
        }
        catch (JsonException e)
        {
            throw new ChaosException($"{file} is no tally of kills: {e.Message} Remove it to begin afresh.");
        }
    }

    /// <summary>The old one or the new one, never half of one.</summary>
    public void Write(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file + ".new", JsonSerializer.Serialize(this, Json));
        File.Move(file + ".new", file, overwrite: true);
    }
}
