using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Antbot.Benchmarks.Pipeline;
using Antbot.Contracts;
using Antbot.Kernel.Identity;
using RabbitMQ.Client;

namespace Antbot.Benchmarks.DeadLetters;

/// <summary>
/// As many dead letters as one selection takes, through every service as a process of its own: drained into the record, and sent once more until what
/// was decided on each of them is known. Beside it the bare transport: one publish with its confirmation and one acknowledged delivery each.
/// </summary>
public static class ReplaysBench
{
    private const int LettersMax = 5_000;
    private const int Warm = 200;
    private const int PerSecondMin = 1_000;
    private const string Errors = "antbot-execution_error";

    private static readonly TimeSpan Within = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan TransportTime = TimeSpan.FromSeconds(5);

    public static async Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        await using var servers = await Pipeline.Servers.StartAsync(cancellationToken);
        await using var pipeline = await PipelineBench.StartPlatformAsync(servers, cancellationToken);
        pipeline.Set("ANTBOT_CONSOLE__REPLAYLETTERSMAX", $"{LettersMax}");
        pipeline.Set("ANTBOT_CONSOLE__REPLAYBATCHMAX", "1000");
        pipeline.Set("ANTBOT_CONSOLE__REPLAYSPERSECOND", "10000");
        var (process, client) = await pipeline.StartConsoleAsync(cancellationToken);
        using (client)
        await using (process)
        {
            await DrainAsync(pipeline, client, Warm, cancellationToken);
            await ReplayAsync(client, Warm, cancellationToken);
            var drained = await DrainAsync(pipeline, client, LettersMax, cancellationToken);
            var replayed = await ReplayAsync(client, LettersMax, cancellationToken);
            var bare = await TransportLimit.TradesPerSecondAsync((await servers.Rabbit.CreateVirtualHostAsync(cancellationToken: cancellationToken)).Uri, messagesPerTrade: 1, Body(0).Length, TransportTime, cancellationToken);
            var section = report.Of("PostgreSQL and RabbitMQ");
            section.Show($"{LettersMax:N0} dead letters taken out of their queue into the record and its list", drained, "a second", limit: bare);
            section.AtLeast($"{LettersMax:N0} of them sent once more, to the decision on each (peer: taken out of their queue)", replayed, "a second", PerSecondMin, peer: drained, limit: bare, ratio: replayed);
        }
    }

    /// <summary>From the first one in the queue until all stand in the list.</summary>
    private static async Task<double> DrainAsync(AntbotPipeline pipeline, HttpClient client, int letters, CancellationToken cancellationToken)
    {
        await using var connection = await new ConnectionFactory { Uri = pipeline.Bus }.CreateConnectionAsync(cancellationToken);
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), cancellationToken);
        var began = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(Enumerable.Range(letters, letters), new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancellationToken }, async (n, token) =>
            await channel.BasicPublishAsync("", Errors, mandatory: true, new BasicProperties { Persistent = true, MessageId = $"{MessageId(n):D}", ContentType = "application/vnd.masstransit+json" }, Body(n), token));
        await UntilAsync(async () => (await AskAsync(client, "/api/deadletters/groups", cancellationToken)).GetProperty("Items").EnumerateArray().Sum(g => g.GetProperty("Letters").TryGetProperty("New", out var open) ? open.GetInt64() : 0) >= letters, began, "taken out of its queue", cancellationToken);
        return letters / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>From the operator's word until it is done.</summary>
    private static async Task<double> ReplayAsync(HttpClient client, int letters, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        using var answer = await client.PostAsJsonAsync("/api/replays", new { All = true, Reason = "measured" }, JsonSerializerOptions.Default, cancellationToken);
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"The selection was refused: {text}");
        var selection = JsonElement.Parse(text).GetProperty("Selection").GetProperty("Id").GetString();
        JsonElement story = default;
        await UntilAsync(
            async () =>
            {
                story = await AskAsync(client, $"/api/replays/{selection}", cancellationToken);
                return story.GetProperty("Selection").GetProperty("State").GetString() is "Done" or "Stopped";
            },
            began, "sent once more", cancellationToken);
        var took = Stopwatch.GetElapsedTime(began);
        if (story.GetProperty("Selection").GetProperty("Replayed").GetInt32() is var replayed && replayed != letters)
            throw new InvalidOperationException($"{replayed} of {letters} were replayed: {story}");
        return letters / took.TotalSeconds;
    }

    private static async Task UntilAsync(Func<Task<bool>> holds, long began, string what, CancellationToken cancellationToken)
    {
        while (!await holds())
        {
            if (Stopwatch.GetElapsedTime(began) > Within)
                throw new InvalidOperationException($"After {Within.TotalMinutes:0} minutes not every letter was {what}.");
            await Task.Delay(50, cancellationToken);
        }
    }

    private static async Task<JsonElement> AskAsync(HttpClient client, string path, CancellationToken cancellationToken)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        return answer.IsSuccessStatusCode ? JsonElement.Parse(text) : throw new InvalidOperationException($"{path} was answered with {(int)answer.StatusCode}: {text}");
    }

    private static Guid MessageId(int n) => DeterministicId.From("bench-letter", $"{n}");

    /// <summary>A word on an order that nobody knows: Execution decides on it, and refuses.</summary>
    private static byte[] Body(int n)
    {
        var trade = new TradeId(DeterministicId.From("bench-trade", $"{n}"));
        return Encoding.UTF8.GetBytes($$"""
            {"messageId":"{{MessageId(n)}}","messageType":["urn:message:Antbot.Contracts.Messages:SettleOrder"],
            "message":{"trade":"{{trade}}","order":"{{ClientOrderId.Of(trade, OrderRole.Entry, 0)}}","request":"{{DeterministicId.From("bench-request", $"{n}")}}","confirms":false,"by":"anna","reason":"measured"} }
            """);
    }
}
