using System.Diagnostics;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.EventStore.Sqlite;
using Antbot.Integration.Tests.PaperVenue;
using Antbot.PaperVenue;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary>`make run`'s process on a folder of its own, as a person starts it, asks it and looks at what it leaves.</summary>
public abstract class StandaloneCase : IDisposable
{
    protected static readonly string[] ByHandOnly =
    [
        "--set", "signal:strategies=", "--set", "signal:ratePerSecond=10000", "--set", "signal:burst=10000", "--set", "signal:totalRatePerSecond=10000", "--set", "signal:totalBurst=10000",
        "--set", "validation:duplicateWindowSeconds=0", "--set", "execution:holdingSecondsMax=86400", "--set", "execution:stopDistance=0.2", "--set", "execution:takeProfitDistance=0.5",
    ];

    private Uri? _venue;

    protected string Folder { get; } = Directory.CreateTempSubdirectory("antbot-standalone-").FullName;

    protected List<Process> Started { get; } = [];

    protected string Data => Path.Combine(Folder, ".local");

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        foreach (var process in Started)
        {
            if (!process.HasExited)
                process.Kill();
            process.Dispose();
        }
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>To its end, and what it said.</summary>
    protected async Task<Said> RunAsync(string[] arguments)
    {
        using var process = AntbotProcess.Start("Antbot.Standalone.dll", Folder, arguments);
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
        await process.WaitForExitAsync(Cancel);
        return new Said(process.ExitCode, await output, await error);
    }

    protected async Task<Process> StartedAsync(params string[] arguments)
    {
        var process = AntbotProcess.Start("Antbot.Standalone.dll", Folder, arguments);
        Started.Add(process);
        var errors = process.StandardError.ReadToEndAsync(Cancel);
        while (await process.StandardOutput.ReadLineAsync(Cancel) is { } line)
        {
            if (line.StartsWith("  venue", StringComparison.Ordinal))
                _venue = new Uri(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
            if (line.StartsWith("  data", StringComparison.Ordinal))
                return process;
        }
        throw new InvalidOperationException($"It ended: {await errors}");
    }

    private protected VenueClient OpenVenue()
    {
        using var admin = JsonDocument.Parse(File.ReadAllText(Path.Combine(Data, "venue", "admin.json")));
        return new VenueClient(
            _venue!, new ApiKey("main", Key("venue-key"), Key("venue-secret")), new Uri(admin.RootElement.GetProperty("address").GetString()!), admin.RootElement.GetProperty("adminKey").GetString()!);

        string Key(string name) => File.ReadAllText(Path.Combine(Data, "keys", name)).Trim();
    }

    /// <summary>One signal by the command line, asked again until the market has been heard.</summary>
    protected async Task<TradeId> SignalAsync(string symbol)
    {
        while (true)
        {
            var said = await AntbotProcess.RunAsync(Folder, "signal", symbol, "buy", "--notional", "50", "--json");
            if (said.ExitCode == 0)
                return TradeId.From(JsonDocument.Parse(said.Output).RootElement.GetProperty("Trade").GetString()!);
            Assert.True(said.Error.Contains("market", StringComparison.Ordinal), said.Error);
            await Task.Delay(200, Cancel);
        }
    }

    /// <summary>The orders that the venue itself remembers.</summary>
    protected async Task<List<JsonElement>> LedgerAsync()
    {
        using var keys = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Data, "venue", "admin.json"), Cancel));
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Add("X-Admin-Key", keys.RootElement.GetProperty("adminKey").GetString());
        var lines = (await client.GetStringAsync(new Uri(new Uri(keys.RootElement.GetProperty("address").GetString()!), "admin/ledger"), Cancel)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Select(l => JsonDocument.Parse(l).RootElement).Where(e => e.GetProperty("kind").GetString() == "order" && e.GetProperty("account").GetString() == "main").Select(e => e.GetProperty("entry"))];
    }

    protected async Task<List<TEvent>> EventsAsync<TEvent>()
    {
        var codec = new EventCodec(EventRegistry.From(typeof(TradeRaised).Assembly));
        var name = EventRegistry.From(typeof(TradeRaised).Assembly).NameOf(typeof(TEvent));
        return [.. (await StoredAsync()).Where(e => e.Type == name).Select(e => (TEvent)codec.Decode(e))];
    }

    protected async Task<List<StoredEvent>> StoredAsync()
    {
        await using var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(Data, "antbot.db"), ReadOnly = true }, Cancel);
        var events = new List<StoredEvent>();
        while (await store.ReadPageAsync(events.Count == 0 ? 0 : events[^1].Sequence, 1_000, Cancel) is { Count: > 0 } page)
            events.AddRange(page);
        return events;
    }

    protected static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(3), $"It did not come about that {what}.");
            await Task.Delay(200, Cancel);
        }
    }
}
