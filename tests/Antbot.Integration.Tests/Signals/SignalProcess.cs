using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Hosting;
using Antbot.Integration.Tests.Sqlite;
using Antbot.Integration.Tests.Support;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Control;
using Antbot.Runtime.Store;
using Antbot.Signals;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Integration.Tests.Signals;

/// <summary>The Signal service as its process hosts it, with a market of the test's and a Coordinator that only listens.</summary>
internal sealed class SignalProcess : IAsyncDisposable
{
    public const string Key = "a-key-that-nobody-guesses";

    public static readonly Symbol Symbol = new("BTCUSDT");

    private readonly WebApplication _app;

    private SignalProcess(WebApplication app, FakeMarket market, Probe<SignalRaised> coordinator)
    {
        (_app, Market, Coordinator) = (app, market, coordinator);
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()), Timeout = TimeSpan.FromMinutes(2) };
        Client.DefaultRequestHeaders.Add("X-Api-Key", Key);
    }

    public HttpClient Client { get; }

    public FakeMarket Market { get; }

    public Probe<SignalRaised> Coordinator { get; }

    public Door Door => _app.Services.GetRequiredService<Door>();

    public IEventStore Store => _app.Services.GetRequiredService<IEventStore>();

    public static async Task<SignalProcess> StartAsync(SqliteFolder folder, CancellationToken cancellationToken, params IReadOnlyList<string> more)
    {
        var (market, coordinator) = (new FakeMarket(), new Probe<SignalRaised>(Routes.Coordinator));
        market.Say(Symbol, 100, DateTimeOffset.UtcNow.AddMinutes(5));
        // The deadline of a host that has ended must not end the process that goes on: with three seconds it would be seen here.
        string[] args = [$"--Store=sqlite:{folder.Path}", "--Listen=http://127.0.0.1:0", "--signal:Strategies=", "--LogLevel=Warning", "--ShutdownSeconds=3", .. more, .. more.Any(m => m.Contains("ApiKey", StringComparison.Ordinal)) ? Array.Empty<string>() : [$"--signal:ApiKey={Key}"]];
        var app = ServiceHost.Build(args, [new MarketModule(market), new SignalModule(), coordinator], out var faults) ?? throw new InvalidOperationException(string.Join('\n', faults));
        await app.StartAsync(cancellationToken);
        return new SignalProcess(app, market, coordinator);
    }

    public Task RefreshControlAsync(CancellationToken cancellationToken) => _app.Services.GetRequiredService<ControlWatch>().RefreshAsync(cancellationToken);

    public Task<HttpResponseMessage> PostAsync(string body, string? idempotencyKey = null) => PostAsync(Encoding.UTF8.GetBytes(body), "application/json", idempotencyKey);

    public async Task<HttpResponseMessage> PostAsync(byte[] body, string? contentType, string? idempotencyKey = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/signals") { Content = new ByteArrayContent(body) };
        if (contentType is not null)
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        if (idempotencyKey is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", idempotencyKey);
        return await Client.SendAsync(request);
    }

    /// <summary>As the Coordinator would record it.</summary>
    public async Task BeginTradeAsync(Signal signal, CancellationToken cancellationToken) => await Store.AppendAsync(
        new AppendRequest
        {
            Stream = Streams.Trade(signal.Trade),
            Expected = ExpectedVersion.None,
            Decision = new Decision(Guid.NewGuid(), "test"),
            Events = [new EventCodec(EventRegistry.From(typeof(TradeRaised).Assembly)).Encode(new TradeRaised(signal, signal.ValidUntil))],
            At = DateTimeOffset.UtcNow,
        },
        cancellationToken);

    public static async Task<TradeId> TradeOf(HttpResponseMessage answer)
    {
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return TradeId.From(document.RootElement.GetProperty("tradeId").GetString()!);
    }

    public static string Body(string side = "buy", string? key = null, int n = 0) =>
        $$"""{"symbol":"BTCUSDT","side":"{{side}}","price":100,"n":{{n}}{{(key is null ? "" : $",\"idempotencyKey\":\"{key}\"")}}}""";

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
