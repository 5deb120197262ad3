using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Antbot.ConsoleService;
using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Execution;
using Antbot.Hosting;
using Antbot.Integration.Tests.Execution;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Control;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Antbot.Integration.Tests.ConsoleApi;

/// <summary>A Console in this process, as a host runs it, over a store in a file.</summary>
internal sealed class RunningConsole : IAsyncDisposable
{
    public const string Token = "a-token-that-nobody-guesses";

    /// <summary>A reason for closing that nobody here can work on.</summary>
    public const string Deadly = "deadly";

    private readonly WebApplication _app;

    private RunningConsole(WebApplication app, string address)
    {
        (_app, Address) = (app, address);
        Client = ClientOf(Token);
    }

    public HttpClient Client { get; }

    public PipelineParts Parts => _app.Services.GetRequiredService<PipelineParts>();

    public string Address { get; }

    public IEventStore Store => _app.Services.GetRequiredService<IEventStore>();

    public IDeadLetters Letters => _app.Services.GetRequiredService<IDeadLetters>();

    /// <summary>Of the Execution in the same process.</summary>
    public TestGate Gate => (TestGate)_app.Services.GetRequiredService<IEntryGate>();

    public ConcurrentQueue<CloseTrade> Closes => _app.Services.GetRequiredService<Closer>().Heard;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static Task<RunningConsole> StartAsync(string folder, params IReadOnlyList<string> more) => StartAsync(folder, [], more);

    /// <param name="others">What runs beside it.</param>
    public static async Task<RunningConsole> StartAsync(string folder, IReadOnlyList<IServiceModule> others, IReadOnlyList<string> more)
    {
        string[] args = [$"--store=sqlite:{Path.Combine(folder, "antbot.db")}", $"--console:token={Token}", .. more];
        var app = ServiceHost.Build(args, [new ConsoleModule(), new CloserModule(), .. others], out var faults);
        Assert.True(app is not null, string.Join('\n', faults));
        await app.StartAsync(Cancel);
        return new RunningConsole(app, app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    public HttpClient ClientOf(string token) => new() { BaseAddress = new Uri(Address), DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };

    public async Task<JsonElement> GetAsync(string path)
    {
        var answer = await Client.GetAsync(path, Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    public async Task<(int Status, JsonElement Body)> PostAsync(string path, object body, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body as string ?? JsonSerializer.Serialize(body), Encoding.UTF8, "application/json") };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        var answer = await Client.SendAsync(request, Cancel);
        return ((int)answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).RootElement);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }

    /// <summary>Stands where Execution would.</summary>
    private sealed class CloserModule : IServiceModule
    {
        public string Name => Routes.Execution;

        public void Configure(ModuleBuilder builder)
        {
            builder.Services.AddSingleton<IEntryGate, TestGate>();
            builder.Handle<CloseTrade, Closer>();
            builder.Handle<SettleOrder, Settler>();
        }
    }

    /// <summary>Decides as Execution does, for a venue that does not answer.</summary>
    internal sealed class Settler(PipelineParts parts, TimeProvider clock) : IMessageHandler<SettleOrder>
    {
        public const string Evidence = "by its id: timed out";

        private readonly StreamPipeline<OrdersState> _pipeline = new(parts, ExecutionDecider.Behaviour);

        public Task HandleAsync(SettleOrder message, Input input, CancellationToken cancellationToken)
        {
            var stamp = new Stamp(clock.GetUtcNow(), 3_000, 0, null, null, null);
            ExecutionInput settle = message.Confirms
                ? new ConfirmSettlement(message.Order, message.Request, message.By, message.Reason, Evidence, stamp)
                : new ProposeSettlement(message.Order, message.Request, message.By, message.Reason, Evidence, stamp);
            return _pipeline.HandleAsync(Streams.Order(message.Trade), input with { Body = settle }, cancellationToken);
        }
    }

    internal sealed class Closer : IMessageHandler<CloseTrade>
    {
        public ConcurrentQueue<CloseTrade> Heard { get; } = new();

        public Task HandleAsync(CloseTrade message, Input input, CancellationToken cancellationToken)
        {
            if (message.Reason == Deadly)
                throw new InvalidOperationException("It is deadly.");
            Heard.Enqueue(message);
            return Task.CompletedTask;
        }
    }
}
