using System.Text.Json;
using Antbot.Contracts;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Integration.Tests.DeadLetters;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Archives;

/// <summary>A Console whose store has archived streams, and that has no folder to read them from.</summary>
public sealed class ConsoleWithoutArchivesTests : OnAConsole
{
    /// <summary>The stream once ended at the first event that was gone, for everybody and at every reconnect.</summary>
    /// <param name="isNamed">A folder is named, and has not the file.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Events_go_on_behind_what_is_archived_and_say_what_was_left_out(bool isNamed)
    {
        var console = await RunAsync([], isNamed ? [$"--archives={Directory.CreateDirectory(Path.Combine(Folder, "archives")).FullName}"] : []);
        await new RandomHistory(console.Store, 3).GrowAsync(60);
        var all = (await console.Store.ReadPageAsync(0, 1_000, Cancel)).ToList();
        var gone = all.Where(e => e.Stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal)).Select(e => e.Stream).Distinct().ToHashSet(StringComparer.Ordinal);
        await TakenOut.FromAsync(console.Store, [.. gone.Select(s => new StreamId(s))]);
        var left = all.Where(e => gone.Contains(e.Stream)).Select(e => e.Sequence).ToList();
        var rest = all.Where(e => !gone.Contains(e.Stream)).Select(e => e.Sequence).ToList();
        Assert.True(left.Count > 10 && rest.Count > 10);

        var told = await WatchAsync(0, null, all[^1].Sequence);
        Assert.Equal(rest, told.Where(t => t.Gap is null).Select(t => t.Id).Where(s => s <= all[^1].Sequence));
        Assert.Equal(left, told.Where(t => t.Gap is not null).SelectMany(t => Between(t.Gap!.Value, all)));
        Assert.All(told.Where(t => t.Gap is not null), t => Assert.Equal((TakenOut.File, t.Id), (t.Gap!.Value.GetProperty("Archive").GetString(), t.Gap.Value.GetProperty("Through").GetInt64())));
        Assert.Equal(told.Select(t => t.Id).Order(), told.Select(t => t.Id));
        // Wherever it was cut off, also between two that are gone, it goes on with what comes next.
        foreach (var last in left.Where((_, i) => i % 9 == 0))
        {
            var again = await WatchAsync(last, null, all[^1].Sequence);
            Assert.Equal(rest.Where(s => s > last), again.Where(t => t.Gap is null).Select(t => t.Id).Where(s => s <= all[^1].Sequence));
            Assert.Equal(left.Where(s => s > last), again.Where(t => t.Gap is not null).SelectMany(t => Between(t.Gap!.Value, all)));
        }
        // Whether they are of this trade cannot be said.
        var trade = all.First(e => gone.Contains(e.Stream)).CorrelationId;
        var ofTrade = await WatchAsync(0, trade, all.Last(e => e.CorrelationId == trade || gone.Contains(e.Stream)).Sequence);
        Assert.Equal(left.Count, ofTrade.Where(t => t.Gap is not null).Sum(t => t.Gap!.Value.GetProperty("Events").GetInt64()));
        Assert.Equal(all.Where(e => e.CorrelationId == trade && !gone.Contains(e.Stream)).Select(e => e.Sequence), ofTrade.Where(t => t.Gap is null).Select(t => t.Id));
    }

    /// <summary>What was decided under a key is known without the events that it became: that was once an error of the Console's own.</summary>
    [Fact]
    public async Task A_key_that_was_used_on_what_is_archived_is_refused_with_that()
    {
        await using (var store = await StoreAsync())
        {
            for (var i = 0; i < 4; i++)
                await SeededLetters.KeepAsync(store);
        }
        var (console, _) = await RunAsync(4, [], ["--console:replayLettersMax=1"]);
        var letters = (await LettersAsync()).Select(l => Guid.Parse(l.GetProperty("Id").GetString()!)).ToList();
        var why = new { Reason = "of no use" };
        var selections = new List<Guid>();
        for (var i = 0; i < 2; i++)
        {
            var (status, requested) = await console.PostAsync("/api/replays", new { Endpoint = "execution", Reason = "mended" });
            Assert.Equal(202, status);
            selections.Add(Guid.Parse(requested.GetProperty("Selection").GetProperty("Id").GetString()!));
        }
        Assert.Equal(200, (await console.PostAsync($"/api/deadletters/{letters[0]:N}/discard", why, "the-key-of-a-letter")).Status);
        Assert.Equal(200, (await console.PostAsync($"/api/replays/{selections[0]:N}/cancel", why, "the-key-of-a-selection")).Status);
        await TakenOut.FromAsync(console.Store, Streams.DeadLetter(letters[0]), Streams.Replays(selections[0]));

        foreach (var (path, key) in new[]
        {
            ($"/api/deadletters/{letters[0]:N}/discard", "the-key-of-a-letter"), ($"/api/deadletters/{letters[1]:N}/discard", "the-key-of-a-letter"),
            ($"/api/replays/{selections[0]:N}/cancel", "the-key-of-a-selection"), ($"/api/replays/{selections[1]:N}/cancel", "the-key-of-a-selection"),
        })
        {
            var (status, answer) = await console.PostAsync(path, why, key);
            Assert.Equal((404, nameof(StoreFault.Archived)), (status, answer.GetProperty("Error").GetString()));
        }
        Assert.Equal(200, (await console.PostAsync($"/api/deadletters/{letters[1]:N}/discard", why, "a-key-of-its-own")).Status);
        Assert.Equal(200, (await console.PostAsync($"/api/replays/{selections[1]:N}/cancel", why, "another-key-of-its-own")).Status);
    }

    private static IEnumerable<long> Between(JsonElement gap, List<StoredEvent> all)
    {
        var (first, through) = (gap.GetProperty("First").GetInt64(), gap.GetProperty("Through").GetInt64());
        var between = all.Where(e => e.Sequence >= first && e.Sequence <= through).Select(e => e.Sequence).ToList();
        Assert.Equal(gap.GetProperty("Events").GetInt64(), between.Count);
        return between;
    }

    /// <summary>What is told after a sequence, until the one with which the test's own history ends.</summary>
    private async Task<List<(long Id, JsonElement? Gap)>> WatchAsync(long after, string? trade, long until)
    {
        if (after >= until)
            return [];
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/events?after=0{(trade is null ? "" : $"&trade={trade}")}");
        request.Headers.Add("Last-Event-ID", $"{after}");
        using var answer = await Running.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(Cancel));
        var (told, id, isGap) = (new List<(long Id, JsonElement? Gap)>(), 0L, false);
        while (told.Count == 0 || told[^1].Id < until)
        {
            var line = await reader.ReadLineAsync(Cancel) ?? throw new InvalidOperationException("The stream has ended.");
            if (line.StartsWith("id: ", StringComparison.Ordinal))
                id = long.Parse(line[4..]);
            else if (line.StartsWith("event: ", StringComparison.Ordinal))
                isGap = line == "event: archive-gap";
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                told.Add((id, isGap ? JsonDocument.Parse(line[6..]).RootElement : null));
        }
        return told;
    }
}
