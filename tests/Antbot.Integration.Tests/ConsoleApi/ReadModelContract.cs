using System.Text;
using System.Text.Json.Nodes;
using Antbot.Contracts.Events;
using Antbot.Kernel.Identity;
using Antbot.ReadModels;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.ConsoleApi;

/// <summary>What every engine of the read models holds to.</summary>
public abstract class ReadModelContract
{
    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Opens the same models again, as the next process would.</summary>
    protected abstract Task<IReadModels> OpenAsync();

    /// <summary>Another build changes the rows and says how far it has come with them.</summary>
    protected abstract Task FoldByAnotherBuildAsync();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Killed_anywhere_repeated_and_rebuilt_they_are_a_fresh_fold_over_the_whole_history(int seed)
    {
        var store = new InMemoryEventStore(DeterministicId.From("store"));
        var history = new RandomHistory(store, seed);
        var random = new Random(seed);
        for (var life = 0; life < 6; life++)
        {
            await history.GrowAsync(60);
            await using var models = await OpenAsync();
            var projection = New(store, models);
            if (life == 3)
                await models.ClearAsync(Cancel);
            // Another process, on the same rows, at the same time.
            await Task.WhenAll(projection.CatchUpAsync(_ => { }, Cancel), New(store, models).CatchUpAsync(_ => { }, Cancel));
            if (random.Next(2) == 0)
            {
                // A page that is handed in once more is refused whole.
                var position = await models.ReadPositionAsync(Cancel);
                Assert.False(await models.ApplyAsync(position - 1, position, [], Cancel));
                Assert.Equal(position, await models.ReadPositionAsync(Cancel));
            }
        }
        await using var end = await OpenAsync();
        var expected = await FreshAsync(store);
        Assert.Equal(expected, await AllAsync(end));
        Assert.Contains(expected, row => row.StartsWith("Positions", StringComparison.Ordinal));
        Assert.Contains(expected, row => row.Contains("\"Realised\"", StringComparison.Ordinal));
    }

    /// <summary>Two builds once went on in the same rows, each with half of what it did.</summary>
    [Fact]
    public async Task Rows_that_another_build_has_put_something_into_are_made_anew()
    {
        await using var models = await OpenAsync();
        var store = new InMemoryEventStore(DeterministicId.From("store"));
        var history = new RandomHistory(store, 2);
        await history.GrowAsync(60);
        var projection = New(store, models);
        await projection.CatchUpAsync(_ => { }, Cancel);
        await FoldByAnotherBuildAsync();
        Assert.Equal(0, await models.ReadPositionAsync(Cancel));
        // Whoever has been at work on them since before notices, too.
        await history.GrowAsync(20);
        await projection.CatchUpAsync(_ => { }, Cancel);
        Assert.Equal(await FreshAsync(store), await AllAsync(models));
    }

    [Fact]
    public async Task Rows_of_a_history_that_was_longer_are_made_anew()
    {
        await using var models = await OpenAsync();
        var longer = new InMemoryEventStore(DeterministicId.From("store"));
        await new RandomHistory(longer, 1).GrowAsync(120);
        await New(longer, models).CatchUpAsync(_ => { }, Cancel);

        // A backup was restored: the history ends earlier.
        var shorter = new InMemoryEventStore(DeterministicId.From("store"));
        await new RandomHistory(shorter, 2).GrowAsync(20);
        await New(shorter, models).CatchUpAsync(_ => { }, Cancel);
        Assert.Equal(await FreshAsync(shorter), await AllAsync(models));
    }

    [Fact]
    public async Task Lists_are_filtered_and_paged_from_the_newest_on_without_a_gap_or_a_repetition()
    {
        await using var models = await OpenAsync();
        var store = new InMemoryEventStore(DeterministicId.From("store"));
        await new RandomHistory(store, 4).GrowAsync(400);
        await New(store, models).CatchUpAsync(_ => { }, Cancel);
        var all = await models.ListAsync(ViewTable.Trades, ViewQuery.All with { Limit = 1_000 }, Cancel);
        Assert.True(all.Count > 20);
        Assert.Equal(all.OrderByDescending(r => r.At).ThenByDescending(r => r.Id, StringComparer.Ordinal).Select(r => r.Id), all.Select(r => r.Id));

        var paged = new List<string>();
        string? after = null;
        do
        {
            var page = await models.ListAsync(ViewTable.Trades, ViewQuery.All with { Limit = 7, After = after }, Cancel);
            paged.AddRange(page.Select(r => r.Id));
            after = page.Count == 7 ? page[^1].Id : null;
        }
        while (after is not null);
        Assert.Equal(all.Select(r => r.Id), paged);

        string[] over = [nameof(TradePhase.Closed), nameof(TradePhase.Denied)];
        var filtered = await models.ListAsync(ViewTable.Trades, new ViewQuery(over, Symbol: "BTCUSDT", Limit: 1_000), Cancel);
        Assert.Equal(all.Where(r => over.Contains(r.State) && r.Symbol == "BTCUSDT").Select(r => r.Id), filtered.Select(r => r.Id));
        Assert.NotEmpty(filtered);
        Assert.Equal([all[3].Id], (await models.ListAsync(ViewTable.Trades, new ViewQuery([], IdPrefix: all[3].Id[..12], Limit: 2), Cancel)).Select(r => r.Id));
        Assert.Empty(await models.ListAsync(ViewTable.Trades, new ViewQuery([], Symbol: "x' or '1'='1"), Cancel));
        Assert.Equal(4, (await models.ListAsync(ViewTable.Orders, new ViewQuery([], Limit: 4), Cancel)).Count);
        var order = (await models.ListAsync(ViewTable.Orders, new ViewQuery([], Limit: 1), Cancel))[0];
        Assert.Contains(order.Id, (await models.ListAsync(ViewTable.Orders, new ViewQuery([], Trade: order.Trade), Cancel)).Select(r => r.Id));
    }

