using System.Diagnostics;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.EventStore.Postgres;
using Antbot.Integration.Tests.Cli;
using Antbot.Integration.Tests.Postgres;
using Antbot.Integration.Tests.Support;
using Antbot.Kernel.Identity;
using Antbot.LocalServers;
using Antbot.Messaging;
using Antbot.Runtime.Store;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Xunit;

namespace Antbot.Integration.Tests.DeadLetters;

/// <summary>A Console's process sends many letters once more over a real broker, and is killed at every step of it.</summary>
public sealed class ReplaysKillTests(PostgresFixture postgres, RabbitFixture rabbit) : IAsyncLifetime
{
    private const int Letters = 40;

    private static readonly EventCodec Codec = new(EventRegistry.From(typeof(DeadLetterKept).Assembly, typeof(Hosting.ProcessStarted).Assembly, typeof(ConsoleService.OperatorCommands).Assembly));

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-selections-").FullName;
    private readonly Guid _selection = Guid.NewGuid();
    private PostgresDatabase _database = null!;
    private RabbitVirtualHost _host = null!;
    private IEventStore _store = null!;
    private IConnection _broker = null!;
    private int _delivered;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.Server.CreateDatabaseAsync(cancellationToken: Cancel);
        _host = await rabbit.CreateVirtualHostAsync();
        await PostgresSchema.EnsureAsync(_database.ConnectionString, Cancel);
        _store = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = _database.ConnectionString });
        _broker = await new ConnectionFactory { Uri = _host.Uri, AutomaticRecoveryEnabled = false }.CreateConnectionAsync(Cancel);
        await using var channel = await _broker.CreateChannelAsync(cancellationToken: Cancel);
        await Topology.DeclareAsync(channel, Topology.Lanes, Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        await _store.DisposeAsync();
        await rabbit.DropAsync(_host);
        await postgres.Server.DropDatabaseAsync(_database.Name, CancellationToken.None);
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("replays.after-append", 1)]
    [InlineData("dead-letters.after-append", 5)]
    [InlineData("dead-letters.after-send", 3)]
    public async Task Killed_at_any_step_every_letter_has_one_turn_and_one_effect(string point, int first)
    {
        var kept = new List<DeadLetterKept>();
        var trade = new TradeId(Guid.NewGuid());
        for (var i = 0; i < Letters; i++)
            kept.Add(await SeededLetters.KeepAsync(_store, trade: i % 5 == 0 ? trade : null));
        await RequestAsync(kept);
        await using var service = await ActAsync(kept);
        for (var kill = 1; kill <= 3; kill++)
        {
            using var dying = Start(("TESTING", "true"), ("CRASH_AT", $"{point}:{first * kill}"));
            await dying.WaitForExitAsync(Cancel).WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        }
        using var console = Start();
        await Eventually.HoldsAsync(async () => (await EventsAsync<ReplaysDone>()).Count == 1, "it is done");
        console.Kill();
        await console.WaitForExitAsync(Cancel);

        var batches = (await EventsAsync<ReplayBatchBegun>()).Select(b => b.Letters).ToList();
        Assert.Equal(kept.Select(k => k.Letter).Order(), batches.SelectMany(b => b).Order());
        var about = kept.Where(k => k.Trades[0] == trade).Select(k => k.Letter).ToHashSet();
        Assert.All(batches, b => Assert.InRange(b.Count(about.Contains), 0, 1));
        Assert.Equal(Letters, (await EventsAsync<ReplayBatchEnded>()).Sum(b => b.Replayed));
        foreach (var replays in new[] { (await EventsAsync<DeadLetterReplayOrdered>()).Select(e => (e.Letter, e.Replay)), (await EventsAsync<DeadLetterReplayed>()).Select(e => (e.Letter, e.Replay)) })
            Assert.Equal(kept.Select(k => (k.Letter, 1)).Order(), replays.Order());
        // However often each was sent.
        Assert.InRange(_delivered, Letters, Letters * 3);
        Assert.Equal(Letters, (await EventsAsync<OrderSettlementRefused>()).Count);
    }

    /// <summary>Prevents that many which share a connection are blamed for the one that ends it.</summary>
    [Fact]
    public async Task One_that_ends_the_connection_is_alone_to_blame_for_it()
    {
        var wide = await SeededLetters.KeepAsync(_store, k => k with { Properties = k.Properties! with { Headers = [new(0, "wide", HeaderKind.Text, new string('x', 200_000))] } });
        var kept = new List<DeadLetterKept>();
        for (var i = 0; i < Letters; i++)
            kept.Add(await SeededLetters.KeepAsync(_store));
        foreach (var letter in kept[..(Letters / 2)].Append(wide).Concat(kept[(Letters / 2)..]))
            await SeededLetters.OrderAsync(_store, letter, 1);
        await using var service = await ActAsync(kept);
        using var console = Start();
        await Eventually.HoldsAsync(async () => (await EventsAsync<DeadLetterReplayed>()).Count == Letters && (await EventsAsync<DeadLetterReturned>()).Count > 0, "all have come to their end");
        console.Kill();
        await console.WaitForExitAsync(Cancel);
        Assert.Equal(kept.Select(k => k.Letter).Order(), (await EventsAsync<DeadLetterReplayed>()).Select(e => e.Letter).Order());
        Assert.Equal(wide.Letter, Assert.Single(await EventsAsync<DeadLetterReturned>()).Letter);
    }

    private Task RequestAsync(List<DeadLetterKept> kept) => _store.AppendAsync(
        SeededLetters.Append(
            Streams.Replays(_selection), new Decision(_selection, "replays"),
            new ReplaysRequested(
                _selection, new ReplaysQuery(null, null, null, null, null), [.. kept.Select(k => new SelectedLetter(k.Letter, k.Trades[0]))], Money.Zero, new ReplaysPace(1_000, 20, 60), new ReplaysLimits(100, Money.Zero), NeedsApproval: false, "mended", "anna")),
        Cancel);

    /// <summary>Stands where Execution would: records what it decides, and finds what it has decided.</summary>
    private async Task<IChannel> ActAsync(List<DeadLetterKept> kept)
    {
        var messages = kept.ToDictionary(k => $"{k.Message:D}", StringComparer.Ordinal);
        var channel = await _broker.CreateChannelAsync(cancellationToken: Cancel);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += async (_, delivery) =>
        {
            Interlocked.Increment(ref _delivered);
            await _store.AppendAsync(SeededLetters.EffectOf(messages[delivery.BasicProperties.MessageId!]), Cancel);
            await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false, Cancel);
        };
        await channel.BasicConsumeAsync(Topology.QueueOf(Routes.Execution), autoAck: false, consumer, Cancel);
        return channel;
    }

    private Process Start(params (string, string)[] settings) => AntbotProcess.Start(
        "Antbot.Console.dll", _folder,
        [("STORE", _database.ConnectionString), ("BUS", _host.Uri.ToString()), ("LISTEN", "http://127.0.0.1:0"), ("CONSOLE__TOKEN", "a-token-that-nobody-guesses"), ("LOGLEVEL", "Error"), .. settings], []);

    private async Task<List<T>> EventsAsync<T>()
        where T : class
    {
        var (found, after) = (new List<T>(), 0L);
        while (await _store.ReadPageAsync(after, 1_000, Cancel) is { Count: > 0 } page)
        {
            found.AddRange(page.Select(e => Codec.Find<T>(e)).OfType<T>());
            after = page[^1].Sequence;
        }
        return found;
    }
}
