using System.Text.Json;
using Antbot.Kernel.Time;

namespace Antbot.Runtime.Venue;

/// <summary>
/// Until when which venue wants us to wait, in a file beside the store of one process: whoever starts again within a ban and asks is shut
/// out for longer. Of a file that cannot be read nothing is known; who asks then is told again.
/// </summary>
public sealed class KeptWaits(string path)
{
    private const int BytesMax = 64 * 1024;

    /// <param name="ToldAt">By our clock, as the other.</param>
    private sealed record Kept(DateTimeOffset ToldAt, DateTimeOffset Until);

    /// <summary>What is left of each. A clock that was set back makes none longer than it was.</summary>
    public IReadOnlyDictionary<string, TimeSpan> Read(DateTimeOffset now) => ReadAll()
        .Select(k => (Venue: k.Key, Left: new[] { k.Value.Until - now, k.Value.Until - k.Value.ToldAt, ToldToWait.Longest }.Min()))
        .Where(k => k.Left > TimeSpan.Zero)
        .ToDictionary(k => k.Venue, k => k.Left, StringComparer.Ordinal);

    /// <summary>A longer wait stands. Throws where it cannot be written.</summary>
    public void Write(string venue, TimeSpan wait, DateTimeOffset now)
    {
        var left = Read(now);
        var all = ReadAll().Where(k => left.ContainsKey(k.Key)).ToDictionary(k => k.Key, k => k.Value, StringComparer.Ordinal);
        if (left.TryGetValue(venue, out var known) && known >= wait)
            return;
        all[venue] = new Kept(now, now + wait);
        if (Path.GetDirectoryName(path) is { Length: > 0 } folder)
            Directory.CreateDirectory(folder);
        var fresh = $"{path}.{Environment.ProcessId}.new";
        using (var file = new FileStream(fresh, FileMode.Create, FileAccess.Write))
        {
            JsonSerializer.Serialize(file, all);
            file.Flush(flushToDisk: true);
        }
        File.Move(fresh, path, overwrite: true);
    }

    private IReadOnlyDictionary<string, Kept> ReadAll()
    {
        try
        {
            return new FileInfo(path) is { Exists: true, Length: <= BytesMax } && JsonSerializer.Deserialize<Dictionary<string, Kept>>(File.ReadAllBytes(path)) is { } all
                ? all.Where(k => k.Value is not null).ToDictionary(k => k.Key, k => k.Value, StringComparer.Ordinal)
                : new Dictionary<string, Kept>(StringComparer.Ordinal);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return new Dictionary<string, Kept>(StringComparer.Ordinal);
        }
    }
}