    [Fact]
    public async Task Counts_and_days_are_what_the_rows_add_up_to()
    {
        await using var models = await OpenAsync();
        var store = new InMemoryEventStore(DeterministicId.From("store"));
        await new RandomHistory(store, 5).GrowAsync(600);
        await New(store, models).CatchUpAsync(_ => { }, Cancel);
        var trades = await models.ListAsync(ViewTable.Trades, ViewQuery.All with { Limit = 1_000 }, Cancel);
        var counts = (await models.FindAsync(ViewTable.Summaries, ViewFold.CountsId, Cancel))!.As<CountsView>();
        Assert.Equal(trades.GroupBy(t => t.State).ToDictionary(g => g.Key, g => (long)g.Count()), counts.Trades.ToDictionary(c => c.Key.ToString(), c => c.Value));
        var closed = (await models.ListAsync(ViewTable.Positions, new ViewQuery([nameof(PositionState.Closed)], Limit: 1_000), Cancel)).Select(r => r.As<PositionView>()).ToList();
        var days = (await models.ListAsync(ViewTable.Summaries, new ViewQuery(["Day"], Limit: 100), Cancel)).Select(r => r.As<DayView>()).ToList();
        Assert.True(days.Count > 1);
        Assert.Equal(closed.Sum(p => p.Realised!.Value.Value), days.Sum(d => d.Realised.Value));
        Assert.Equal(closed.Count, days.Sum(d => d.Closed));
    }

    [Fact]
    public async Task Dead_letters_are_found_by_what_they_have_in_common_and_their_groups_are_what_they_add_up_to()
    {
        await using var models = await OpenAsync();
        var store = new InMemoryEventStore(DeterministicId.From("store"));
        await new RandomHistory(store, 6).GrowAsync(600);
        await New(store, models).CatchUpAsync(_ => { }, Cancel);
        var letters = await models.ListAsync(ViewTable.DeadLetters, ViewQuery.All with { Limit = 1_000 }, Cancel);
        var groups = (await models.ListAsync(ViewTable.DeadLetterGroups, ViewQuery.All with { Limit = 1_000 }, Cancel)).Select(r => r.As<DeadLetterGroupView>()).ToList();
        Assert.Equal(["cause0", "cause1", "cause2"], groups.Select(g => g.Fingerprint).Order());
        foreach (var group in groups)
        {
            var found = await models.ListAsync(ViewTable.DeadLetters, Sought(ViewTables.Fingerprint, group.Fingerprint), Cancel);
            Assert.Equal(letters.Where(l => l.As<DeadLetterView>().Fingerprint == group.Fingerprint).Select(l => l.Id), found.Select(l => l.Id));
            Assert.Equal(found.GroupBy(l => l.As<DeadLetterView>().State).ToDictionary(g => g.Key, g => (long)g.Count()), group.Letters.ToDictionary());
            Assert.Equal((found[0].Id, found[0].At, found[^1].At), (group.Example, group.LastSeen, group.FirstSeen));
        }
        Assert.Equal(letters.Count, (await models.ListAsync(ViewTable.DeadLetters, Sought(ViewTables.MessageType, "AssessRisk") with { Limit = 1_000 }, Cancel)).Count);
        Assert.Empty(await models.ListAsync(ViewTable.DeadLetters, Sought(ViewTables.Endpoint, "risk' or '1'='1"), Cancel));
        var about = letters.First(l => l.Trade is not null);
        Assert.Contains(about.Id, (await models.ListAsync(ViewTable.DeadLetters, new ViewQuery([], Trade: about.Trade), Cancel)).Select(l => l.Id));
        await Assert.ThrowsAsync<ArgumentException>(() => models.ListAsync(ViewTable.Trades, Sought("state = state or endpoint", "x"), Cancel));
    }

