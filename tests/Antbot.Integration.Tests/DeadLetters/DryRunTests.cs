using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.EventStore;
using Antbot.Forensics;
using Antbot.Hosting;
using Antbot.Integration.Tests.Cli;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Integration.Tests.Support;
using Antbot.Kernel.Identity;
using Antbot.Risk;
using Antbot.Risk.Core;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.DeadLetters;

/// <summary>What is told before letters are sent is what comes of them when they are, and telling it leaves no trace.</summary>
public sealed class DryRunTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-dry-run-").FullName;
    private RunningConsole? _console;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_console is not null)
            await _console.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The first takes what the second would have needed; the limits are those that the service beside it runs with.</summary>
    [Fact]
    public async Task What_is_foretold_is_what_comes_of_it()
    {
        DeadLetterKept[] letters =
        [
            SeededLetters.Of(Routes.Risk, Guid.NewGuid(), new AssessRisk(SignalOf(100), 0.7m)), SeededLetters.Of(Routes.Risk, Guid.NewGuid(), new AssessRisk(SignalOf(100), 0.7m)),
            SeededLetters.Of(Routes.Risk, Guid.NewGuid(), new TradeOpened(new TradeId(Guid.NewGuid()), new AccountId("second"), new Symbol("BTCUSDT"), Side.Buy, new Quantity(1), new Price(1), new Money(1), Money.Zero, [])),
            Settle(),
        ];
        var (console, token) = await StartAsync(letters, [new RiskModule()], "--risk:maxExposure=150");
        var before = await HeadAsync();
        var said = await AntbotProcess.RunAsync(_folder, "dlq", "replay", "--all", "--dry-run", "--json", "--console", console.Address, "--token-file", token);
        Assert.True(said.ExitCode == 0, said.Error + said.Output);
        Assert.Equal(before, await HeadAsync());
        var told = JsonDocument.Parse(said.Output).RootElement;
        var sum = told.GetProperty("Sum");
        Assert.Equal((4, 4, 200m, before, 0), (sum.GetProperty("Selected").GetInt32(), sum.GetProperty("Letters").GetInt32(), sum.GetProperty("Notional").GetDecimal(), sum.GetProperty("Sequence").GetInt64(), sum.GetProperty("Moved").GetInt32()));
        Assert.Equal((1, 1), (sum.GetProperty("Messages").GetProperty("RiskApproved").GetInt32(), sum.GetProperty("Messages").GetProperty("RiskDenied").GetInt32()));

        Assert.Equal(202, (await console.PostAsync("/api/replays", new { All = true, Reason = "mended" })).Status);
        await Eventually.HoldsAsync(async () => (await ItemsAsync("state=replayed")).Count == letters.Length, "all have had their effect");
        foreach (var letter in told.GetProperty("Letters").EnumerateArray())
        {
            var kept = letters.Single(l => l.Letter == letter.GetProperty("Letter").GetGuid());
            var foreseen = letter.GetProperty("Foreseen");
            var effect = await console.Store.FindDecisionAsync(new Decision(kept.Message!.Value, kept.Endpoint), Cancel);
            Assert.Equal(effect[0].Stream, foreseen.GetProperty("Stream").GetString());
            Assert.Equal(Written(effect), foreseen.GetProperty("Events").EnumerateArray().Select(e => (e.GetProperty("Type").GetString()!, e.GetProperty("Type").GetString() == "order_input" ? "" : Compact(e.GetProperty("Body")))));
            var react = StreamKinds.Of(effect[0].Stream).React;
            Assert.Equal(
                Outgoing.From(effect, StreamKinds.Codec, react).Select(m => (m.Id, m.Endpoint, Compact(JsonSerializer.SerializeToElement(m.Body, m.Body.GetType(), EventCodec.JsonForPeople)))),
                foreseen.GetProperty("Messages").EnumerateArray().Select(m => (m.GetProperty("Id").GetGuid(), m.GetProperty("Endpoint").GetString()!, Compact(m.GetProperty("Body")))));
        }
        // Asked again it is told that all of it was done.
        var again = await LinesAsync($"/api/deadletters/{letters[0].Letter:N}/foresight");
        Assert.Equal("Refused", again[0].GetProperty("Letter").GetProperty("Foreseen").GetProperty("Outcome").GetString());
    }

    [Fact]
    public async Task Whatever_cannot_be_foretold_says_why()
    {
        var trade = new TradeId(Guid.NewGuid());
        (DeadLetterKept Letter, string Outcome, string Why)[] cases =
        [
            (SeededLetters.Of(Routes.Coordinator, Guid.NewGuid(), new RiskDenied(trade, [])), "Fails", "what it follows from is not there"),
            (SeededLetters.Of(Routes.Execution, Guid.NewGuid(), new ExecuteTrade(SignalOf(100), new Money(100))), "DependsOnVenue", "the venue and the market"),
            (SeededLetters.Of(Routes.Reconciliation, Guid.NewGuid(), new VerifyTrade(trade, new AccountId("main"), new Symbol("BTCUSDT"), Side.Buy, new Quantity(1), false, [])), "DependsOnVenue", "the venue and the market"),
            (SeededLetters.Of(Routes.Risk, Guid.NewGuid(), nameof(AssessRisk), """{"signal":7}"""), "Unreadable", ""),
            (SeededLetters.Of(Routes.Risk, Guid.NewGuid(), new CloseTrade(trade, new AccountId("main"), "now")), "NoDecider", "Nobody at 'risk' takes a CloseTrade"),
            (SeededLetters.Of("elsewhere", Guid.NewGuid(), new CloseTrade(trade, new AccountId("main"), "now")), "NoDecider", "Nobody at 'elsewhere'"),
            (SeededLetters.Of(Routes.Risk, Guid.NewGuid(), new AssessRisk(SignalOf(100) with { ValidUntil = DateTimeOffset.UtcNow.AddSeconds(-1) }, 0.7m)), "Refused", "valid: its signal was valid until"),
            (SeededLetters.Of(Routes.Risk, Guid.NewGuid(), new AssessRisk(SignalOf(100), 0.7m)) with { Properties = new(null, null, null, null, null, null, null, null, null, null, null, null, null, []) }, "Refused", "identified: it has no id"),
            (SeededLetters.Of(Routes.Execution, Guid.NewGuid(), new CloseTrade(trade, new AccountId("main"), "now")), "Decided", ""),
        ];
        var (console, token) = await StartAsync([.. cases.Select(c => c.Letter)], []);
        var before = await HeadAsync();
        foreach (var (letter, outcome, why) in cases)
        {
            var lines = await LinesAsync($"/api/deadletters/{letter.Letter:N}/foresight");
            var foreseen = lines[0].GetProperty("Letter").GetProperty("Foreseen");
            Assert.Equal(outcome, foreseen.GetProperty("Outcome").GetString());
            Assert.Contains(why, foreseen.GetProperty("Why").GetString(), StringComparison.Ordinal);
            Assert.Equal((2, 1), (lines.Count, lines[1].GetProperty("Sum").GetProperty("Selected").GetInt32()));
        }
        var exit = (await LinesAsync($"/api/deadletters/{cases[^1].Letter.Letter:N}/foresight"))[0].GetProperty("Letter").GetProperty("Foreseen");
        Assert.Equal(["order_input", "entry_forbidden"], exit.GetProperty("Events").EnumerateArray().Select(e => e.GetProperty("Type").GetString()));
        Assert.Equal(["coordinator", "risk"], exit.GetProperty("Messages").EnumerateArray().Select(e => e.GetProperty("Endpoint").GetString()));

        // Not all of it is known: a script can tell.
        var said = await AntbotProcess.RunAsync(_folder, "dlq", "replay", "--all", "--dry-run", "--console", console.Address, "--token-file", token);
        Assert.Equal(8, said.ExitCode);
        Assert.Contains("9 letters, 1 Decided, 2 Refused, 1 Fails, 2 DependsOnVenue, 2 NoDecider, 1 Unreadable", said.Output, StringComparison.Ordinal);
        Assert.Contains("Nothing was recorded, and nothing was sent.", said.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "dlq", "replay", $"{cases[^1].Letter.Letter:N}", "--dry-run", "--console", console.Address, "--token-file", token)).ExitCode);
        // Whoever has something sent says why.
        Assert.Equal(2, (await AntbotProcess.RunAsync(_folder, "dlq", "replay", "--all", "--console", console.Address, "--token-file", token)).ExitCode);
        Assert.Equal(5, (await AntbotProcess.RunAsync(_folder, "dlq", "replay", new string('f', 32), "--dry-run", "--console", console.Address, "--token-file", token)).ExitCode);
        Assert.Equal(before, await HeadAsync());
        Assert.Equal(cases.Length, (await ItemsAsync("state=new")).Count);
    }

    /// <summary>Where the service runs elsewhere its limits are those that it last decided with.</summary>
    [Fact]
    public async Task How_far_the_state_has_moved_and_whose_settings_it_is_told_with_are_told()
    {
        var signal = SignalOf(100);
        var failed = DateTimeOffset.UtcNow.AddMinutes(-10);
        var account = Streams.Account(new AccountId("main"));
        DeadLetterKept letter;
        await using (var store = await StoreAsync())
        {
            var limits = RiskLimits.Default with { OrderNotionalMax = new Money(50) };
            foreach (var (at, trade) in new[] { (failed.AddMinutes(-1), "1"), (failed.AddMinutes(1), "2"), (failed.AddMinutes(2), "3") })
                await store.AppendAsync(Append(account, new RiskDeniedRecorded(new TradeId(DeterministicId.From(trade)), new AccountId("main"), new Symbol("BTCUSDT"), Side.Buy, new Money(60), 0.7m, at, at, RiskState.Initial.Sight(at, limits), limits, []), at), Cancel);
            letter = await SeededLetters.KeepAsync(store, _ => SeededLetters.Of(Routes.Risk, Guid.NewGuid(), new AssessRisk(signal, 0.7m)) with { FailedAt = failed });
        }
        var (_, token) = await StartAsync([], [], letters: 1);
        var foreseen = (await LinesAsync("/api/deadletters/foresight?all=true"))[0].GetProperty("Letter").GetProperty("Foreseen");
        Assert.Equal(("risk_denied", "those of event 3"), (Assert.Single(foreseen.GetProperty("Events").EnumerateArray()).GetProperty("Type").GetString(), foreseen.GetProperty("Settings").GetString()));
        var moved = foreseen.GetProperty("Moved");
        Assert.Equal((1L, 1L, 3L, 3L, 2L), (Number(moved, "ThenVersion"), Number(moved, "ThenSequence"), Number(moved, "NowVersion"), Number(moved, "NowSequence"), Number(moved, "Events")));
        Assert.Equal([2L, 3L], moved.GetProperty("Between").EnumerateArray().Select(e => Number(e, "Sequence")));
        var said = await AntbotProcess.RunAsync(_folder, "dlq", "replay", $"{letter.Letter:N}", "--dry-run", "--console", _console!.Address, "--token-file", token);
        Assert.Contains("account-main was at version 1 (event 1) when it failed and is at 3 (event 3): risk_denied #2, risk_denied #3", said.Output, StringComparison.Ordinal);
        Assert.Contains("settings: those of event 3", said.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_is_to_approve_a_selection_sees_what_would_come_of_it()
    {
        var letters = Enumerable.Range(0, 3).Select(_ => Settle()).ToArray();
        var (console, token) = await StartAsync(letters, [], 0, "--console:replayLettersMax=2");
        var selection = (await console.PostAsync("/api/replays", new { All = true, Reason = "mended" })).Body.GetProperty("Selection").GetProperty("Id").GetString()!;
        var said = await AntbotProcess.RunAsync(_folder, "dlq", "approve", selection, "--dry-run", "--json", "--console", console.Address, "--token-file", token);
        Assert.True(said.ExitCode == 0, said.Error);
        Assert.Equal(3, JsonDocument.Parse(said.Output).RootElement.GetProperty("Sum").GetProperty("Events").GetProperty("order_settlement_refused").GetInt32());
        Assert.Equal("Requested", (await console.GetAsync($"/api/replays/{selection}")).GetProperty("Selection").GetProperty("State").GetString());
        Assert.Equal(2, (await AntbotProcess.RunAsync(_folder, "dlq", "approve", selection, "--console", console.Address, "--token-file", token)).ExitCode);
        Assert.Equal(404, (int)(await console.Client.GetAsync($"/api/replays/{new string('0', 32)}/foresight", Cancel)).StatusCode);
        foreach (var query in new[] { "", "?all=false", "?all=true&endpoint=risk", "?all=true&limit=0", "?all=true&colour=red", "?trade=x" })
            Assert.Equal(400, (int)(await console.Client.GetAsync($"/api/deadletters/foresight{query}", Cancel)).StatusCode);
    }

    [Fact]
    public async Task Of_more_than_are_told_at_once_it_is_said_how_many_were_left_out()
    {
        var (console, token) = await StartAsync([.. Enumerable.Range(0, 503).Select(_ => Settle())], []);
        var said = await AntbotProcess.RunAsync(_folder, "dlq", "replay", "--all", "--dry-run", "--json", "--console", console.Address, "--token-file", token);
        Assert.Equal(8, said.ExitCode);
        var sum = JsonDocument.Parse(said.Output).RootElement.GetProperty("Sum");
        Assert.Equal((503, 500, "500 letters are the most at once"), (sum.GetProperty("Selected").GetInt32(), sum.GetProperty("Letters").GetInt32(), sum.GetProperty("Left").GetString()));
        Assert.Equal(JsonValueKind.Null, sum.GetProperty("Notional").ValueKind);
    }

    private static Signal SignalOf(decimal notional) => new(
        new TradeId(Guid.NewGuid()), new AccountId("main"), "strategy:test", new Symbol("BTCUSDT"), Side.Buy, OrderKind.Market, new Price(100), null, new Price(95), null, new Money(notional), 0.7m,
        DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddHours(1));

    private static DeadLetterKept Settle()
    {
        var trade = new TradeId(Guid.NewGuid());
        return SeededLetters.Of(Routes.Execution, Guid.NewGuid(), new SettleOrder(trade, ClientOrderId.Of(trade, OrderRole.Entry, 0), Guid.NewGuid(), false, "anna", "so"));
    }

    private static AppendRequest Append(StreamId stream, object @event, DateTimeOffset at) => new()
    {
        Stream = stream, Expected = ExpectedVersion.Any, Decision = new Decision(Guid.NewGuid(), "risk"), Events = [StreamKinds.Codec.Encode(@event)], At = at,
    };

    /// <summary>What a decision of Execution rests on has the venue's clock in it.</summary>
    private static IEnumerable<(string, string)> Written(IEnumerable<StoredEvent> events) => events.Select(e =>
    {
        var @event = StreamKinds.Codec.Decode(e);
        return (e.Type, e.Type == "order_input" ? "" : Compact(JsonSerializer.SerializeToElement(@event, @event.GetType(), EventCodec.JsonForPeople)));
    });

    private static string Compact(JsonElement json) => JsonSerializer.Serialize(json);

    private static long Number(JsonElement json, string name) => json.GetProperty(name).GetInt64();

    private Task<(RunningConsole Console, string Token)> StartAsync(IReadOnlyList<DeadLetterKept> letters, IReadOnlyList<IServiceModule> others, params IReadOnlyList<string> more) => StartAsync(letters, others, 0, more);

    private async Task<(RunningConsole Console, string Token)> StartAsync(IReadOnlyList<DeadLetterKept> kept, IReadOnlyList<IServiceModule> others, int letters, params IReadOnlyList<string> more)
    {
        await using (var store = await StoreAsync())
        {
            foreach (var letter in kept)
                await SeededLetters.KeepAsync(store, _ => letter);
        }
        _console = await RunningConsole.StartAsync(_folder, others, more);
        await Eventually.HoldsAsync(async () => (await ItemsAsync("limit=1000")).Count == kept.Count + letters, "they are in the read models");
        var token = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(token, RunningConsole.Token, Cancel);
        return (_console, token);
    }

    private Task<IEventStore> StoreAsync() => StoreAddress.OpenAsync($"sqlite:{Path.Combine(_folder, "antbot.db")}", create: true, Cancel);

    private async Task<long> HeadAsync() => (await _console!.Store.Ledger.ReadHeadAsync(Cancel)).Sequence;

    private async Task<List<JsonElement>> LinesAsync(string path) => [.. (await _console!.Client.GetStringAsync(path, Cancel)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonElement.Parse(l))];

    private async Task<List<JsonElement>> ItemsAsync(string query) => [.. (await _console!.GetAsync($"/api/deadletters?{query}")).GetProperty("Items").EnumerateArray()];
}
