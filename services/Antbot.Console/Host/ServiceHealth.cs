using Antbot.ReadModels;

namespace Antbot.ConsoleService;

/// <summary>Asks the services whose addresses it was given how they are, all at once and for a second at most.</summary>
internal sealed class ServiceHealth(ConsoleOptions options) : IDisposable
{
    private const string Ready = "ready";

    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(1), MaxResponseContentBufferSize = 64 * 1024 };

    public async Task<IReadOnlyList<ServiceReport>> AskAsync(IReadOnlyList<ServiceReport> known, CancellationToken cancellationToken)
    {
        var asked = await Task.WhenAll(options.Services.Select(async s => (Name: s.Key.ToLowerInvariant(), Says: await AskAsync(s.Value, cancellationToken))));
        var says = asked.ToDictionary(a => a.Name, a => a.Says, StringComparer.Ordinal);
        var never = says.Where(s => !known.Any(k => k.Service == s.Key)).Select(s => new ServiceReport(s.Key, Guid.Empty, "NeverStarted", "", 0, DateTimeOffset.UnixEpoch, s.Value));
        return [.. known.Select(k => k with { Health = says.GetValueOrDefault(k.Service) }), .. never];
    }

    public void Dispose() => _client.Dispose();

    /// <summary>Of several instances, how many are ready where not all of them are.</summary>
    private async Task<string> AskAsync(string addresses, CancellationToken cancellationToken)
    {
        var says = await Task.WhenAll(ConsoleOptions.Split(addresses).Select(a => AskOneAsync(new Uri(a), cancellationToken)));
        return says.Distinct(StringComparer.Ordinal).Count() == 1 ? says[0] : $"{says.Count(s => s == Ready)} of {says.Length} ready";
    }

    private async Task<string> AskOneAsync(Uri address, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await _client.GetAsync(address.AbsolutePath == "/" ? new Uri(address, "/readyz") : address, cancellationToken);
            return answer.IsSuccessStatusCode ? Ready : "not ready";
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return "does not answer";
        }
    }
}
