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

    /// <summary>What was beyond the fiftieth, or the twentieth of what was done, was left out without a word.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_not_shown_is_counted_and_all_of_it_is_in_the_json(bool overConsole)
    {
        const int differences = 53;
        const int corrections = 24;
        await using var console = await RunningConsole.StartAsync(Data);
        await File.WriteAllTextAsync(Path.Combine(_folder, "token"), RunningConsole.Token, Cancel);
        for (var n = 0; n < differences; n++)
        {
            var order = ClientOrderId.Of(TradeOf(n), OrderRole.Entry, 0);
            await FindAsync(console.Store, 10 * n, DifferenceKind.VanishedOrder, order, n == differences - 1 ? TradeOf(n) : null, "not open at the venue", "words");
            if (n == differences - 1)
                await RecordAsync(console.Store, Streams.Order(TradeOf(n)), (10 * n) + 1, [.. Enumerable.Range(0, corrections).Select(i => new OrderCorrected(order, $"correction {i}", "words"))]);
            await SettleAsync(console.Store, (10 * n) + 2, DifferenceKind.VanishedOrder, order);
        }
        string[] source = overConsole ? ["--console", console.Address, "--token-file", "token"] : [];
        var explained = await AntbotProcess.RunAsync(_folder, ["reconcile", "--explain", .. source]);
        Assert.Contains("3 more were settled before these: antbot reconcile --json", explained.Output, StringComparison.Ordinal);
        Assert.Contains("done     4 more: antbot reconcile --json", explained.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("correction 20", explained.Output, StringComparison.Ordinal);
        Assert.Contains("3 more were settled before these", (await AntbotProcess.RunAsync(_folder, ["reconcile", .. source])).Output, StringComparison.Ordinal);

        var whole = JsonDocument.Parse((await AntbotProcess.RunAsync(_folder, ["reconcile", "--json", .. source])).Output).RootElement;
        Assert.Equal(
            (differences, 0, corrections, 0),
            (whole.GetProperty("Settled").GetArrayLength(), whole.GetProperty("MoreSettled").GetInt32(), whole.GetProperty("Settled")[0].GetProperty("Corrections").GetArrayLength(), whole.GetProperty("Settled")[0].GetProperty("MoreCorrections").GetInt32()));
    }

    /// <summary>The other four kinds. Prevents that nothing seems to have been done where the venue's own word, or two operators', settled it.</summary>
    [Fact]
    public async Task Of_every_kind_of_difference_in_orders_the_cause_is_told_the_venues_words_and_what_was_done()
    {
        var strange = new ClientOrderId("by-hand-1");
        var orders = Enumerable.Range(0, 6).Select(n => ClientOrderId.Of(TradeOf(n), OrderRole.Entry, 0)).ToList();
        await using (var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(Data, "antbot.db") }, Cancel))
        {
            var adopted = new Signal(TradeOf(0), Account, "adopted:venue", new Symbol("BTCUSDT"), Side.Buy, OrderKind.Limit, new Price(100), new Price(100), null, null, new Money(50), 1, Start, Start.AddYears(1));
            await FindAsync(store, 1, DifferenceKind.UnknownOrder, strange, null, "open at the venue (Buy 0.5 BTCUSDT), not open in our record", "the venue's order 71: Buy BTCUSDT Open");
            await RecordAsync(store, Streams.Reconciliation(Account), 2, new AdoptionDecided(2, Account, $"UnknownOrder:{strange}", adopted, new FoundOrder(strange, "71", Start), new Quantity(0.5m), "what", "words"));
            await RecordAsync(store, Streams.Order(TradeOf(0)), 3, new OrderAdopted(strange, TradeOf(0), Account, new Symbol("BTCUSDT"), Side.Buy, new Quantity(0.5m), "71", Start, "words"));
            await SettleAsync(store, 4, DifferenceKind.UnknownOrder, strange);

            await FindAsync(store, 11, DifferenceKind.OpenOrder, orders[1], TradeOf(1), "open at the venue, ended in our record", "the venue's order 72: Buy BTCUSDT Open");
            await RecordAsync(store, Streams.Order(TradeOf(1)), 12, new OrderCorrected(orders[1], "open at the venue", "words"), new OrderCancelIntended(orders[1], "its trade is over"), new OrderEnded(orders[1], OrderEnd.Cancelled, Quantity.Zero, "the venue says Cancelled"));
            await SettleAsync(store, 13, DifferenceKind.OpenOrder, orders[1]);

            await FindAsync(store, 21, DifferenceKind.VanishedOrder, orders[2], TradeOf(2), "open in our record (executed 0 of 1), not open at the venue; the venue does not know it", "-2013: Order does not exist.");
            await RecordAsync(store, Streams.Order(TradeOf(2)), 22, new OrderCorrected(orders[2], "not open at the venue", "words"), new OrderEnded(orders[2], OrderEnd.Expired, Quantity.Zero, "the venue does not know it any more"));
            await SettleAsync(store, 23, DifferenceKind.VanishedOrder, orders[2]);

            foreach (var (n, done) in new (int, object?)[]
            {
                (3, new OrderAccepted(orders[3], "73", Start)), (4, new OrderAbsent(orders[4], 1, Start, "by its id: -2013; trades since: none of them its")),
                (5, new OrderSettled(orders[5], Guid.Empty, "anna", "it is gone", "boris", "timed out")),
            })
            {
                await FindAsync(store, 10 + (20 * n), DifferenceKind.UnresolvedOrder, orders[n], TradeOf(n), "what became of it is not in our record", "the venue's last words");
                await RecordAsync(store, Streams.Order(TradeOf(n)), 11 + (20 * n), done!);
                await SettleAsync(store, 12 + (20 * n), DifferenceKind.UnresolvedOrder, orders[n]);
            }
            await FindAsync(store, 200, DifferenceKind.UnresolvedOrder, new ClientOrderId("still-in-doubt"), null, "what became of it is not in our record", "");
        }
        var explained = await AntbotProcess.RunAsync(_folder, "reconcile", "--explain");
        Assert.Equal(1, explained.ExitCode);
        var told = explained.Output.ReplaceLineEndings("\n").Split("\n\n").Select(p => string.Join('\n', p.Split('\n').Select(l => l.Trim()))).ToList();
        IsTold($"UnknownOrder {strange}", "cause    somebody else placed it, or our record of it was lost", "venue    the venue's order 71: Buy BTCUSDT Open", "settled 3.0 s later", $"trade    {TradeOf(0)}",
            $"the order {strange} was adopted as trade {TradeOf(0)} (0.5 BTCUSDT at 100)", $"the order {strange} is this trade's");
        IsTold($"OpenOrder {orders[1]}", "cause    the venue's word of its end was wrong, or it lives again", "venue    the venue's order 72: Buy BTCUSDT Open", "settled 2.0 s later",
            $"{orders[1]} was asked after: open at the venue", $"{orders[1]} is to be cancelled: its trade is over", $"{orders[1]} has ended (Cancelled, executed 0): the venue says Cancelled");
        IsTold($"VanishedOrder {orders[2]}", "cause    its end was not heard: it was filled, cancelled or expired while nobody listened", "venue    -2013: Order does not exist.",
            $"{orders[2]} has ended (Expired, executed 0): the venue does not know it any more");
        IsTold($"UnresolvedOrder {orders[3]}", "cause    the answer to an attempt was lost, and the venue could not be asked since", "venue    the venue's last words", $"{orders[3]} is the venue's order 73");
        IsTold($"UnresolvedOrder {orders[4]}", $"{orders[4]} is not at the venue and cannot come there any more: by its id: -2013; trades since: none of them its");
        IsTold($"UnresolvedOrder {orders[5]}", $"{orders[5]} was settled by boris and anna as never placed: it is gone");
        IsTold("UnresolvedOrder still-in-doubt", "still open", "done     nothing yet");
        Assert.Single(told, p => p.Contains("nothing yet", StringComparison.Ordinal));

        void IsTold(string what, params string[] words)
        {
            var part = Assert.Single(told, p => p.StartsWith($"{what}: ", StringComparison.Ordinal));
            Assert.All(words, w => Assert.Contains(w, part, StringComparison.Ordinal));
        }
    }

    private static TradeId TradeOf(int n) => new(DeterministicId.From("reconcile-verb", "trade", $"{n}"));

    private Task FindAsync(IEventStore store, double at, DifferenceKind kind, ClientOrderId order, TradeId? trade, string what, string evidence) =>
        RecordAsync(store, Streams.Reconciliation(Account), at, new DifferenceFound((long)at, Account, kind, order.Value, trade, Ours: trade is not null, what, evidence, 1, Start));

    private Task SettleAsync(IEventStore store, double at, DifferenceKind kind, ClientOrderId order) =>
        RecordAsync(store, Streams.Reconciliation(Account), at, new DifferenceSettled((long)at, Account, kind, order.Value, Start));

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
