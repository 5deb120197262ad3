using Antbot.EventStore.Sqlite;
using Antbot.Hosting;

namespace Antbot.Benchmarks.Pipeline;

/// <summary>Everything in one process over the embedded store.</summary>
internal sealed class StandalonePipeline : IPipeline
{
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(90);

    private readonly BenchProcess _process;
    private readonly SqliteEventStore _store;
    private readonly HistoryReader _history;

    private StandalonePipeline(BenchProcess process, SqliteEventStore store, SignalClient client) =>
        (_process, _store, _history, Client) = (process, store, new HistoryReader(store), client);

    public SignalClient Client { get; }

    public IReadOnlyList<BenchProcess> Processes => [_process];

    public static async Task<StandalonePipeline> StartAsync(string folder, CancellationToken cancellationToken)
    {
        var address = Servers.FreeAddress();
        var settings = LoadSettings.All.Where(s => s.Value.Length > 0 || s.Key == "ANTBOT_SIGNAL__STRATEGIES")
            .Select(s => $"{s.Key["ANTBOT_".Length..].Replace("__", ":", StringComparison.Ordinal)}={s.Value}").Append($"listen={address}").SelectMany(s => new[] { "--set", s });
        Directory.CreateDirectory(folder);
        var process = BenchProcess.Start(
            "standalone", Servers.ProgramOf("services/Antbot.Standalone/", "Antbot.Standalone"), ["--data", folder, "--quiet", .. settings],
            new Dictionary<string, string>(StringComparer.Ordinal), Path.Combine(folder, "standalone.log"));
        await Servers.UntilAnsweredAsync(new Uri(address, "/readyz"), process, ReadyWithin, cancellationToken);
        var key = await File.ReadAllTextAsync(new KeyFolder(Path.Combine(folder, "keys")).FileOf("signal-api-key"), cancellationToken);
        var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(folder, "antbot.db") }, cancellationToken);
        return new StandalonePipeline(process, store, new SignalClient(address, key, prices: null));
    }

    public async Task<long> ProgressAsync(CancellationToken cancellationToken) => (await _store.Ledger.ReadHeadAsync(cancellationToken)).Position;

    public Task<IReadOnlyDictionary<string, TradeTimes>> ReadAsync(CancellationToken cancellationToken) => _history.ReadAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _store.DisposeAsync();
        await _process.DisposeAsync();
    }
}
