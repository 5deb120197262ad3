using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.EventStore.Sqlite;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary>Every difference between the venue and our record, its cause and its correction, over a Console and straight on the store.</summary>
public sealed class ReconcileVerbTests : IAsyncLifetime
{
    private static readonly AccountId Account = new("main");
    private static readonly TradeId Trade = new(DeterministicId.From("reconcile-verb"));
    private static readonly ClientOrderId Entry = ClientOrderId.Of(Trade, OrderRole.Entry, 0);
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-reconcile-").FullName;
    private int _appended;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Data => Path.Combine(_folder, ".local");

    public ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Data);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Straight_on_the_store_each_difference_is_told_with_its_cause_and_what_was_done()
    {
        await using (var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(Data, "antbot.db") }, Cancel))
        {
            await RecordHistoryAsync(store);
            await CheckAsync();
            await SettleAsync(store);
        }
        var settled = await AntbotProcess.RunAsync(_folder, "reconcile", "--json");
        Assert.Equal(0, settled.ExitCode);
        Assert.Equal((0, 2), Counts(settled.Output));
        Assert.Equal(5, (await AntbotProcess.RunAsync(_folder, "reconcile", "--account", "other")).ExitCode);
    }

    [Fact]
    public async Task Over_a_console_it_is_the_same()
    {
        await using var console = await RunningConsole.StartAsync(Data);
        await RecordHistoryAsync(console.Store);
        await File.WriteAllTextAsync(Path.Combine(_folder, "token"), RunningConsole.Token, Cancel);
        await CheckAsync("--console", console.Address, "--token-file", "token");
    }

    private async Task CheckAsync(params string[] source)
    {
        var json = await AntbotProcess.RunAsync(_folder, ["reconcile", "--json", .. source]);
        // Something is open: whoever asks in a script learns it from the exit code.
        Assert.Equal(1, json.ExitCode);
        Assert.Equal((1, 1), Counts(json.Output));
        var explained = await AntbotProcess.RunAsync(_folder, ["reconcile", "--explain", .. source]);
        Assert.Equal(1, explained.ExitCode);
        foreach (var words in new[]
        {
            $"Executed {Entry}: executed 1 at the venue, 0 in our record", "a fill was not heard", "settled 2.0 s later", "was filled: 1 at 100 (fill f1)", "the venue says Filled",
            "Balance BTC: +0.5 BTC more than 1 by our record", "a deposit, a withdrawal", "still open", "was adopted as trade",
        })
        {
            Assert.Contains(words, explained.Output, StringComparison.Ordinal);
        }
        var list = await AntbotProcess.RunAsync(_folder, ["reconcile", .. source]);
        Assert.Contains("1 difference open", list.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("a fill was not heard", list.Output, StringComparison.Ordinal);
        Assert.Contains("not all balances were compared: the balances of ETH make no sense.", list.Output, StringComparison.Ordinal);
        Assert.Contains("0.3 SOL lay there when the account was first looked at.", list.Output, StringComparison.Ordinal);
    }

    private async Task RecordHistoryAsync(IEventStore store)
    {
        await RecordAsync(
            store, Streams.Reconciliation(Account), 0, new BalanceBaselineSet(1, Account, "paper", 10, [], [], [], ["ETH"], [new AssetAmount("SOL", 0.3m)]),
            new StartReconciled(1, Account, "paper", 10, 0, 0, "the balances of ETH make no sense"));
        await RecordAsync(store, Streams.Order(Trade), 1, new OrderIntended(Entry, Trade, Account, OrderRole.Entry, new Symbol("BTCUSDT"), Side.Buy, OrderKind.Market, new Quantity(1), null, null, ReduceOnly: false, null, "test", null));
        await RecordAsync(store, Streams.Reconciliation(Account), 10, new DifferenceFound(2, Account, DifferenceKind.Executed, Entry.Value, Trade, Ours: true, "executed 1 at the venue, 0 in our record", "the venue says Filled", 12, Start));
        await RecordAsync(store, Streams.Order(Trade), 11, new OrderCorrected(Entry, "executed 1 at the venue", "the venue says Filled"), new OrderFilled(Entry, "f1", new Quantity(1), new Price(100), Money.Zero, "USDT", Start, Money.Zero));
        await RecordAsync(store, Streams.Reconciliation(Account), 12, new DifferenceSettled(3, Account, DifferenceKind.Executed, Entry.Value, Start));
        await RecordAsync(store, Streams.Reconciliation(Account), 20, new DifferenceFound(4, Account, DifferenceKind.Balance, "BTC", null, Ours: true, "+0.5 BTC more than 1 by our record", "the venue holds 1.5 BTC", 14, Start));
        var adopted = new TradeId(DeterministicId.From("adopted"));
        var signal = new Signal(adopted, Account, "adopted:venue", new Symbol("BTCUSDT"), Side.Buy, OrderKind.Market, new Price(100), null, null, null, new Money(50), 1, Start, Start.AddYears(1));
        await RecordAsync(store, Streams.Reconciliation(Account), 21, new AdoptionDecided(5, Account, "Balance:BTC", signal, null, new Quantity(0.5m), "what", "words"));
    }

    private Task SettleAsync(IEventStore store) => RecordAsync(store, Streams.Reconciliation(Account), 30, new DifferenceSettled(6, Account, DifferenceKind.Balance, "BTC", Start));

    private async Task RecordAsync(IEventStore store, StreamId stream, double at, params object[] events)
    {
        var codec = new EventCodec(EventRegistry.From(typeof(DifferenceFound).Assembly));
        var outcome = await store.AppendAsync(
            new AppendRequest
            {
                Stream = stream,
                Expected = ExpectedVersion.Any,
                Decision = new Decision(DeterministicId.From("reconcile-verb", $"{++_appended}"), "test"),
                Events = [.. events.Select(codec.Encode)],
                At = Start.AddSeconds(at),
                Meta = new EventMeta(Trade.Value),
            },
            Cancel);
        Assert.IsType<AppendOutcome.Appended>(outcome);
    }

    private static (int Open, int Settled) Counts(string output)
    {
        using var report = JsonDocument.Parse(output);
        return (report.RootElement.GetProperty("Open").GetArrayLength(), report.RootElement.GetProperty("Settled").GetArrayLength());
    }
}