    [Fact]
    public async Task What_somebody_did_is_found_by_when_and_an_event_by_the_ids_that_stand_in_it()
    {
        await using var models = await OpenAsync();
        var store = new InMemoryEventStore(DeterministicId.From("store"));
        await new RandomHistory(store, 8).GrowAsync(600);
        await New(store, models).CatchUpAsync(_ => { }, Cancel);
        var (index, events) = (new TraceIndex(models), await store.ReadPageAsync(0, 10_000, Cancel));
        var annas = events.Where(e => e.Actor == "operator:anna").ToList();
        var (since, until) = (annas[3].Timestamp, annas[^4].Timestamp);
        var expected = annas.Where(e => e.Timestamp >= since && e.Timestamp <= until).Select(e => e.Sequence).ToList();
        Assert.True(expected.Count > 10, $"{expected.Count} actions");
        var paged = new List<long>();
        IReadOnlyList<EventPlace> page;
        do
        {
            page = await index.ActionsAsync("operator:anna", since, until, paged.Count == 0 ? null : paged[^1], 7, Cancel);
            paged.AddRange(page.Select(p => p.Sequence));
        }
        while (page.Count == 7);
        Assert.Equal(expected, paged);
        Assert.Empty(await index.ActionsAsync("operator:nobody", since, until, null, 7, Cancel));
        Assert.Empty(await index.ActionsAsync("service:test", since, until, null, 7, Cancel));
        foreach (var accepted in events.Where(e => e.Type == "order_accepted"))
        {
            var id = ((OrderAccepted)RandomHistory.Codec.Decode(accepted)).VenueOrderId;
            Assert.Contains(new EventPlace(accepted.Stream, accepted.Version, accepted.Sequence), await index.MentionsAsync(MentionKind.VenueOrder, id, Cancel));
        }
        Assert.Contains(events, e => e.Type == "order_accepted");
        foreach (var letter in events.Where(e => e.Type == "dead_letter_kept"))
        {
            var kept = (DeadLetterKept)RandomHistory.Codec.Decode(letter);
            foreach (var trade in kept.Trades)
                Assert.Contains(await index.MentionsAsync(MentionKind.Trade, trade.Value, Cancel), p => p.Sequence == letter.Sequence);
            if (kept.Message is { } message)
                Assert.Contains(await index.MentionsAsync(MentionKind.Message, message.ToString("N"), Cancel), p => p.Sequence == letter.Sequence);
        }
        Assert.Empty(await index.MentionsAsync(MentionKind.VenueOrder, "nobody's", Cancel));
        // Long after the last event only what is not over goes on.
        var (later, all) = (events[^1].Timestamp.AddDays(1), (await models.ListAsync(ViewTable.Trades, ViewQuery.All with { Limit = 1_000 }, Cancel)).Where(t => t.Symbol == "BTCUSDT").ToList());
        var live = all.Where(t => !TradeView.IsOver(Enum.Parse<TradePhase>(t.State))).Select(t => t.Id).ToList();
        Assert.Equal(live, (await index.TradesAsync("BTCUSDT", later, later, null, 500, Cancel)).Select(t => t.Trade));
        Assert.True(live.Count > 1 && live.Count < all.Count);
        Assert.Equal(live.Skip(1), (await index.TradesAsync("BTCUSDT", later, later, live[0], 500, Cancel)).Select(t => t.Trade));
    }

    private static ViewQuery Sought(string column, string value) => ViewQuery.All with { Search = new Dictionary<string, string> { [column] = value } };

    protected static ViewProjection New(IEventStore store, IReadModels models) => new(store, RandomHistory.Codec, models, TimeProvider.System);

    /// <summary>Without any engine: every event of the history into one fold, in order.</summary>
    private static async Task<List<string>> FreshAsync(IEventStore store)
    {
        var fold = new ViewFold(new Dictionary<RowKey, ViewRow>());
        foreach (var stored in (await store.ReadPageAsync(0, 10_000, Cancel)).Where(ViewFold.Wants))
            fold.Apply(stored, ViewFold.Reads(stored) ? RandomHistory.Codec.Decode(stored) : null);
        return [.. fold.Changed().Select(Words).Order(StringComparer.Ordinal)];
    }

    private static async Task<List<string>> AllAsync(IReadModels models)
    {
        var all = new List<string>();
        foreach (var table in Enum.GetValues<ViewTable>())
        {
            var rows = await models.ListAsync(table, ViewQuery.All with { Limit = 1_000 }, Cancel);
            Assert.True(rows.Count < 1_000);
            all.AddRange(rows.Select(Words));
        }
        all.Sort(StringComparer.Ordinal);
        return all;
    }

    private static string Words(ViewRow row) =>
        $"{row.Table} {row.Id} {row.Sequence} {row.Trade} {row.Account} {row.Symbol} {row.State} {row.At:O} {row.ChangedAt:O} {Sorted(JsonNode.Parse(Encoding.UTF8.GetString(row.Document.Span))!).ToJsonString()}";

    /// <summary>A database may keep an object's members in another order.</summary>
    private static JsonNode Sorted(JsonNode node) => node switch
    {
        JsonObject o => new JsonObject(o.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, p.Value is null ? null : (JsonNode?)Sorted(p.Value)))),
        JsonArray a => new JsonArray([.. a.Select(i => i is null ? null : Sorted(i))]),
        _ => node.DeepClone(),
    };
}
