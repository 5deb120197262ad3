using System.Diagnostics;
using System.Security.Cryptography;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.EventStore;
using Antbot.EventStore.Postgres;
using Antbot.Integration.Tests.Cli;
using Antbot.Integration.Tests.Postgres;
using Antbot.Integration.Tests.Support;
using Antbot.LocalServers;
using Antbot.Messaging;
using Antbot.ReadModels;
using Antbot.Runtime.Store;
using RabbitMQ.Client;
using Xunit;

namespace Antbot.Integration.Tests.DeadLetters;

/// <summary>A Console's process takes dead letters out of a real broker into a real database, and is killed at every step of it.</summary>
public sealed class DeadLetterDrainTests(PostgresFixture postgres, RabbitFixture rabbit) : IAsyncLifetime
{
    private static readonly EventCodec Codec = new(EventRegistry.From(typeof(DeadLetterKept).Assembly, typeof(Hosting.ProcessStarted).Assembly, typeof(ConsoleService.OperatorCommands).Assembly));

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-letters-").FullName;
    private PostgresDatabase _database = null!;
    private RabbitVirtualHost _host = null!;
    private IEventStore _store = null!;
    private IConnection _broker = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static IEnumerable<string> Queues => Routes.Endpoints.SelectMany(e => new[] { Topology.ErrorQueueOf(e), Topology.SkippedQueueOf(e) }).Append(Topology.DeadLetters);

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

    /// <param name="point">Between a body and its event, and between the event and the acknowledgement.</param>
    [Theory]
    [InlineData("dead-letters.before-append")]
    [InlineData("dead-letters.after-append")]
    public async Task Killed_at_any_step_every_letter_is_recorded_once_and_byte_for_byte(string point)
    {
        var sent = await SendAsync(200);
        for (var kill = 1; kill <= 3; kill++)
        {
            using var dying = Start(("TESTING", "true"), ("CRASH_AT", $"{point}:{kill * 17}"));
            await dying.WaitForExitAsync(Cancel).WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        }
        using var console = Start();
        await HoldsAsync(console, sent);
    }

    [Fact]
    public async Task A_thousand_without_ids_of_any_bytes_are_all_there()
    {
        var sent = await SendAsync(1_000);
        using var console = Start();
        await HoldsAsync(console, sent);
    }

    /// <summary>Two that differ in nothing at all but the mark that they were moved with.</summary>
    [Fact]
    public async Task Two_that_are_the_same_are_two()
    {
        await using var channel = await ChannelAsync();
        for (var i = 0; i < 2; i++)
            await channel.BasicPublishAsync("", Topology.ErrorQueueOf(Routes.Risk), mandatory: true, new BasicProperties { Persistent = true, Headers = new Dictionary<string, object?> { [DeadLetterHeaders.Mark] = $"{i}" } }, new byte[] { 7 }, Cancel);
        using var console = Start();
        await Eventually.HoldsAsync(async () => (await LettersAsync()).Count == 2, "both are recorded");
        Kill(console);
    }

    private async Task<List<string>> SendAsync(int count)
    {
        await using var channel = await ChannelAsync();
        var queues = Queues.ToArray();
        var sent = new List<string>();
        for (var i = 0; i < count; i++)
        {
            var body = RandomNumberGenerator.GetBytes(i switch { 0 => 0, 1 => 5 * 1024 * 1024, _ when i % 10 == 0 => 100_000, _ => 20 + i });
            var headers = i % 3 == 0 ? null : new Dictionary<string, object?> { ["strange \0"] = RandomNumberGenerator.GetBytes(i % 7), ["table"] = new Dictionary<string, object?> { ["n"] = i }, [DeadLetterHeaders.FaultMessage] = $"It failed for the {i}th time." };
            // Headers that are too large for an event, once they are written out.
            if (i == 5)
                headers!["many"] = new Dictionary<string, object?>(Enumerable.Range(0, 12_000).Select(n => KeyValuePair.Create($"{n:x}", (object?)true)));
            await channel.BasicPublishAsync("", queues[i % queues.Length], mandatory: true, new BasicProperties { Persistent = true, Headers = headers }, body, Cancel);
            sent.Add($"{queues[i % queues.Length]} {BlobHash.Of(body)}");
        }
        return sent;
    }

    private async Task HoldsAsync(Process console, List<string> sent)
    {
        await Eventually.HoldsAsync(async () => (await LettersAsync()).Count >= sent.Count, $"all {sent.Count} are recorded");
        foreach (var queue in Queues)
            await Eventually.HoldsAsync(async () => await CountAsync(queue) == 0, $"{queue} is empty");
        Kill(console);
        var letters = await LettersAsync();
        var kept = letters.Select(l => $"{l.Queue} {l.Content.Sha256}").ToList();
        Assert.Empty(sent.Except(kept));
        Assert.Empty(kept.Except(sent));
        Assert.Empty(letters.GroupBy(l => $"{l.Queue} {l.Content.Sha256}").Where(g => g.Count() > 1).SelectMany(g => g.Select(l => string.Join(' ', l.Properties?.Headers.Select(h => $"{h.Depth}:{h.Name}={h.Value}") ?? []))));
        var blobs = StoreAddress.OpenBlobs(_database.ConnectionString);
        await using var models = new PostgresReadModels(_database.ConnectionString);
        var stories = new DeadLetterStories(_store, Codec, models, blobs);
        foreach (var letter in letters)
        {
            Assert.Equal(letter.Content.Sha256, BlobHash.Of((await stories.ReadBodyAsync(letter.Letter, Cancel))!));
            var strange = (await stories.PropertiesOfAsync(letter, Cancel)).Headers;
            Assert.Equal(strange.Any(h => h.Name == "strange \\0"), strange.Any(h => h is { Name: "n", Depth: 1, Kind: HeaderKind.Int32 }));
        }
        Assert.Contains(letters, l => l.Body is null);
        Assert.Contains(letters, l => l.Properties is null);
    }

    private Process Start(params (string, string)[] settings) => AntbotProcess.Start(
        "Antbot.Console.dll", _folder,
        [("STORE", _database.ConnectionString), ("BUS", _host.Uri.ToString()), ("LISTEN", "http://127.0.0.1:0"), ("CONSOLE__TOKEN", "a-token-that-nobody-guesses"), ("LOGLEVEL", "Error"), .. settings], []);

    private static void Kill(Process process)
    {
        process.Kill();
        process.WaitForExit();
    }

    private async Task<List<DeadLetterKept>> LettersAsync()
    {
        var (letters, after) = (new List<DeadLetterKept>(), 0L);
        while (await _store.ReadPageAsync(after, 1_000, Cancel) is { Count: > 0 } page)
        {
            letters.AddRange(page.Where(e => e.Stream.StartsWith(Streams.DeadLetterPrefix, StringComparison.Ordinal)).Select(e => (DeadLetterKept)Codec.Decode(e)));
            after = page[^1].Sequence;
        }
        return letters;
    }

    private Task<IChannel> ChannelAsync() => _broker.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), Cancel);

    private async Task<long> CountAsync(string queue)
    {
        await using var channel = await _broker.CreateChannelAsync(cancellationToken: Cancel);
        return await channel.MessageCountAsync(queue, Cancel);
    }
}
