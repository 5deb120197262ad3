using System.Text.Json;

namespace Antbot.Fuzz;

/// <summary>What a run has done so far, in a file, so that the next one goes on from there.</summary>
/// <param name="Seed">Of the cases; those of another seed are other cases.</param>
public sealed record FuzzTally(long Seed, IReadOnlyList<FuzzResult> Results)
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, RespectRequiredConstructorParameters = true };

    /// <exception cref="JsonException">It is no tally, or that of another seed.</exception>
    public static FuzzTally Read(string path, long seed)
    {
        if (!File.Exists(path))
            return new FuzzTally(seed, []);
        var tally = JsonSerializer.Deserialize<FuzzTally>(File.ReadAllText(path), Json) ?? throw new JsonException($"There is no tally in {path}.");
        return tally.Seed == seed ? tally : throw new JsonException($"{path} is the tally of seed {tally.Seed}. Name another file for seed {seed}, or remove it.");
    }

    /// <summary>The old one or the new one, never half of one.</summary>
    public void Write(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllText($"{path}.new", JsonSerializer.Serialize(this, Json));
        File.Move($"{path}.new", path, overwrite: true);
    }
}
