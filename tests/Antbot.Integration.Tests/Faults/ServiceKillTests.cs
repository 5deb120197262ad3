using System.Collections;
using System.Diagnostics;
using System.Globalization;
using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Hosting;
using Antbot.Integration.Tests.Cli;
using Antbot.Integration.Tests.Postgres;
using Antbot.Integration.Tests.Support;
using Antbot.LocalServers;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using RabbitMQ.Client;
using Xunit;
using Some = Antbot.Core.Tests.Coordinator.Some;

namespace Antbot.Integration.Tests.Faults;

/// <summary>Validation as its own process, killed again and again with as many messages as it takes at once, none of them finished.</summary>
public sealed class ServiceKillTests(PostgresFixture postgres, RabbitFixture rabbit) : IAsyncLifetime
{
    private const int Prefetch = 64;
    private const int Kills = 6;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("antbot-kills-");
    private readonly Probe<SignalValidated> _coordinator = new(Routes.Coordinator);
    private PostgresDatabase _database = null!;
    private RabbitVirtualHost _host = null!;
    private WebApplication _app = null!;
    private IConnection _broker = null!;
    private Process? _service;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IEventStore Store => _app.Services.GetRequiredService<IEventStore>();

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.Server.CreateDatabaseAsync(cancellationToken: Cancel);
        _host = await rabbit.CreateVirtualHostAsync();
        _app = ServiceHost.Build([$"--store={_database.ConnectionString}", $"--bus={_host.Uri}", "--listen=http://127.0.0.1:0", "--logLevel=Critical"], new Hashtable(), [_coordinator], out var faults)
            ?? throw new InvalidOperationException(string.Join('\n', faults));
        await _app.StartAsync(Cancel);
        _broker = await new ConnectionFactory { Uri = _host.Uri }.CreateConnectionAsync(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        if (_service is { HasExited: false })
            _service.Kill();
        _service?.Dispose();
        await _broker.DisposeAsync();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        await rabbit.DropAsync(_host);
        await postgres.Server.DropDatabaseAsync(_database.Name, CancellationToken.None);
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Six_kills_in_a_row_with_a_full_prefetch_dead_letter_nobody_and_each_trade_is_decided_once()
    {
        StartService();
        var first = await SayAsync();
        await WholePlatform.UntilAsync(() => Task.FromResult(_coordinator.Taken.Any(t => t.Message.Trade == first)), () => "it works");
        // In order: killed before it has acknowledged that one, its queue would hold one more than are counted.
        RunningUp.End(_service!.Id);
        await _service.WaitForExitAsync(Cancel);

        var trades = new List<TradeId>();
        await using (var holder = new NpgsqlConnection(_database.ConnectionString))
        {
            await holder.OpenAsync(Cancel);
            await using var transaction = await holder.BeginTransactionAsync(Cancel);
            await HoldStreamAsync(holder);
            while (trades.Count < Prefetch)
                trades.Add(await SayAsync());
            for (var kill = 0; kill < Kills; kill++)
            {
                await WholePlatform.UntilAsync(async () => await WaitingAsync() == Prefetch, () => "all of them wait");
                StartService();
                await WholePlatform.UntilAsync(async () => await WaitingAsync() == 0, () => "it has taken all of them");
                await KillAsync();
            }
            Assert.DoesNotContain(_coordinator.Taken, t => trades.Contains(t.Message.Trade));
        }

        StartService();
        await WholePlatform.UntilAsync(
            () => Task.FromResult(trades.All(t => _coordinator.Taken.Any(a => a.Message.Trade == t))), () => string.Create(CultureInfo.InvariantCulture, $"all are answered, not {_coordinator.Taken.Count}"));
        // One decision each, and whatever was said again was the same answer.
        var decided = await Store.ReadStreamAsync(Streams.Validation(Some.Symbol), cancellationToken: Cancel).Select(e => e.CorrelationId).ToListAsync(Cancel);
        Assert.Equal(trades.Prepend(first).Select(t => t.Value).Order(StringComparer.Ordinal), decided.Order(StringComparer.Ordinal));
        Assert.Equal(trades.Count + 1, _coordinator.Taken.Select(t => t.Input.Id).Distinct().Count());
        foreach (var queue in new[] { Topology.DeadLetters, Topology.ErrorQueueOf(Routes.Validation), Topology.SkippedQueueOf(Routes.Validation) })
            Assert.Equal((queue, 0u), (queue, await CountAsync(queue)));
    }

    private void StartService()
    {
        _service?.Dispose();
        _service = AntbotProcess.Start(
            "Antbot.Validation.dll", _folder.FullName,
            [
                ("STORE", _database.ConnectionString), ("BUS", _host.Uri.ToString()), ("LISTEN", $"http://127.0.0.1:{FreePort.Next()}"), ("LOGLEVEL", "Critical"), ("PREFETCH", $"{Prefetch}"),
                ("VALIDATION__DUPLICATEWINDOWSECONDS", "0"), ("VALIDATION__MAXAGESECONDS", "900"),
            ],
            []);
    }

    private async Task KillAsync()
    {
        RunningUp.Kill(_service!.Id);
        await _service.WaitForExitAsync(Cancel);
    }

    /// <summary>Nothing can be added to the symbol's stream while somebody holds it; everything else of the store goes on.</summary>
    private static async Task HoldStreamAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("select 1 from public.mt_streams where id = $1 for update", connection);
        command.Parameters.AddWithValue(Streams.Validation(Some.Symbol).Value);
        Assert.NotNull(await command.ExecuteScalarAsync(Cancel));
    }

    /// <summary>By itself, as one that finds nothing on its way: a prefetch counts deliveries.</summary>
    private async Task<TradeId> SayAsync()
    {
        var (trade, now) = (new TradeId(Guid.NewGuid()), DateTimeOffset.UtcNow);
        var signal = Some.Signal with { Trade = trade, RaisedAt = now, ValidUntil = now.AddMinutes(30) };
        await _app.Services.GetRequiredService<IMessageBus>().PublishAsync([new OutboundMessage(Guid.NewGuid(), Routes.Validation, new ValidateSignal(signal), trade.Value, null)], Cancel);
        return trade;
    }

    /// <summary>In its queue, and with nobody.</summary>
    private Task<uint> WaitingAsync() => CountAsync(Topology.QueueOf(Routes.Validation));

    private async Task<uint> CountAsync(string queue)
    {
        await using var channel = await _broker.CreateChannelAsync(cancellationToken: Cancel);
        return await channel.MessageCountAsync(queue, Cancel);
    }
}
