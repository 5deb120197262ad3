using System.Text.Json;
using Antbot.EventStore;
using Antbot.Hosting;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Integration.Tests.Support;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.DeadLetters;

/// <summary>A Console over an embedded store of its own, in which letters may lie before it begins.</summary>
public abstract class OnAConsole : IAsyncLifetime
{
    private RunningConsole? _running;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected string Folder { get; } = Directory.CreateTempSubdirectory("antbot-letters-").FullName;

    private protected RunningConsole Running => _running ?? throw new InvalidOperationException("It was not started.");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_running is not null)
            await _running.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected Task<IEventStore> StoreAsync() => StoreAddress.OpenAsync($"sqlite:{Path.Combine(Folder, "antbot.db")}", create: true, Cancel);

    /// <summary>Returns when that it runs is recorded: nothing comes of itself after that.</summary>
    private protected async Task<RunningConsole> RunAsync(IReadOnlyList<IServiceModule> others, IReadOnlyList<string> more)
    {
        _running = await RunningConsole.StartAsync(Folder, others, more);
        await Eventually.HoldsAsync(async () => (await Running.Store.ReadPageAsync(Math.Max(0, (await Running.Store.Ledger.ReadHeadAsync(Cancel)).Sequence - 100), 100, EventPage.EveryStream, Cancel)).Events.Any(e => e.Type == "process_started"), "it is recorded that it runs");
        return Running;
    }

    /// <summary>Returns when so many letters are in the list.</summary>
    private protected async Task<(RunningConsole Console, string Token)> RunAsync(int letters, IReadOnlyList<IServiceModule> others, IReadOnlyList<string> more)
    {
        await RunAsync(others, more);
        await Eventually.HoldsAsync(async () => (await LettersAsync("limit=1000")).Count == letters, "they are in the read models");
        var token = Path.Combine(Folder, "token");
        await File.WriteAllTextAsync(token, RunningConsole.Token, Cancel);
        return (Running, token);
    }

    private protected async Task<List<JsonElement>> ItemsAsync(string path) => [.. (await Running.GetAsync(path)).GetProperty("Items").EnumerateArray()];

    private protected Task<List<JsonElement>> LettersAsync(string query = "limit=100") => ItemsAsync($"/api/deadletters?{query}");

    private protected async Task<JsonElement> LetterAsync(Guid letter) => (await Running.GetAsync($"/api/deadletters/{letter:N}")).GetProperty("Letter");

    private protected static string State(JsonElement view) => view.GetProperty("State").GetString()!;
}
