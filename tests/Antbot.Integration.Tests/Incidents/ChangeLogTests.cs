using Antbot.ConsoleService;
using Antbot.ConsoleService.Access;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Hosting;
using Antbot.Incidents.Changes;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Incidents;

/// <summary>What changed in a period, in one list.</summary>
public sealed class ChangeLogTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = new(2026, 5, 6, 7, 0, 0, TimeSpan.Zero);
    private static readonly EventCodec Codec = new(EventRegistry.From(typeof(TradeRaised).Assembly, typeof(ProcessStarted).Assembly, typeof(AccessTokenMade).Assembly));

    private ViewedHistory _history = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _history = await ViewedHistory.OpenAsync(Codec);

    public ValueTask DisposeAsync() => _history.DisposeAsync();

    [Fact]
    public async Task Builds_settings_control_and_what_people_did_are_told_in_order_with_who_and_why_and_nothing_twice()
    {
        await StartAsync(0, "risk", "1.0", "aaaa", "c1");
        await StartAsync(0, "signal", "1.0", "aaaa", "c7");
        // Before the period, but what the next start is compared with.
        await StartAsync(10, "risk", "1.0", "bbbb", "c1");
        await AppendAsync(20, Streams.Control, "operator:old", new ActivitySet(Activity.Reducing, "too early", "old"));
        await StartAsync(61, "risk", "1.0", "bbbb", "c1");
        await StartAsync(62, "risk", "1.0", "cccc", "c1");
        await StartAsync(63, "risk", "1.0", "cccc", "c2");
        await AppendAsync(64, Streams.Control, "operator:token", new ActivitySet(Activity.Halted, "orders hang", "anna"));
        await AppendAsync(64, Streams.Audit(Start), "operator:token", new OperatorCommandRecorded("halt", "Halted", "orders hang", "anna", 2));
        await AppendAsync(65, Streams.Control, "service:watchdog", new ActivitySet(Activity.Halted, "no heartbeat", "watchdog"));
        await AppendAsync(66, Streams.Signal(RandomHistory.Trade(1)), "webhook:tv", new TradeRejected(RandomHistory.Trade(1), []));
        await AppendAsync(67, Streams.Access, "operator:sue", new AccessTokenMade(Guid.NewGuid(), "vera", Role.Viewer, new string('7', 64), null, "to look", "sue"));
        await AppendAsync(68, Streams.DeadLetter(Guid.NewGuid()), "operator:anna", new DeadLetterDiscarded(Guid.NewGuid(), Guid.NewGuid(), "cause", "of no use", "anna"));
        await AppendAsync(69, Streams.Order(RandomHistory.Trade(1)), "service:execution", new TradeRejected(RandomHistory.Trade(1), []));
        await StartAsync(70, "signal", "1.1", "dddd", "c8");
        await AppendAsync(200, Streams.Control, "operator:late", new ActivitySet(Activity.Active, "too late", "late"));
        await _history.CatchUpAsync();

        var page = await ReadAsync(60, 100);
        Assert.Equal(
            [
                "62 Build risk: build 1.0 cccc, before build 1.0 bbbb; process:risk one; ", "63 Configuration risk: settings c2, before settings c1; process:risk one; ",
                "64 Control control: activity set: Activity Halted; operator:token (anna); orders hang", "65 Control control: activity set: Activity Halted; service:watchdog; no heartbeat",
                "67 Operator access: access token made: Name vera, Role Viewer; operator:sue; to look", "68 Operator deadletter-…: dead letter discarded: Fingerprint cause; operator:anna; of no use",
                "70 Build signal: build 1.1 dddd, before build 1.0 aaaa; process:signal one; ", "70 Configuration signal: settings c8, before settings c7; process:signal one; ",
            ],
            page.Changes.Select(Words));
        Assert.Equal((null, 0), (page.Next, page.Gaps.Count));
        // A hash of a token is of no use to a reader.
        Assert.DoesNotContain(page.Changes, c => c.What.Contains("7777", StringComparison.Ordinal));
    }

    /// <summary>Neither is the rest refused because of it, nor is it left out in silence.</summary>
    [Fact]
    public async Task What_an_archive_has_is_named()
    {
        var letter = Streams.DeadLetter(Guid.NewGuid());
        await AppendAsync(61, letter, "operator:anna", new DeadLetterDiscarded(Guid.NewGuid(), Guid.NewGuid(), "cause", "of no use", "anna"));
        await AppendAsync(62, Streams.Control, "operator:ben", new ActivitySet(Activity.Halted, "orders hang", "ben"));
        await _history.CatchUpAsync();
        await _history.Store.TakeOutAsync(letter, Start.AddDays(90));
        await _history.CatchUpAsync();

        var page = await ReadAsync(60, 100);
        Assert.Equal("orders hang", Assert.Single(page.Changes).Why);
        Assert.Contains(TakenOut.Archive, Assert.Single(page.Gaps), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public async Task Pages_together_are_the_whole_and_what_one_event_changed_is_never_torn(int limit)
    {
        var random = new Random(limit);
        for (var i = 0; i < 60; i++)
        {
            // Some at the same instant, some with clocks that are behind.
            var second = (i / 3 * 2) - random.Next(2);
            if (random.Next(3) == 0)
                await StartAsync(second, "risk", "1", $"b{random.Next(3)}", $"c{random.Next(3)}");
            else if (random.Next(2) == 0)
                await AppendAsync(second, Streams.Control, "operator:anna", new MaintenanceSet(random.Next(2) == 0, $"word {i}", "anna"));
            else
                await AppendAsync(second, Streams.Incident(DeterministicId.From($"{i}")), "operator:anna", new IncidentNoted(DeterministicId.From($"{i}"), Guid.Empty, $"note {i}", "anna"));
        }
        await _history.CatchUpAsync();
        var whole = (await ReadAsync(5, 30, 500)).Changes;
        Assert.True(whole.Count > 20);
        Assert.Equal(whole.OrderBy(c => c.At).ThenBy(c => c.Sequence).ThenBy(c => c.Kind), whole);
        var (paged, after) = (new List<Change>(), (string?)null);
        do
        {
            var page = (await new ChangeLog(_history.Store, _history.Models).ReadAsync(new ChangeSelection(Start.AddSeconds(5), Start.AddSeconds(30), after, limit), Cancel))!;
            Assert.InRange(page.Changes.Count, 0, limit + 1);
            paged.AddRange(page.Changes);
            after = page.Next;
        }
        while (after is not null);
        Assert.Equal(whole, paged);
    }

    [Fact]
    public async Task What_webhooks_brought_is_passed_over_however_much_it_is_and_never_hides_what_comes_behind_it()
    {
        for (var i = 0; i < 250; i++)
            await AppendAsync(i, Streams.Signal(RandomHistory.Trade(i)), "webhook:tv", Enumerable.Range(0, 100).Select(_ => (object)new TradeRejected(RandomHistory.Trade(i), [])).ToArray());
        await AppendAsync(300, Streams.Control, "operator:anna", new ActivitySet(Activity.Halted, "at last", "anna"));
        await AppendAsync(301, Streams.Incident(Guid.NewGuid()), "operator:anna", new IncidentNoted(Guid.NewGuid(), Guid.Empty, "at the very last", "anna"));
        await _history.CatchUpAsync();
        var (told, after, pages) = (new List<string>(), (string?)null, 0);
        do
        {
            var page = (await new ChangeLog(_history.Store, _history.Models).ReadAsync(new ChangeSelection(Start, Start.AddSeconds(400), after), Cancel))!;
            told.AddRange(page.Changes.Select(c => c.Why));
            (after, pages) = (page.Next, pages + 1);
        }
        while (after is not null);
        Assert.Equal(["at last", "at the very last"], told);
        Assert.Equal(2, pages);
    }

    [Fact]
    public async Task What_is_not_recorded_or_not_to_be_seen_is_named()
    {
        await AppendAsync(1, Streams.Process("risk"), "process:risk", new ProcessStarted("risk", Guid.NewGuid(), "0.9", ".NET", 1, 0));
        await StartAsync(2, "risk", "1.0", "aaaa", "c1");
        await AppendAsync(3, Streams.Access, "operator:sue", new AccessTokenMade(Guid.NewGuid(), "vera", Role.Viewer, "7", null, "to look", "sue"));
        await _history.CatchUpAsync();
        await AppendAsync(4, Streams.Incident(Guid.NewGuid()), "operator:anna", new IncidentNoted(Guid.NewGuid(), Guid.Empty, "not in the read models", "anna"));
        var page = (await new ChangeLog(_history.Store, _history.Models, stream => stream != "access").ReadAsync(new ChangeSelection(Start, Start.AddSeconds(100)), Cancel))!;
        Assert.Equal(
            [
                "1 Build risk: build 0.9 of which no hash was recorded, before nothing: it is the first; process:risk one; ", "1 Configuration risk: settings that were not recorded, before nothing: it is the first; process:risk one; ",
                "2 Build risk: build 1.0 aaaa, before build 0.9 of which no hash was recorded; process:risk one; ", "2 Configuration risk: settings c1, before settings that were not recorded; process:risk one; ",
                "3 Operator access: access token made; operator:sue; ",
            ],
            page.Changes.Select(Words));
        Assert.Equal([false, false, false, false, true], page.Changes.Select(c => c.Withheld));
        Assert.Contains(page.Gaps, g => g.StartsWith("Processes that did not say which code they run but for its version (1): ", StringComparison.Ordinal));
        Assert.Contains(page.Gaps, g => g.Contains("The read models stand at sequence", StringComparison.Ordinal));
        Assert.Contains(page.Gaps, g => g.StartsWith("Processes that did not say with which settings they run (1): ", StringComparison.Ordinal));
        Assert.Equal(3, page.Gaps.Count);
    }

    [Fact]
    public async Task However_many_did_not_say_what_they_run_it_is_a_gap_of_each_kind()
    {
        for (var i = 0; i < 1_200; i++)
            await AppendAsync(i, Streams.Process("risk"), "process:risk", new ProcessStarted("risk", Guid.NewGuid(), "0.9", ".NET", 1, 0));
        await _history.CatchUpAsync();
        var gaps = (await ReadAsync(0, 2_000)).Gaps;
        Assert.Equal(2, gaps.Count);
        Assert.All(gaps, g => Assert.True(g.Contains("(1,200): ", StringComparison.Ordinal) && g.EndsWith(" and 1,100 more.", StringComparison.Ordinal), g));
    }

    [Fact]
    public async Task What_a_service_ran_before_is_found_however_often_it_began_meanwhile()
    {
        await StartAsync(0, "risk", "1.0", "old", "c1");
        for (var i = 0; i < 700; i++)
            await AppendAsync(100 + i, Streams.Process("risk"), "process:risk", new ProcessStopped("risk", Guid.NewGuid(), "asked to", "one"));
        await StartAsync(900, "risk", "1.0", "new", "c1");
        await _history.CatchUpAsync();
        Assert.Equal("900 Build risk: build 1.0 new, before build 1.0 old; process:risk one; ", Words(Assert.Single((await ReadAsync(850, 950)).Changes)));
    }

    [Theory]
    [InlineData(2, 1, null, 5)]
    [InlineData(1, 2, null, 0)]
    [InlineData(1, 2, null, 501)]
    [InlineData(1, 2, "x", 5)]
    [InlineData(1, 2, "0", 5)]
    public async Task A_selection_that_means_nothing_is_refused(int since, int until, string? after, int limit) =>
        await Assert.ThrowsAsync<ArgumentException>(() => new ChangeLog(_history.Store, _history.Models).ReadAsync(new ChangeSelection(Start.AddSeconds(since), Start.AddSeconds(until), after, limit), Cancel));

    [Fact]
    public async Task What_goes_on_after_no_event_is_nothing() => Assert.Null(await new ChangeLog(_history.Store, _history.Models).ReadAsync(new ChangeSelection(Start, Start, "99999"), Cancel));

    private static string Words(Change c) =>
        $"{(c.At - Start).TotalSeconds} {c.Kind} {(c.Subject.Length > 40 ? c.Subject[..(c.Subject.IndexOf('-') + 1)] + "…" : c.Subject)}: {c.What}; {(c.By.StartsWith("process:", StringComparison.Ordinal) ? c.By[..(c.By.IndexOf(' ') is > 0 and var at ? at : c.By.Length)] + " one" : c.By)}; {c.Why}";

    private async Task<ChangePage> ReadAsync(int since, int until, int limit = 100) => (await new ChangeLog(_history.Store, _history.Models).ReadAsync(new ChangeSelection(Start.AddSeconds(since), Start.AddSeconds(until), null, limit), Cancel))!;

    private Task StartAsync(int second, string service, string build, string hash, string configuration) =>
        AppendAsync(second, Streams.Process(service), $"process:{service}", new ProcessStarted(service, Guid.NewGuid(), build, ".NET", 1, 0, "one", configuration, hash));

    private Task AppendAsync(int second, StreamId stream, string actor, params object[] events) => _history.AppendAsync(Start.AddSeconds(second), stream, actor, events);
}
