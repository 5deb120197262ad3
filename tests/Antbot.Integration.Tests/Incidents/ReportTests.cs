using System.Text.RegularExpressions;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Incidents.Reports;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Kernel.Identity;
using Antbot.ReadModels;
using Xunit;

namespace Antbot.Integration.Tests.Incidents;

/// <summary>What an incident was, as a page to read from top to bottom.</summary>
public sealed partial class ReportTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Begin = new(2026, 5, 6, 23, 0, 0, TimeSpan.Zero);
    private static readonly Guid Incident = DeterministicId.From("the incident");

    private ViewedHistory _history = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _history = await ViewedHistory.OpenAsync();

    public ValueTask DisposeAsync() => _history.DisposeAsync();

    [Fact]
    public async Task It_tells_the_impact_what_changed_before_what_happened_in_order_and_how_it_ended()
    {
        await new RandomHistory(_history.Store, 3).GrowAsync(300);
        var (since, until) = (Begin.AddMinutes(40), Begin.AddMinutes(80));
        await _history.AppendAsync(Begin.AddMinutes(30), Streams.Control, "operator:anna", new ActivitySet(Activity.Reducing, "before it", "anna"));
        await _history.AppendAsync(Begin.AddMinutes(50), Streams.Control, "operator:ben", new ActivitySet(Activity.Halted, "while it lasts", "ben"));
        var report = await ReportAsync(new IncidentOpened(Incident, IncidentSource.Person, "", "orders hang", "anna", until, since, null, []), new IncidentClosed(Incident, Guid.Empty, "they go on", "ben", until));

        Assert.Equal((since, until, false, "they go on"), (report.Since, report.Until, report.GoesOn, report.Incident.Ended));
        Assert.Contains(report.Before, c => c.Why == "before it");
        Assert.All(report.Before, c => Assert.True(c.At >= since.AddHours(-1) && c.At <= since));
        Assert.Contains(report.Timeline, l => l.Why == "while it lasts");
        Assert.Equal(report.Timeline.OrderBy(l => l.At).ThenBy(l => l.Sequence), report.Timeline);
        // All that was recorded beside trades in the period, and their phases; of the incident what is its own.
        string[] prefixes = ["trade-", "process-", "deadletter-", "control", $"incident-{Incident:N}"];
        var expected = (await _history.Store.ReadPageAsync(0, 10_000, Cancel)).Where(e => e.Timestamp >= since && e.Timestamp <= until && prefixes.Any(p => e.Stream.StartsWith(p, StringComparison.Ordinal))).Select(e => e.Sequence).Order();
        Assert.Equal(expected, report.Timeline.Select(l => l.Sequence).Order());
        // Whatever was going on then, and what it came to, counted once more from the rows.
        var going = (await _history.Models.ListAsync(ViewTable.Trades, ViewQuery.All with { Limit = 1_000 }, Cancel)).Select(r => r.As<TradeView>()).Where(t => t.RaisedAt <= until && (t.ChangedAt >= since || !TradeView.IsOver(t.Phase))).ToList();
        Assert.True(going.Count > 5);
        Assert.Equal(going.Select(t => t.Id.Value).Order(StringComparer.Ordinal), report.Impact.Trades.Select(t => t.Id.Value).Order(StringComparer.Ordinal));
        var account = Assert.Single(report.Impact.Accounts);
        var positions = (await _history.Models.ListAsync(ViewTable.Positions, ViewQuery.All with { Limit = 1_000 }, Cancel)).Select(r => r.As<PositionView>()).Where(p => going.Exists(t => t.Id == p.Trade)).ToList();
        Assert.Equal(
            (going.Count, going.Count(t => t.Phase == TradePhase.Closed), positions.Where(p => p.State != PositionState.Closed).Sum(p => p.Cost.Value), positions.Count(p => p.State != PositionState.Closed)),
            (account.Trades, account.Closed, account.Exposure, account.Held));
        Assert.Equal(going.Sum(t => t.Realised?.Value ?? positions.Find(p => p.Trade == t.Id)?.Realised?.Value ?? 0), account.Realised);
        var page = ReportText.Markdown(report);
        var headings = page.Split('\n').Where(l => l.StartsWith('#')).ToList();
        Assert.Equal(["## Summary", "## Impact", "## What changed before it", "## What happened", "## Dead letters", "## What was said and done about it", "## How it ended", "## What is not in this report"], headings.Skip(1));
        foreach (var part in new[] { "orders hang", "while it lasts", "before it", "Closed by ben: they go on", "From 2026-05-06 23:40:00 until 2026-05-07 00:20:00, 40 min 0 s" })
        {
            Assert.Contains(part, page, StringComparison.Ordinal);
            Assert.Contains(part, ReportText.Html(report), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Of_trades_that_are_named_the_whole_life_is_told_and_of_others_nothing()
    {
        await new RandomHistory(_history.Store, 4).GrowAsync(300);
        var trade = TradeId.From((await _history.Store.ReadPageAsync(0, 10_000, Cancel)).Where(e => e.CorrelationId is not null).GroupBy(e => e.CorrelationId!).MaxBy(g => g.Count())!.Key);
        var report = await ReportAsync(new IncidentOpened(Incident, IncidentSource.Person, "", "this one", "anna", Begin, Begin, Begin.AddMinutes(10), [trade]));
        Assert.Equal([trade], report.Impact.Trades.Select(t => t.Id));
        Assert.True(report.Impact.Named);
        var own = (await _history.Store.FindByCorrelationAsync(trade.Value, 1_000, Cancel)).Select(e => e.Sequence).ToList();
        Assert.True(own.Count > 3);
        Assert.Equal(own, report.Timeline.Where(l => own.Contains(l.Sequence)).Select(l => l.Sequence));
        Assert.DoesNotContain(report.Timeline, l => l.Stream.StartsWith("trade-", StringComparison.Ordinal) && l.Stream != Streams.Trade(trade).Value);
        Assert.Null(await new IncidentReporter(_history.Store, RandomHistory.Codec, _history.Models, TimeProvider.System).ReadAsync(Guid.NewGuid(), cancellationToken: Cancel));
    }

    /// <summary>Neither is the rest refused because of it, nor is it left out in silence.</summary>
    [Fact]
    public async Task What_an_archive_has_is_named()
    {
        await new RandomHistory(_history.Store, 3).GrowAsync(300);
        var (since, until) = (Begin.AddMinutes(40), Begin.AddMinutes(80));
        var whole = await ReportAsync(new IncidentOpened(Incident, IncidentSource.Person, "", "orders hang", "anna", until, since, null, []), new IncidentClosed(Incident, Guid.Empty, "they go on", "ben", until));
        var taken = new StreamId(whole.Timeline.First(l => l.Stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal)).Stream);
        Assert.DoesNotContain(whole.Gaps, g => g.Contains("archive", StringComparison.Ordinal));
        await _history.Store.TakeOutAsync(taken, Begin.AddDays(90));

        var report = (await new IncidentReporter(_history.Store, RandomHistory.Codec, _history.Models, TimeProvider.System).ReadAsync(Incident, cancellationToken: Cancel))!;
        Assert.Equal(whole.Timeline.Where(l => l.Stream != taken.Value), report.Timeline);
        Assert.Contains(TakenOut.Archive, Assert.Single(report.Gaps.Except(whole.Gaps, StringComparer.Ordinal)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<script>alert(1)</script><img src=x onerror=alert(1)>")]
    [InlineData("\" onmouseover=\"alert(1)\" x=\"' onfocus='alert(1)")]
    [InlineData("</td></tr></table></style><iframe src=//evil.example></iframe><!-- -->]]>")]
    [InlineData("&lt;b&gt; &#60;script&#62; &amp; \u202Ereversed\u202C \u2028line\u2029 \u0000\u001b[31m")]
    [InlineData("![x](http://evil.example/x.png) [x](javascript:alert(1)) <http://evil.example> www.evil.example a@evil.example https://evil.example")]
    [InlineData("| a | b |\n|---|---|\n# heading\n- item\n1. item\n```\ncode\n```\n> quote ~~~ $x$ ^y^")]
    public void Whatever_stands_in_an_event_is_a_text_on_the_page_and_nothing_else(string hostile)
    {
        var storable = hostile.Replace("\0", "", StringComparison.Ordinal);
        var (plain, harmful) = (One("plain"), One(storable));
        // The same page but for its texts: no tag and no attribute more.
        Assert.Equal(Tags(ReportText.Html(plain)), Tags(ReportText.Html(harmful)));
        Assert.All(Tags(ReportText.Html(harmful)).Distinct(), t => Assert.DoesNotMatch("(?i)<script|src=|href|^<[^>]* on|<iframe|<img", t));
        Assert.DoesNotContain(ReportText.Html(harmful), c => char.IsControl(c) && c != '\n');
        Assert.DoesNotContain('\u202E', ReportText.Html(harmful));
        // As many lines, and as many cells in each row; no mark that counts.
        var (before, after) = (ReportText.Markdown(plain).Split('\n'), ReportText.Markdown(harmful).Split('\n'));
        Assert.Equal(before.Length, after.Length);
        foreach (var (one, other) in before.Zip(after))
        {
            Assert.Equal(Unescaped(one), Unescaped(other));
            Assert.DoesNotMatch(@"(^|[^\\])(https?:/|www\.|@)", other.Replace(@"\\", "", StringComparison.Ordinal));
        }
    }

    private static IncidentReport One(string text) => new(
            new IncidentView("00", IncidentStatus.Closed, IncidentSource.Crash, text, text, text, [], Begin, Begin, Begin, 1, 0, text, text, text, Begin, Begin), Begin, Begin.AddHours(1), false, Begin,
            new IncidentImpact(false, [new AccountImpact(new AccountId("main"), 1, 1, 1, 1, 0, 0, 1)],
                [new ImpactedTrade(RandomHistory.Trade(1), new AccountId("main"), new Symbol("BTCUSDT"), Side.Buy, TradePhase.Failed, true, new Money(1), null, null, null, Begin, text)]),
            [new(1, Begin, Antbot.Incidents.Changes.ChangeKind.Operator, text, text, text, text, true)], [new ReportLine(Begin, 1, text, text, text, text, null)],
            [new DeadLetterView(new string('0', 32), DeadLetterStatus.New, text, text, DeadLetterKind.Fault, null, text, [], text, text, 1, null, text, text, 1, Begin, Begin, text, text, 0, null)],
            [new IncidentStep(Begin, 1, text, text, text, [new(text, Passed: false, text)])], [text, text]);

    private static List<string> Tags(string html) => [.. Tag().Matches(html).Select(m => m.Value)];

    /// <summary>The marks of a line that no backslash makes a text.</summary>
    private static string Unescaped(string line) => string.Concat(Escaped().Replace(line, "").Where(c => "|#`*_[]<>!&~".Contains(c, StringComparison.Ordinal)));

    private async Task<IncidentReport> ReportAsync(params object[] events)
    {
        foreach (var @event in events)
            await _history.AppendAsync(Begin.AddDays(1), Streams.Incident(Incident), "operator:anna", @event);
        await _history.CatchUpAsync();
        return (await new IncidentReporter(_history.Store, RandomHistory.Codec, _history.Models, TimeProvider.System).ReadAsync(Incident, cancellationToken: Cancel))!;
    }

    [GeneratedRegex("<[^>]*>", RegexOptions.NonBacktracking)]
    private static partial Regex Tag();

    [GeneratedRegex(@"\\.", RegexOptions.NonBacktracking)]
    private static partial Regex Escaped();
}
