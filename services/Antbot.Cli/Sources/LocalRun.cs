using System.Text.Json;

namespace Antbot.Cli.Sources;

/// <summary>What a platform that runs here has written down for the command line, in <c>.local/console.json</c>.</summary>
/// <param name="Address">The Console.</param>
/// <param name="Signals">Where signals are taken.</param>
/// <param name="Store">The store itself, for when nothing else answers.</param>
internal sealed record LocalRun(string? Address, string? TokenFile, string? Signals, string? SignalKeyFile, string? Store)
{
    private const string FileName = ".local/console.json";
    private const int BytesMax = 64 * 1024;

    private static readonly JsonSerializerOptions Loose = new() { PropertyNameCaseInsensitive = true };

    public static LocalRun None { get; } = new(null, null, null, null, null);

    public static LocalRun Find()
    {
        try
        {
            if (!File.Exists(FileName) || new FileInfo(FileName).Length > BytesMax)
                return None;
            return JsonSerializer.Deserialize<LocalRun>(File.ReadAllBytes(FileName), Loose) ?? None;
        }
        catch (JsonException e)
        {
            throw new CommandException("File", $"'{FileName}' is not what a running platform writes ({e.Message}). Say --console or --store, or delete it.");
        }
    }
}
