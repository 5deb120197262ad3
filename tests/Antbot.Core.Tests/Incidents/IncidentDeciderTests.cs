using System.Text.Json;
using Antbot.ConsoleService.Incidents;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Xunit;

namespace Antbot.Core.Tests.Incidents;

public sealed class IncidentDeciderTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly TimeSpan Window = TimeSpan.FromHours(1);
    private static readonly Guid Incident = new(9, 0, 0, new byte[8]);
    private static readonly TradeId Trade = new(new Guid(1, 0, 0, new byte[8]));

    [Fact]
    public void A_person_opens_it_once_with_what_it_is_about()
    {
        var opened = Assert.IsType<IncidentOpened>(Assert.Single(Decide([], Open())));
        Assert.Equal((IncidentSource.Person, "", "orders hang", "anna", Now, Now.AddHours(-1), null), (opened.Source, opened.Cause, opened.Reason, opened.By, opened.SeenAt, opened.Since, opened.Until));
        Assert.Equal([Trade], opened.Trades);
        Assert.Equal(IncidentStatus.Open, Fold([opened]).Status);
        Assert.Equal("unheard-of", Failed(Decide([opened], Open())));
    }

    [Fact]
    public void What_has_not_begun_is_too_long_or_about_too_much_is_refused()
    {
        Assert.Equal("begun", Failed(Decide([], Open() with { Since = Now.AddMinutes(2), Until = Now.AddMinutes(3) })));
        Assert.Equal("period", Failed(Decide([], Open() with { Until = Now.AddHours(-2) })));
        Assert.Equal("period", Failed(Decide([], Open() with { Since = Now.AddDays(-32) })));
        Assert.Equal("few-trades", Failed(Decide([], Open() with { Trades = [.. Enumerable.Repeat(Trade, IncidentDecider.TradesMax + 1)] })));
        Assert.IsType<IncidentOpened>(Assert.Single(Decide([], Open() with { Since = Now.AddDays(-31), Trades = [.. Enumerable.Repeat(Trade, IncidentDecider.TradesMax)] })));
    }

    [Fact]
    public void The_same_cause_adds_to_it_within_its_window_and_not_more_often_than_once_a_minute()
    {
        object[] history = [.. Decide([], Raise(0))];
        Assert.Equal(("crash:risk", IncidentSource.Crash, Now), (((IncidentOpened)history[0]).Cause, ((IncidentOpened)history[0]).Source, ((IncidentOpened)history[0]).SeenAt));
        Assert.Empty(Decide(history, Raise(59)));
        Assert.Empty(Decide(history, Raise(-5)));
        var repeated = Assert.IsType<IncidentRepeated>(Assert.Single(Decide(history, Raise(60))));
        Assert.Equal(("it went", Now.AddSeconds(60)), (repeated.What, repeated.SeenAt));
        history = [.. history, repeated];
        // The window begins anew with each.
        Assert.IsType<IncidentRepeated>(Assert.Single(Decide(history, Raise(3_660))));
        Assert.Empty(Decide(history, Raise(3_661)));
        Assert.True(IncidentDecider.Joins(Fold(history), Now.AddSeconds(3_660), Window));
        Assert.False(IncidentDecider.Joins(Fold(history), Now.AddSeconds(3_661), Window));
    }

    [Fact]
    public void Once_it_is_closed_only_what_had_been_seen_by_then_belongs_to_it()
    {
        object[] history = [.. Decide([], Raise(-600))];
        history = [.. history, .. Decide(history, new CloseIncident(Incident, Guid.Empty, "more memory", "anna"))];
        Assert.Equal((IncidentStatus.Closed, Now, true), (Fold(history).Status, Fold(history).ClosedAt, IncidentDecider.Behaviour.IsOver(Fold(history))));
        Assert.IsType<IncidentRepeated>(Assert.Single(Decide(history, Raise(-60))));
        Assert.Empty(Decide(history, Raise(1)));
        Assert.False(IncidentDecider.Joins(Fold(history), Now.AddSeconds(1), Window));
        Assert.False(IncidentDecider.Joins(IncidentState.Initial, Now, Window));
    }

    [Fact]
    public void It_repeats_no_more_often_than_anybody_reads()
    {
        var history = Decide([], Raise(0)).ToList();
        for (var i = 1; i <= IncidentDecider.RepeatsMax + 3; i++)
            history.AddRange(Decide(history, Raise(i * 60)));
        Assert.Equal(IncidentDecider.RepeatsMax, Fold(history).Repeats);
    }

    [Fact]
    public void It_is_noted_taken_on_and_closed_by_somebody_for_a_reason()
    {
        object[] history = [.. Decide([], Open())];
        history = [.. history, .. Decide(history, Note)];
        var acknowledged = Assert.IsType<IncidentAcknowledged>(Assert.Single(Decide(history, Acknowledge)));
        Assert.Equal(("mine", "ben"), (acknowledged.Reason, acknowledged.By));
        history = [.. history, acknowledged];
        Assert.Equal("open", Failed(Decide(history, Acknowledge)));
        var closed = Assert.IsType<IncidentClosed>(Assert.Single(Decide(history, Close)));
        Assert.Equal(("mended", "ben", Now), (closed.Reason, closed.By, closed.At));
        history = [.. history, closed];
        Assert.Equal("not-over", Failed(Decide(history, Close)));
        Assert.Equal("open", Failed(Decide(history, Acknowledge)));
        // What is learned later is noted all the same.
        Assert.IsType<IncidentNoted>(Assert.Single(Decide(history, Note)));
        Assert.Equal("known", Failed(Decide([], Note)));
        Assert.Equal("open", Failed(Decide([], Acknowledge)));
        Assert.Equal("not-over", Failed(Decide([], Close)));
        Assert.Equal("room", Failed(Decide([.. history, .. Enumerable.Repeat<object>(new IncidentNoted(Incident, Guid.Empty, "x", "x"), IncidentDecider.NotesMax)], Note)));
    }

    /// <summary>Whatever comes in whatever order: twice the same, told once, and the status never goes back.</summary>
    [Fact]
    public void Any_inputs_in_any_order_are_decided_twice_the_same_and_it_never_opens_again()
    {
        var random = new Random(1);
        for (var run = 0; run < 500; run++)
        {
            var (history, furthest) = (new List<object>(), 0);
            for (var step = 0; step < 30; step++)
            {
                object input = random.Next(5) switch { 0 => Open(), 1 => Raise(random.Next(-4_000, 9_000)), 2 => Note, 3 => Acknowledge, _ => Close };
                var (once, again) = (Decide(history, input), Decide(history, input));
                Assert.Equal(Written(once), Written(again));
                Assert.True(once.Count <= 1);
                history.AddRange(once);
                var status = (int?)Fold(history).Status ?? 0;
                Assert.True(status >= furthest, $"it went from {furthest} to {status}");
                furthest = status;
            }
            Assert.True(history.OfType<IncidentOpened>().Count() <= 1);
            Assert.True(history.OfType<IncidentClosed>().Count() <= 1);
        }
    }

    private static NoteIncident Note { get; } = new(Incident, Guid.Empty, "the disk is full", "ben");

    private static AcknowledgeIncident Acknowledge { get; } = new(Incident, Guid.Empty, "mine", "ben");

    private static CloseIncident Close { get; } = new(Incident, Guid.Empty, "mended", "ben");

    private static OpenIncident Open() => new(Incident, "orders hang", "anna", Now.AddHours(-1), null, [Trade]);

    private static RaiseIncident Raise(int seconds) => new(Incident, IncidentSource.Crash, "crash:risk", "it went", "service:console", Now.AddSeconds(seconds), Now, Window, []);

    private static string Written(IReadOnlyList<object> events) => string.Join('\n', events.Select(e => $"{e.GetType().Name} {JsonSerializer.Serialize(e, e.GetType())}"));

    private static string Failed(IReadOnlyList<object> decided) => Assert.Single(Assert.IsType<IncidentRefused>(Assert.Single(decided)).Verdicts, v => !v.Passed).Rule;

    private static IncidentState Fold(IEnumerable<object> history) => history.Aggregate(IncidentState.Initial, IncidentDecider.Behaviour.Fold.Apply);

    private static IReadOnlyList<object> Decide(IEnumerable<object> history, object input) => IncidentDecider.Behaviour.Decide(Fold(history), input, Now);
}
