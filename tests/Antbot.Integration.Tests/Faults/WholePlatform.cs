using System.Collections;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Hosting;
using Antbot.Integration.Tests.PaperVenue;
using Antbot.Integration.Tests.Postgres;
using Antbot.Integration.Tests.Support;
using Antbot.LocalServers;
using Antbot.Messaging;
using Antbot.PaperVenue;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;
using Antbot.Standalone;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using RabbitMQ.Client;
using Xunit;

namespace Antbot.Integration.Tests.Faults;

/// <summary>Every service's module in this process, over a database and a virtual host of a test's own on real servers, and a paper venue.</summary>
internal sealed class WholePlatform : IAsyncDisposable
{
    private const string Token = "operators-token-of-the-tests";
    private const string SignalKey = "a-key-that-nobody-guesses";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly PostgresFixture _postgres;
    private readonly RabbitFixture _rabbit;
    private readonly PostgresDatabase _database;
    private readonly RabbitVirtualHost _host;
    private readonly RunningVenue _venue;
    private readonly WebApplication _app;
    private readonly HttpClient _http;

    private WholePlatform(PostgresFixture postgres, RabbitFixture rabbit, PostgresDatabase database, RabbitVirtualHost host, RunningVenue venue, WebApplication app)
    {
        (_postgres, _rabbit, _database, _host, _venue, _app) = (postgres, rabbit, database, host, venue, app);
        _http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()), Timeout = TimeSpan.FromSeconds(60) };
        _http.DefaultRequestHeaders.Add("X-Api-Key", SignalKey);
        _http.DefaultRequestHeaders.Authorization = new("Bearer", Token);
        History = new History(Store);
    }

    public IServiceProvider Services => _app.Services;

    public IEventStore Store => _app.Services.GetRequiredService<IEventStore>();

    public Uri Broker => _host.Uri;

    public VenueClient Venue => _venue.Client;

    public Uri VenueAddress => _venue.Server.Address;

    public ApiKey VenueKey => _venue.Server.Key;

    public History History { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <param name="through">Changes the addresses of the database and the broker, so that links stand between.</param>
    /// <param name="settings">Of the services, as <c>risk:maxExposure=100</c>; they win over the test's defaults.</param>
    public static async Task<WholePlatform> StartAsync(
        PostgresFixture postgres, RabbitFixture rabbit, IReadOnlyList<string> settings, Func<PostgresDatabase, RabbitVirtualHost, (int Postgres, int Rabbit)>? through = null)
    {
        var database = await postgres.Server.CreateDatabaseAsync(cancellationToken: Cancel);
        var host = await rabbit.CreateVirtualHostAsync();
        var venue = await RunningVenue.StartAsync(o => o with { Deposits = PaperVenueOptions.PracticeDeposits });
        var (store, bus) = (database.ConnectionString, host.Uri);
        if (through?.Invoke(database, host) is { } ports)
        {
            store = new NpgsqlConnectionStringBuilder(store) { Host = "127.0.0.1", Port = ports.Postgres }.ConnectionString;
            bus = new UriBuilder(bus) { Port = ports.Rabbit }.Uri;
        }
        string[] arguments =
        [
            $"--store={store}", $"--bus={bus}", "--instance=tests", "--profile=load", "--logLevel=Critical",
            $"--venue:address={venue.Server.Address}", "--venue:paper=true", $"--venue:key={venue.Server.Key.Key}", $"--venue:secret={venue.Server.Key.Secret}",
            $"--signal:apiKey={SignalKey}", "--signal:strategies=", "--signal:lifeSeconds=600", $"--console:token={Token}",
            "--validation:maxAgeSeconds=900", "--validation:maxLifeSeconds=900", "--validation:duplicateWindowSeconds=0", "--risk:maxExposure=100000",
            "--execution:windowMilliseconds=1000", "--execution:askMarginMilliseconds=200",
            .. settings.Select(s => $"--{s}"),
        ];
        var app = ServiceHost.Build(arguments, new Hashtable(), PlatformModules.Make(), out var faults, isWhole: true) ?? throw new InvalidOperationException(string.Join('\n', faults));
        await app.StartAsync(Cancel);
        return new WholePlatform(postgres, rabbit, database, host, venue, app);
    }

    public async Task<(HttpStatusCode Status, JsonElement Body)> ReadyzAsync()
    {
        using var answer = await _http.GetAsync("/readyz", Cancel);
        return (answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).RootElement);
    }

    /// <summary>How many messages of a kind were handled and acknowledged.</summary>
    public async Task<double> HandledAsync(string message)
    {
        var text = await _http.GetStringAsync("/metrics", Cancel);
        return text.Split('\n').Where(l => l.StartsWith("antbot_messages_handled_total", StringComparison.Ordinal) && l.Contains($"message=\"{message}\"", StringComparison.Ordinal))
            .Sum(l => double.Parse(l[(l.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>Ready, and the market is heard.</summary>
    public async Task ReadyAsync()
    {
        await UntilAsync(async () => (await ReadyzAsync()).Status == HttpStatusCode.OK, () => "everything is ready");
        await UntilAsync(() => Task.FromResult(Services.GetRequiredService<IMarketData>().Latest(new Symbol("BTCUSDT")) is not null), () => "there is a price");
    }

    public async Task<TradeId> SignalAsync(object body)
    {
        using var answer = await _http.PostAsJsonAsync("/signals", body, Cancel);
        using var said = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel));
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, said.RootElement.ToString());
        return TradeId.From(said.RootElement.GetProperty("tradeId").GetString()!);
    }

    /// <summary>An operator's order to sell what a trade holds.</summary>
    public async Task CloseAsync(TradeId trade)
    {
        using var answer = await _http.PostAsync($"/api/trades/{trade.Value}/close", JsonContent.Create(new { Reason = "enough", By = "anna" }, options: JsonSerializerOptions.Default), Cancel);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancel));
    }

    /// <summary>An operator's word that nothing new is entered.</summary>
    public async Task<HttpStatusCode> HaltAsync(string reason)
    {
        using var answer = await _http.PostAsync("/api/control/halt", JsonContent.Create(new { Reason = reason, By = "anna" }, options: JsonSerializerOptions.Default), Cancel);
        return answer.StatusCode;
    }

    public async Task<HttpStatusCode> PostAsync(string path, object body)
    {
        using var answer = await _http.PostAsync(path, JsonContent.Create(body, options: JsonSerializerOptions.Default), Cancel);
        return answer.StatusCode;
    }

    public Task SettledAsync(IReadOnlyCollection<TradeId> trades) =>
        UntilAsync(async () => (await History.ReadOnAsync(Cancel)).IsSettled(trades), () => History.WhatIsOpen(trades));

    public async Task HoldsAsync(IReadOnlyCollection<TradeId> trades) =>
        await (await History.ReadOnAsync(Cancel)).HoldsAsync(trades, await VenueOrderLine.ReadAsync(Venue), Cancel);

    public async Task<long> CountAsync(string queue)
    {
        await using var connection = await new ConnectionFactory { Uri = Broker }.CreateConnectionAsync(Cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancel);
        return await channel.MessageCountAsync(queue, Cancel);
    }

    /// <summary>The messages that nobody could work on, as the Console has recorded them.</summary>
    public async Task<IReadOnlyList<DeadLetterKept>> DeadLettersAsync() => [.. (await History.ReadOnAsync(Cancel)).Of<DeadLetterKept>()];

    /// <summary>None is recorded, and none is on its way into the record.</summary>
    public async Task NothingIsDeadLetteredAsync()
    {
        foreach (var queue in Contracts.Messages.Routes.Endpoints.SelectMany(e => new[] { Topology.ErrorQueueOf(e), Topology.SkippedQueueOf(e) }).Append(Topology.DeadLetters))
            Assert.True(await CountAsync(queue) == 0, $"messages are in {queue}");
        Assert.Empty(await DeadLettersAsync());
    }

    public static async Task UntilAsync(Func<Task<bool>> holds, Func<string> what)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Patience, $"It did not come about: {what()}");
            await Task.Delay(100, Cancel);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        await _venue.DisposeAsync();
        await _rabbit.DropAsync(_host);
        await _postgres.Server.DropDatabaseAsync(_database.Name, CancellationToken.None);
    }
}
