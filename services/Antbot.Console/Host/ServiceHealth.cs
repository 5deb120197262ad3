using System.Text.Json;
using Antbot.Hosting;
using Antbot.ReadModels;

namespace Antbot.ConsoleService;

/// <summary>Asks the services whose addresses it was given how they are, all at once and for a second at most.</summary>
internal sealed class ServiceHealth(ConsoleOptions options, IDegradation own) : IDisposable
{
    private const string Ready = "ready";
    private const string LevelName = "degradation_level";

    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(1), MaxResponseContentBufferSize = 64 * 1024 };

    /// <summary>What each says, and the level of all together: that of the worst, this process among them.</summary>
    public async Task<(IReadOnlyList<ServiceReport> Services, DegradationLevel Level)> AskAsync(IReadOnlyList<ServiceReport> known, CancellationToken cancellationToken)
    {
        var asked = await Task.WhenAll(options.Services.Select(async s => (Name: s.Key.ToLowerInvariant(), Instances: await AskAsync(s.Value, cancellationToken))));
        var says = asked.ToDictionary(a => a.Name, a => SayingOf(a.Instances), StringComparer.Ordinal);
        var never = says.Where(s => !known.Any(k => k.Service == s.Key)).Select(s => new ServiceReport(s.Key, Guid.Empty, "NeverStarted", "", 0, DateTimeOffset.UnixEpoch, s.Value));
        return ([.. known.Select(k => k with { Health = says.GetValueOrDefault(k.Service) }), .. never], asked.Select(a => LevelOf(a.Instances)).Append(own.Level).Max());
    }

    public void Dispose() => _client.Dispose();

    private Task<Answer[]> AskAsync(string addresses, CancellationToken cancellationToken) =>
        Task.WhenAll(ConsoleOptions.Split(addresses).Select(a => AskOneAsync(new Uri(a), cancellationToken)));

    /// <summary>Of several instances, how many are ready where not all of them are.</summary>
    private static string SayingOf(Answer[] instances) =>
        instances.Select(i => i.Says).Distinct(StringComparer.Ordinal).Count() == 1 ? instances[0].Says : $"{instances.Count(i => i.Says == Ready)} of {instances.Length} ready";

    /// <summary>While one instance does everything, the service is no worse than reduced.</summary>
    private static DegradationLevel LevelOf(Answer[] instances)
    {
        var (best, worst) = (instances.Min(i => i.Level), instances.Max(i => i.Level));
        return best == DegradationLevel.Normal && worst != best ? DegradationLevel.Reduced : best;
    }

    private async Task<Answer> AskOneAsync(Uri address, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await _client.GetAsync(address.AbsolutePath == "/" ? new Uri(address, "/readyz") : address, cancellationToken);
            var said = LevelIn(await answer.Content.ReadAsByteArrayAsync(cancellationToken));
            // One that only starts takes itself for normal; to the others it is missing.
            return answer.IsSuccessStatusCode ? new Answer(Ready, said) : new Answer("not ready", said > DegradationLevel.Minimal ? said : DegradationLevel.Minimal);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return new Answer("does not answer", DegradationLevel.Minimal);
        }
    }

    /// <summary>Normal where it says none: a venue does not.</summary>
    private static DegradationLevel LevelIn(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(LevelName, out var said) && said.ValueKind == JsonValueKind.String
                && Enum.TryParse<DegradationLevel>(said.GetString(), ignoreCase: true, out var level) && Enum.IsDefined(level)
                ? level
                : DegradationLevel.Normal;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return DegradationLevel.Normal;
        }
    }

    private readonly record struct Answer(string Says, DegradationLevel Level);
}
