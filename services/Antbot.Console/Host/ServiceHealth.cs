using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Antbot.Hosting;
using Antbot.ReadModels;
using Antbot.Resilience;

namespace Antbot.ConsoleService;

/// <summary>Asks the services whose addresses it was given how they are, all at once and for a second at most.</summary>
internal sealed class ServiceHealth(ConsoleOptions options, IDegradation own, BreakerPanel breakers) : IDisposable
{
    private const string Ready = "ready";
    private const string Silent = "does not answer";
    private const int InstancesMax = 32;
    private const string LevelName = "degradation_level";
    private const string BreakersName = "breakers";
    private const int BreakersMax = 50;
    private const int NameLengthMax = 100;

    private static readonly TimeSpan ResolveWithin = TimeSpan.FromSeconds(1);

    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(1), MaxResponseContentBufferSize = 64 * 1024 };

    /// <summary>What each says, and the level of all together: that of the worst, this process among them.</summary>
    public async Task<(IReadOnlyList<ServiceReport> Services, DegradationLevel Level)> AskAsync(IReadOnlyList<ServiceReport> known, CancellationToken cancellationToken)
    {
        var asked = await AskAllAsync(cancellationToken);
        var says = asked.ToDictionary(a => a.Name, a => SayingOf(a.Instances), StringComparer.Ordinal);
        var never = says.Where(s => !known.Any(k => k.Service == s.Key)).Select(s => new ServiceReport(s.Key, "", Guid.Empty, "NeverStarted", "", 0, DateTimeOffset.UnixEpoch, s.Value));
        return ([.. known.Select(k => k with { Health = says.GetValueOrDefault(k.Service) }), .. never], asked.Select(a => LevelOf(a.Instances)).Append(own.Level).Max());
    }

    /// <summary>The circuit breakers that are not closed, of all services and of this process, and the services of which not every instance answered: theirs are not known.</summary>
    public async Task<(IReadOnlyList<(string Service, string Breaker)> NotClosed, IReadOnlySet<string> Silent)> AskBreakersAsync(CancellationToken cancellationToken)
    {
        var asked = await AskAllAsync(cancellationToken);
        var here = breakers.All.Where(b => b.State != BreakerState.Closed).Select(b => ("this process", b.Name));
        return (
            [.. asked.SelectMany(a => a.Instances.SelectMany(i => i.Breakers).Select(b => (a.Name, b))).Concat(here).Distinct()],
            asked.Where(a => a.Instances.Any(i => i.Says == Silent)).Select(a => a.Name).ToHashSet(StringComparer.Ordinal));
    }

    public void Dispose() => _client.Dispose();

    /// <summary>A name may stand for several instances, as a service's does among containers: each of them is asked.</summary>
    internal static async Task<IReadOnlyList<Uri>> EachAsync(Uri address, Func<string, CancellationToken, Task<IPAddress[]>> resolve, CancellationToken cancellationToken)
    {
        if (address.HostNameType != UriHostNameType.Dns)
            return [address];
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(ResolveWithin);
            var found = await resolve(address.Host, limit.Token);
            // One machine's own name has an address of each family, and is one all the same.
            return found.Length < 2 || found.All(IPAddress.IsLoopback) ? [address] : [.. found.Where(f => f.AddressFamily == found[0].AddressFamily).Take(InstancesMax).Select(f => new UriBuilder(address) { Host = f.ToString() }.Uri)];
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // It is asked by its name, and what it says is that it does not answer.
            return [address];
        }
    }

    private Task<(string Name, Answer[] Instances)[]> AskAllAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(options.Services.Select(async s => (s.Key.ToLowerInvariant(), await AskAsync(s.Value, cancellationToken))));

    private async Task<Answer[]> AskAsync(string addresses, CancellationToken cancellationToken) =>
        await Task.WhenAll((await Task.WhenAll(ConsoleOptions.Split(addresses).Select(a => EachAsync(new Uri(a), Dns.GetHostAddressesAsync, cancellationToken)))).SelectMany(each => each).Select(a => AskOneAsync(a, cancellationToken)));

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
            var (said, notClosed) = Read(await answer.Content.ReadAsByteArrayAsync(cancellationToken));
            // One that only starts takes itself for normal; to the others it is missing.
            return answer.IsSuccessStatusCode ? new Answer(Ready, said, notClosed) : new Answer("not ready", said > DegradationLevel.Minimal ? said : DegradationLevel.Minimal, notClosed);
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return new Answer(Silent, DegradationLevel.Minimal, []);
        }
    }

    /// <summary>Normal, and no breakers, where it says nothing of them: a venue does not.</summary>
    private static (DegradationLevel Level, IReadOnlyList<string> Breakers) Read(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement is { ValueKind: JsonValueKind.Object } said ? (LevelIn(said), BreakersIn(said)) : (DegradationLevel.Normal, []);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return (DegradationLevel.Normal, []);
        }
    }

    private static DegradationLevel LevelIn(JsonElement body) => body.TryGetProperty(LevelName, out var said) && said.ValueKind == JsonValueKind.String
        && Enum.TryParse<DegradationLevel>(said.GetString(), ignoreCase: true, out var level) && Enum.IsDefined(level)
        ? level
        : DegradationLevel.Normal;

    private static IReadOnlyList<string> BreakersIn(JsonElement body) => body.TryGetProperty(BreakersName, out var said) && said.ValueKind == JsonValueKind.Object
        ? [.. said.EnumerateObject().Select(b => b.Name).Where(n => n.Length is > 0 and <= NameLengthMax).Take(BreakersMax)]
        : [];

    private readonly record struct Answer(string Says, DegradationLevel Level, IReadOnlyList<string> Breakers);
}
