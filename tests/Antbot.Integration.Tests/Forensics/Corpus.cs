using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Antbot.EventStore.Proof;
using Antbot.Forensics;
using Antbot.Runtime.Store;

namespace Antbot.Integration.Tests.Forensics;

/// <summary>
/// The decisions that are committed: histories as exports, and beside them, in <c>accepted.jsonl</c>, what has been decided otherwise on
/// purpose since they were made, a line a decision.
/// </summary>
internal static class Corpus
{
    private const string AcceptedName = "accepted.jsonl";

    private static readonly JsonSerializerOptions Lines = new(EventCodec.JsonForPeople) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Folder { get; } = Path.Combine(RepositoryFolder.Root, "tests", "Antbot.Integration.Tests", "Forensics", "corpus");

    /// <summary>In the order of their names.</summary>
    public static IReadOnlyList<string> Histories => [.. Directory.EnumerateFiles(Folder, "*.jsonl").Where(f => Path.GetFileName(f) != AcceptedName).Order(StringComparer.Ordinal)];

    public static string AcceptedFile => Path.Combine(Folder, AcceptedName);

    public static IReadOnlyList<string> Accepted => File.Exists(AcceptedFile) ? [.. File.ReadLines(AcceptedFile, Encoding.UTF8)] : [];

    public static async Task<IReadOnlyList<StoredEvent>> ReadAsync(string history, CancellationToken cancellationToken)
    {
        await using var input = File.OpenRead(history);
        var events = new List<StoredEvent>();
        await foreach (var page in new ExportReader(input).ReadPagesAsync(HistoryPages.Size, cancellationToken))
            events.AddRange(page);
        return events;
    }

    public static async Task<RedecisionReport> DecideAgainAsync(string history, RedecisionOptions options, CancellationToken cancellationToken)
    {
        await using var input = File.OpenRead(history);
        return await Redecision.RunAsync(new ExportReader(input).ReadPagesAsync(HistoryPages.Size, cancellationToken), options, cancellationToken: cancellationToken);
    }

    /// <summary>A line for people: which decision, what it came to and what it comes to, or where both differ.</summary>
    public static string Told(string line)
    {
        var d = JsonElement.Parse(line);
        string Names(string of) => string.Join(", ", d.GetProperty(of).EnumerateArray().Select(e => e.GetProperty("Type").GetString()));
        var changes = d.GetProperty("Changes").EnumerateArray().Select(c => c.GetString()).ToList();
        var what = changes.Count > 0 ? string.Join("; ", changes) : d.GetProperty("Refusal").GetString() is { } refusal ? $"was {Names("Was")}, is refused: {refusal}" : $"was {Names("Was")}, is {Names("Is")}";
        return $"{d.GetProperty("History").GetString()} {d.GetProperty("Stream").GetString()} v{d.GetProperty("Version").GetInt64()}, {d.GetProperty("Service").GetString()} on {d.GetProperty("Input").GetString()}: {what}";
    }

    /// <summary>Everything that is decided otherwise, a line each, in a stable order.</summary>
    public static async Task<IReadOnlyList<string>> DifferencesAsync(RedecisionOptions options, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        foreach (var history in Histories)
        {
            var report = await DecideAgainAsync(history, options with { DifferencesMax = int.MaxValue }, cancellationToken);
            lines.AddRange(report.Differences.Select(d => JsonSerializer.Serialize(
                new { History = Path.GetFileNameWithoutExtension(history), d.Stream, d.Version, d.Service, d.Input, d.Refusal, d.Changes, d.Was, d.Is }, Lines)));
        }
        return lines;
    }
}
