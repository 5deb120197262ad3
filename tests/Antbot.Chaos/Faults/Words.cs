using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Antbot.Chaos.Running;

namespace Antbot.Chaos.Faults;

/// <summary>What somebody says to the Console while it dies of it: said under one key until it is answered, each word is in the record once.</summary>
internal static class Words
{
    /// <param name="Event">What is recorded of it, by its stored name.</param>
    /// <param name="Member">Where <paramref name="Value"/> stands in that.</param>
    internal sealed record Word(string Path, object Body, string Event, string Member, string Value);

    private const string Console = "console";

    /// <summary>A token is made and revoked by turns: there may not be many at once.</summary>
    public static Word Tokens(string run, int n)
    {
        var name = $"{run}-{n / 2}";
        return n % 2 == 0
            ? new Word("api/tokens", new { Name = name, Role = "Viewer", Reason = "somebody wants to look" }, "access_token_made", "Name", name)
            : new Word($"api/tokens/{name}/revoke", new { Reason = "nobody wants to look any more" }, "access_token_revoked", "Name", name);
    }

    public static Word Incidents(string run, int n) => new("api/incidents", new { Reason = $"{run} {n}" }, "incident_opened", "Reason", $"{run} {n}");

    public static async Task DieAtAsync(Scene scene, string point, Func<string, int, Word> wordOf)
    {
        var (run, said) = ($"{Guid.NewGuid():N}"[..8], new List<Word>());
        await Processes.DieAtAsync(scene, Console, point, SayAsync);
        // What was on its way at the last death is said to its end.
        var left = said.Count + 1;
        await scene.UntilAsync(
            async () =>
            {
                await SayAsync();
                return said.Count >= left;
            },
            "the Console answers again");
        var recorded = (await scene.Target.ReadStoreAsync(scene.Cancel)).Events.ToLookup(e => e.Type, StringComparer.Ordinal);
        foreach (var (word, times) in said.Select(w => (Word: w, Times: recorded[w.Event].Count(e => e.Body.GetProperty(w.Member).GetString() == w.Value))).Where(w => w.Times != 1))
            scene.Fault($"{word.Event} {word.Value} was said once and is recorded {times} times");
        scene.Note($"{said.Count} words, each said until it was answered");

        async Task SayAsync()
        {
            var word = wordOf(run, said.Count);
            if (await TrySayAsync(scene, word, $"{run}-{said.Count}"))
                said.Add(word);
        }
    }

    /// <summary>Whether it was answered. A token is told once and never again, so that who asks again hears that it was.</summary>
    private static async Task<bool> TrySayAsync(Scene scene, Word word, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(scene.Services.AddressOf(Console), word.Path)) { Content = JsonContent.Create(word.Body, options: JsonSerializerOptions.Default) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", scene.Target.SignalKey);
        request.Headers.Add("Idempotency-Key", key);
        try
        {
            using var answer = await scene.Target.Http.SendAsync(request, scene.Cancel);
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
                return false;
            if (answer.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.Conflict))
                throw new ChaosException($"{word.Event} {word.Value} was answered with {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(scene.Cancel)}");
            return true;
        }
        catch (Exception e) when (e is HttpRequestException or SocketException || (e is OperationCanceledException && !scene.Cancel.IsCancellationRequested))
        {
            // Nobody is there just now.
            return false;
        }
    }
}
