using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Antbot.Chaos.Checking;
using Antbot.Chaos.Running;
using Npgsql;

namespace Antbot.Chaos.Faults;

/// <summary>Dead letters by the thousands are sent once more while whoever sends, carries, decides and records them dies again and again.</summary>
internal static class DeadLetters
{
    private const int Count = 10_000;
    private const int SelectionMax = 5_000;
    private const int DeathsMin = 6;

    /// <summary>Then the rest is let go on: each costs what was under way its seconds.</summary>
    private const int DeathsMax = 18;
    private const string Console = "console";
    private const string Replayed = "dead_letter_replayed";
    private const string Errors = "antbot-execution_error";

    private static readonly TimeSpan Within = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan BetweenDeaths = TimeSpan.FromSeconds(4);

    private static readonly IReadOnlyDictionary<string, string> Fast = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["ANTBOT_CONSOLE__REPLAYLETTERSMAX"] = "5000", ["ANTBOT_CONSOLE__REPLAYSPERSECOND"] = "5000", ["ANTBOT_CONSOLE__RESENDSECONDS"] = "2",
    };

    public static async Task ReplayAsync(Scene scene)
    {
        scene.Target[Console].Extra = Fast;
        await scene.KillAsync(Console);
        scene.Say($"{Count:N0} dead letters lie in their queue");
        await scene.Services.PublishAsync(Errors, Enumerable.Range(0, Count).Select(_ => Message()), scene.Cancel);
        await scene.KillAsync(Console);
        await scene.UntilAsync(async () => await CountAsync(scene, "dead_letter_kept") >= Count, "every dead letter is in the record", Within);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(scene.Cancel);
        var killing = KillAsync(scene, over.Token);
        await scene.UntilAsync(() => AllReplayedAsync(scene, Count), "every dead letter is replayed", Within);
        await over.CancelAsync();
        var deaths = await killing;
        scene.Note($"{Count:N0} replayed in {await TryCountAsync(scene, "replays_requested")} selections, {await TryCountAsync(scene, "replays_stopped")} of them stopped, beside {deaths} deaths");
        if (deaths < DeathsMin)
            scene.Fault($"there were only {deaths} deaths meanwhile: the case says little");
        scene.Target[Console].Extra = new Dictionary<string, string>(StringComparer.Ordinal);
        scene.Healed();
    }

    /// <summary>One at a time is laid there, and what is open is asked for, while the Console dies at a point of its own.</summary>
    public static async Task DieAtAsync(Scene scene, string point)
    {
        var (before, laid) = (await CountAsync(scene, Replayed), 0);
        scene.Target[Console].Extra = Fast;
        await Processes.DieAtAsync(scene, Console, point, async () =>
        {
            await scene.Services.PublishAsync(Errors, [Message()], scene.Cancel);
            laid++;
            await AllReplayedAsync(scene, before + laid);
        });
        scene.Target[Console].Extra = new Dictionary<string, string>(StringComparer.Ordinal);
        await scene.UntilAsync(() => AllReplayedAsync(scene, before + laid), "every dead letter is replayed");
        scene.Note($"{laid} dead letters replayed");
    }

    /// <summary>What is open is asked for anew as long as nothing else is under way: a selection takes half of them, and stops where something is not heard of.</summary>
    /// <param name="goal">So many in all.</param>
    private static async Task<bool> AllReplayedAsync(Scene scene, long goal)
    {
        if (await TryCountAsync(scene, Replayed) is not { } replayed)
            return false;
        if (replayed >= goal)
            return true;
        var (asked, over, refused) = (await TryCountAsync(scene, "replays_requested"), await TryCountAsync(scene, "replays_done") + await TryCountAsync(scene, "replays_stopped"), await TryCountAsync(scene, "replays_refused"));
        // A refusal is the answer to its request for ever: just after a death the list may not know yet what is open.
        if (asked is not null && refused is not null && asked == over)
            await RequestAsync(scene, $"selection-{asked}-{refused}");
        return false;
    }

    private static async Task<int> KillAsync(Scene scene, CancellationToken over)
    {
        var deaths = 0;
        Func<Task>[] turns =
        [
            () => scene.KillAsync(Console), () => scene.KillAsync("execution"), () => scene.KillAsync(Console), () => ServerFaults.KillRabbitAsync(scene),
            () => scene.KillAsync(Console), () => ServerFaults.RestartPostgresAsync(scene, scene.Services.Postgres.KillAsync),
        ];
        for (; !over.IsCancellationRequested && deaths < DeathsMax; deaths++)
        {
            await turns[deaths % turns.Length]();
            await Task.WhenAny(Task.Delay(BetweenDeaths, over));
        }
        return deaths;
    }

    /// <summary>Asked under one name until somebody answers, it is one request.</summary>
    private static async Task RequestAsync(Scene scene, string name)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(scene.Services.AddressOf(Console), "api/replays")) { Content = JsonContent.Create(new { All = true, Limit = SelectionMax, Reason = "mended" }, options: JsonSerializerOptions.Default) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", scene.Target.SignalKey);
        request.Headers.Add("Idempotency-Key", name);
        try
        {
            using var answer = await client.SendAsync(request, scene.Cancel);
            // Refused where none is new: those that are under way are waited for.
            if (answer.StatusCode is not (HttpStatusCode.Accepted or HttpStatusCode.Conflict or HttpStatusCode.ServiceUnavailable))
                throw new ChaosException($"The selection was answered with {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(scene.Cancel)}");
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or OperationCanceledException && !scene.Cancel.IsCancellationRequested)
        {
            // Nobody is there just now.
        }
    }

    private static async Task<long?> TryCountAsync(Scene scene, string type)
    {
        try
        {
            return await CountAsync(scene, type);
        }
        catch (NpgsqlException)
        {
            return null;
        }
    }

    private static async Task<long> CountAsync(Scene scene, string type)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(scene.Services.StoreAddress) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(scene.Cancel);
        await using var command = new NpgsqlCommand("select count(*) from mt_events where type = $1", connection) { Parameters = { new() { Value = type } } };
        return (long)(await command.ExecuteScalarAsync(scene.Cancel))!;
    }

    /// <summary>A word on an order that nobody knows, as it lies there when it could not be worked on: Execution decides on it, and refuses.</summary>
    private static (string Id, byte[] Body) Message()
    {
        var (id, trade) = ($"{Letters.ByHand}{$"{Guid.NewGuid():D}"[Letters.ByHand.Length..]}", Guid.NewGuid());
        return (id, Encoding.UTF8.GetBytes($$"""
            {"messageId":"{{id}}","messageType":["urn:message:Antbot.Contracts.Messages:SettleOrder"],
            "message":{"trade":"{{trade:N}}","order":"e0-{{trade:N}}","request":"{{Guid.NewGuid()}}","confirms":false,"by":"anna","reason":"it was lost"} }
            """));
    }
}
