using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Antbot.ConsoleService;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Execution;
using Antbot.Integration.Tests.Cli;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.ConsoleApi;

/// <summary>Two operators settle an order in doubt: over HTTP, and with the command.</summary>
public sealed class SettlementTests : IAsyncLifetime
{
    private const string Anna = "annas-own-token-0123456789";
    private const string Ben = "bens-own-token-0123456789";

    private static readonly TradeId Trade = new(DeterministicId.From("settled"));
    private static readonly ClientOrderId Order = ClientOrderId.Of(Trade, OrderRole.Entry, 0);

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-settlement-").FullName;
    private RunningConsole _console = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _console = await RunningConsole.StartAsync(_folder, $"--console:token=anna={Anna},ben={Ben}");

    public async ValueTask DisposeAsync()
    {
        await _console.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task One_proposes_with_the_venues_evidence_and_another_confirms()
    {
        await InDoubtAsync();
        var (status, proposed) = await PostAsync(Anna, "settlement");
        Assert.Equal((200, "Proposed", "anna", RunningConsole.Settler.Evidence), (status, Text(proposed, "State"), Text(proposed, "By"), Text(proposed, "Evidence")));
        var (twice, refused) = await PostAsync(Anna, "settlement/confirm");
        Assert.Equal((409, "Refused"), (twice, Text(refused, "Error")));
        Assert.Contains("another-operator", Text(refused, "Message"), StringComparison.Ordinal);
        var (done, settled) = await PostAsync(Ben, "settlement/confirm");
        Assert.Equal((200, "Settled", "ben", "anna"), (done, Text(settled, "State"), Text(settled, "By"), Text(settled, "ProposedBy")));

        var audit = await EventsAsync(Streams.Audit(DateTimeOffset.UtcNow));
        Assert.Equal(["operator:anna", "operator:anna", "operator:ben"], audit.Select(e => e.Actor));
        Assert.All(audit, e => Assert.Equal("order_settlement_ordered", e.Type));
        Assert.Contains(await EventsAsync(Streams.Order(Trade)), e => e.Type == "entry_failed");
    }

    /// <summary>Prevents that one operator is two by saying so: the name comes from the token.</summary>
    [Fact]
    public async Task Who_it_is_says_the_token_and_not_the_body()
    {
        await InDoubtAsync();
        await PostAsync(Anna, "settlement", new { Reason = "gone", By = "anna" });
        Assert.Equal(409, (await PostAsync(Anna, "settlement/confirm", new { Reason = "gone", By = "ben" })).Status);
    }

    [Theory]
    [InlineData("nonsense/settlement", 400)]
    [InlineData("e0-ffffffffffffffffffffffffffffffff/settlement", 404)]
    public async Task What_is_no_order_of_ours_is_refused_and_not_recorded(string path, int status)
    {
        Assert.Equal(status, (await SendAsync(Anna, $"api/orders/{path}", new { Reason = "gone" })).Status);
        Assert.Empty(await EventsAsync(Streams.Audit(DateTimeOffset.UtcNow)));
    }

    [Fact]
    public async Task Without_a_reason_nothing_is_done()
    {
        await InDoubtAsync();
        Assert.Equal(400, (await PostAsync(Anna, "settlement", new { })).Status);
        Assert.Equal(400, (await PostAsync(Anna, "settlement", new { Reason = "" })).Status);
        Assert.Empty(await EventsAsync(Streams.Audit(DateTimeOffset.UtcNow)));
    }

    [Fact]
    public async Task The_same_request_again_is_one_request()
    {
        await InDoubtAsync();
        Assert.Equal(200, (await PostAsync(Anna, "settlement", key: "once-and-for-all")).Status);
        Assert.Equal(200, (await PostAsync(Anna, "settlement", key: "once-and-for-all")).Status);
        Assert.Single(await EventsAsync(Streams.Audit(DateTimeOffset.UtcNow)));
    }

    [Fact]
    public async Task With_one_token_for_all_nobody_settles_anything()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "one")).FullName;
        await using var console = await RunningConsole.StartAsync(folder);
        var (status, body) = await console.PostAsync($"/api/orders/{Order}/settlement", new { Reason = "gone" });
        Assert.Equal((409, "OneOperator"), (status, Text(body, "Error")));
    }

    [Theory]
    [InlineData("anna=annas-own-token-0123456789,ben=short")]
    [InlineData("anna=annas-own-token-0123456789,bens-own-token-0123456789")]
    [InlineData("anna=annas-own-token-0123456789,anna=bens-own-token-0123456789")]
    public void Tokens_that_do_not_tell_operators_apart_are_refused_at_start(string tokens) => Assert.Single(ConsoleOptions.Check(new ConsoleOptions { Token = tokens }));

    [Fact]
    public async Task The_command_proposes_and_confirms_and_its_exit_codes_are_honest()
    {
        await InDoubtAsync();
        var (anna, ben) = (await TokenFileAsync("anna", Anna), await TokenFileAsync("ben", Ben));
        var proposed = await RunAsync(anna, "--reason", "the venue is gone", "--json");
        Assert.Equal(0, proposed.ExitCode);
        var answer = JsonDocument.Parse(proposed.Output).RootElement;
        Assert.Equal(("Proposed", RunningConsole.Settler.Evidence), (Text(answer, "State"), Text(answer, "Evidence")));
        var refused = await RunAsync(anna, "--reason", "the venue is gone", "--confirm");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("another-operator", refused.Error, StringComparison.Ordinal);
        var settled = await RunAsync(ben, "--reason", "so I hold", "--confirm");
        Assert.Equal(0, settled.ExitCode);
        Assert.Contains("Settled as never placed by anna and ben", settled.Output, StringComparison.Ordinal);

        Assert.Equal(6, (await RunAsync(await TokenFileAsync("eve", "eves-token-0123456789"), "--reason", "x")).ExitCode);
        Assert.Equal(5, (await RunAsync(anna, ClientOrderId.Of(Trade, OrderRole.Exit, 7).Value, "--reason", "x")).ExitCode);
        Assert.Equal(2, (await RunAsync(anna, "nonsense", "--reason", "x")).ExitCode);
        Assert.Equal(2, (await RunAsync(anna)).ExitCode);
        Assert.Equal(1, (await AntbotProcess.RunAsync(_folder, "order", "resolve", Order.Value, "--reason", "x", "--store", $"sqlite:{Path.Combine(_folder, "antbot.db")}")).ExitCode);
    }

    /// <summary>An entry that was sent a minute ago and never answered.</summary>
    private async Task InDoubtAsync()
    {
        var pipeline = new StreamPipeline<OrdersState>(_console.Parts with { Clock = new Minute() }, ExecutionDecider.Behaviour);
        var stamp = new Stamp(Minute.Now, 3_000, 0, null, null, null);
        var signal = new Signal(
            Trade, new AccountId("main"), "strategy:test", new Symbol("BTCUSDT"), Side.Buy, OrderKind.Market, new Price(65_000), null, null, null, new Money(100), 0.9m, Minute.Now, Minute.Now.AddSeconds(30));
        var rules = new SymbolRules(signal.Symbol, "BTC", "USDT", 0.01m, 0.00001m, new Quantity(0.00001m), new Quantity(9_000), new Money(5));
        var policy = new ExecutionPolicy(0.02m, null, null, null, 3, 0.005m, 0.02m, 5, 1_000);
        await DecideAsync("enter", new Enter(signal, new Money(100), rules, new Price(65_000), policy, stamp));
        await DecideAsync("silence", new AttemptAnswered(Order, 1, new VenueAnswer<OrderReport>.Unknown("timed out"), stamp));

        Task DecideAsync(string what, ExecutionInput input) =>
            pipeline.RecordAsync(Streams.Order(Trade), new Input(DeterministicId.From(what), input, Trade.Value, "service:execution"), (state, now) => ValueTask.FromResult(Decided.Of(ExecutionDecider.Record(state, input, now))), Cancel);
    }

    private Task<(int Status, JsonElement Body)> PostAsync(string token, string what, object? body = null, string? key = null) => SendAsync(token, $"api/orders/{Order}/{what}", body ?? new { Reason = "the venue is gone" }, key);

    private async Task<(int Status, JsonElement Body)> SendAsync(string token, string path, object body, string? key = null)
    {
        using var client = _console.ClientOf(token);
        if (key is not null)
            client.DefaultRequestHeaders.Add("Idempotency-Key", key);
        using var answer = await client.PostAsJsonAsync(path, body, JsonSerializerOptions.Default, Cancel);
        Assert.NotEqual(HttpStatusCode.InternalServerError, answer.StatusCode);
        return ((int)answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).RootElement);
    }

    private Task<Said> RunAsync(string tokenFile, params string[] arguments) => AntbotProcess.RunAsync(
        _folder, ["order", "resolve", .. arguments is [{ } id, ..] && !id.StartsWith('-') ? arguments : [Order.Value, .. arguments], "--console", _console.Address, "--token-file", tokenFile]);

    private async Task<string> TokenFileAsync(string name, string token)
    {
        var file = Path.Combine(_folder, $"{name}.token");
        await File.WriteAllTextAsync(file, token + "\n", Cancel);
        return file;
    }

    private async Task<IReadOnlyList<StoredEvent>> EventsAsync(StreamId stream)
    {
        var all = new List<StoredEvent>();
        await foreach (var stored in _console.Store.ReadStreamAsync(stream, 1, Cancel))
            all.Add(stored);
        return all;
    }

    private static string Text(JsonElement body, string name) => body.GetProperty(name).GetString()!;

    private sealed class Minute : TimeProvider
    {
        public static DateTimeOffset Now { get; } = DateTimeOffset.UtcNow.AddMinutes(-1);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
