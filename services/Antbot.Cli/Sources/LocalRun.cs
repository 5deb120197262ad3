using System.Text.Json;

namespace Antbot.Cli.Sources;

/// <summary>The venue that is traded at, and where its key lies.</summary>
internal sealed record LocalVenue(string Address, string KeyFile, string SecretFile, bool Paper);

/// <summary>What a platform that runs here has written down for the command line: the newer of <c>.local/console.json</c> and <c>.local/up/console.json</c>.</summary>
/// <param name="Address">The Console.</param>
/// <param name="Signals">Where signals are taken.</param>
/// <param name="Store">The store itself, for when nothing else answers.</param>
/// <param name="Recording">The folder with the traffic with the venue.</param>
internal sealed record LocalRun(string? Address, string? TokenFile, string? Signals, string? SignalKeyFile, string? Store, LocalVenue? Venue = null, string? Recording = null)
{
    private const int BytesMax = 64 * 1024;

    private static readonly JsonSerializerOptions Loose = new() { PropertyNameCaseInsensitive = true };

    public static LocalRun None { get; } = new(null, null, null, null, null);

    public static LocalRun Find()
    {
        var file = new[] { ".local/console.json", ".local/up/console.json" }.Select(f => new FileInfo(f)).Where(f => f.Exists).MaxBy(f => f.LastWriteTimeUtc);
        try
        {
            return file is null || file.Length > BytesMax ? None : JsonSerializer.Deserialize<LocalRun>(File.ReadAllBytes(file.FullName), Loose) ?? None;
        }
        catch (JsonException e)
        {
            throw new CommandException("File", $"'{file}' is not what a running platform writes ({e.Message}). Say --console or --store, or delete it.");
        }
    }
}
