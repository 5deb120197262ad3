using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Forensics;
using Antbot.Kernel.Proof;
using Antbot.Risk.Core;
using Antbot.Runtime.Store;
using Antbot.Simulation.Faults;
using Antbot.Simulation.World;
using Xunit;

namespace Antbot.Integration.Tests.Forensics;

/// <summary>Histories of the simulator, decided again; and what must be said where that cannot be, or comes to something else.</summary>
public sealed class RedecisionTests
{
    private static readonly EventCodec Codec = new(StreamKinds.Registry);

    /// <summary>Without a fault: every trade is raised, approved, opened and closed.</summary>
    private static readonly List<StoredEvent> Calm = HistoryOf(new Plan(3, 12, 1, []));

    private static readonly List<StoredEvent> Faulty = HistoryOf(Planner.From(21));

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(7, 1)]
    [InlineData(64, 2)]
    [InlineData(int.MaxValue, 2)]
    public void However_it_is_read_every_decision_is_made_once_and_as_it_was(int page, int threads)
    {
        foreach (var history in new[] { Calm, Faulty })
        {
            var (report, whole) = (Decide(history, RedecisionOptions.All with { Threads = threads }, page), Decide(history));
            Assert.Empty(report.Differences);
            Assert.Equal((history.Count, 0L, DecisionsOf(history)), ((int)report.Events, report.Different, report.Decisions));
            Assert.Equal(whole.Services, report.Services);
            Assert.Equal(whole.Reasons, report.Reasons);
        }
    }

    [Fact]
    public void Whatever_the_simulator_does_is_decided_again_as_it_was()
    {
        for (var seed = 400UL; seed < 440; seed++)
        {
            var report = Decide(HistoryOf(Planner.From(seed)));
            Assert.True(report is { Different: 0, Decisions: > 0 }, $"seed {seed}: {report.Differences.FirstOrDefault()}");
            Assert.All(report.Reasons, r => Assert.Equal("signal", r.Service));
        }
    }

    [Fact]
    public void What_was_recorded_otherwise_than_it_is_decided_is_told_with_both_outcomes_and_what_is_at_stake()
    {
        var closedOnes = Of<PositionClosed>().Select(c => c.Trade.Value).ToHashSet(StringComparer.Ordinal);
        var approved = Calm.First(e => e.Type == "exposure_reserved" && closedOnes.Contains(e.CorrelationId!));
        var history = Change(approved, body => body["Reserved"] = 12.5m);
        var report = Decide(history);
        var first = report.Differences[0];
        Assert.Equal((approved.Sequence, approved.Stream, "risk", nameof(AssessRisk)), (first.Sequence, first.Stream, first.Service, first.Input));
        Assert.Equal(12.5m, Assert.Single(first.Was).Body.GetProperty("Reserved").GetDecimal());
        Assert.Equal(Reserved(approved), Assert.Single(first.Is).Body.GetProperty("Reserved").GetDecimal());
        Assert.Equal($"exposure_reserved Reserved: 12.5 → {Reserved(approved)}", Assert.Single(first.Changes));
        var (signal, closed) = (Of<SignalRecorded>().First(s => s.Signal.Trade.Value == approved.CorrelationId), Of<PositionClosed>().First(c => c.Trade.Value == approved.CorrelationId));
        Assert.Equal(new Stake(approved.CorrelationId!, signal.Signal.Notional.Value, closed.Realised.Value), first.Stake);
        Assert.Equal(report.Differences.Select(d => d.Stake?.Trade).OfType<string>().Distinct().Count(), report.AtStake.Trades);
        Assert.Equal(report.Different, report.Differences.Count);
    }

    /// <summary>Bit for bit: the same amount with another digit behind it is another record.</summary>
    [Fact]
    public void A_digit_that_changes_no_amount_is_a_difference_too()
    {
        var approved = Calm.First(e => e.Type == "exposure_reserved");
        var report = Decide(Change(approved, body => body["Confidence"] = JsonNode.Parse($"{body["Confidence"]!.ToJsonString()}0")));
        Assert.Equal((1L, approved.Sequence), (report.Different, report.Differences[0].Sequence));
    }

    /// <summary>A database may keep a body with other spaces between its members.</summary>
    [Fact]
    public void A_body_that_is_kept_in_another_form_is_the_same_record()
    {
        var spaced = Calm.ConvertAll(e => e with { Data = JsonSerializer.SerializeToUtf8Bytes(JsonElement.Parse(e.Data.Span), new JsonSerializerOptions { WriteIndented = true }) });
        Assert.True(spaced[0].Data.Length > Calm[0].Data.Length);
        var report = Decide(spaced);
        Assert.Equal((DecisionsOf(Calm), 0L), (report.Decisions, report.Different));
    }

    [Fact]
    public void Under_a_tighter_limit_exactly_the_trades_above_it_would_be_denied()
    {
        var asked = Of<ExposureReserved>().Select(e => e.Reserved.Value).Order().ToList();
        var limit = asked[asked.Count / 2];
        var with = Overrides.Parse(Encoding.UTF8.GetBytes($$"""{"Risk": {"OrderNotionalMax": {{limit}} } }"""));
        var expected = Calm.Where(e => e.Type == "exposure_reserved" && Reserved(e) > limit).Select(e => e.Sequence).ToList();
        Assert.InRange(expected.Count, 1, asked.Count - 1);
        var report = Decide(Calm, RedecisionOptions.All with { With = with });
        Assert.Equal(expected, report.Differences.Select(d => d.Sequence));
        Assert.All(report.Differences, d => Assert.Equal("risk_denied", Assert.Single(d.Is).Type));
        Assert.Equal(expected.Count, report.AtStake.Trades);
        var trades = Calm.Where(e => expected.Contains(e.Sequence)).Select(e => e.CorrelationId).ToHashSet(StringComparer.Ordinal);
        Assert.Equal(Of<SignalRecorded>().Where(s => trades.Contains(s.Signal.Trade.Value)).Sum(s => s.Signal.Notional.Value), report.AtStake.Notional);
        Assert.Equal(Of<PositionClosed>().Where(c => trades.Contains(c.Trade.Value)).Sum(c => c.Realised.Value), report.AtStake.Realised);
    }

    [Fact]
    public void Settings_that_were_recorded_change_nothing_when_they_are_said_again()
    {
        var limits = Of<ExposureReserved>().First().Limits;
        var with = Overrides.Parse(JsonSerializer.SerializeToUtf8Bytes(new { Risk = limits, Validation = new { StopRequired = false } }, EventCodec.Json));
        Assert.Equal(0, Decide(Calm, RedecisionOptions.All with { With = with }).Different);
    }

    [Theory]
    [InlineData("""{"Validation": {"ConfidenceMin": 1.1}}""", "validation", "signal_rejected")]
    [InlineData("""{"Execution": {"EntryAttemptsMax": 1, "PriceMoveMax": 0.0000000001}}""", "execution", "entry_failed")]
    public void Other_settings_of_a_layer_change_its_own_decisions_and_no_others(string settings, string service, string comesTo)
    {
        var report = Decide(Calm, RedecisionOptions.All with { With = Overrides.Parse(Encoding.UTF8.GetBytes(settings)) });
        Assert.NotEmpty(report.Differences);
        Assert.All(report.Differences, d => Assert.Equal(service, d.Service));
        Assert.Contains(report.Differences, d => d.Is.Any(e => e.Type == comesTo));
    }

    [Theory]
    [InlineData("[]", "object")]
    [InlineData("{", "JSON")]
    [InlineData("{}", "nothing")]
    [InlineData("""{"Risks": {"TradesMax": 1}}""", "'Risks'")]
    [InlineData("""{"Risk": {"TradesMost": 1}}""", "'TradesMost'")]
    [InlineData("""{"Risk": {"TradesMax": "many"}}""", "Risk")]
    [InlineData("""{"Risk": {"TradesMax": 1, "TradesMax": 2}}""", "JSON")]
    [InlineData("""{"Risk": {"OrderNotionalMax": 1e40}}""", "Risk")]
    [InlineData("""{"Risk": 3}""", "Risk")]
    [InlineData("""{"Validation": {"Symbols": ["no symbol"]}}""", "Validation")]
    [InlineData("""{"Execution": {"StopDistance": null}}""", "Execution")]
    public void Settings_that_are_none_are_refused_with_the_reason(string settings, string why) =>
        Assert.Contains(why, Assert.Throws<FormatException>(() => Overrides.Parse(Encoding.UTF8.GetBytes(settings))).Message, StringComparison.Ordinal);

    [Fact]
    public void Settings_beyond_any_size_are_not_read() =>
        Assert.Contains("bytes", Assert.Throws<FormatException>(() => Overrides.Parse(new byte[100_000])).Message, StringComparison.Ordinal);

    [Fact]
    public void A_decision_whose_message_nobody_said_cannot_be_made_again_and_that_is_counted()
    {
        var without = Calm.Where(e => e.Type != "signal_raised").ToList();
        var report = Decide(without);
        Assert.Equal(0, report.Different);
        var reason = Assert.Single(report.Reasons);
        Assert.Equal(("coordinator", Calm.Count(e => e.Type == "trade_raised")), (reason.Service, (int)reason.Decisions));
        Assert.Equal(reason.Decisions, report.Impossible);
    }

    [Fact]
    public void What_somebody_else_wrote_is_no_decision_of_ours()
    {
        var approved = Calm.First(e => e.Type == "exposure_reserved");
        var report = Decide([.. Calm.Select(e => e == approved ? e with { EventId = Guid.NewGuid() } : e)]);
        Assert.Contains(report.Reasons, r => r is { Service: "risk", Decisions: 1 } && r.Reason.Contains("did not record", StringComparison.Ordinal));
        // Nor does anybody say what follows from it under the ids that the others name.
        Assert.Contains(report.Reasons, r => r is { Service: "coordinator", Decisions: 1 });
        Assert.Equal(0, report.Different);
    }

    [Fact]
    public void Behind_an_event_that_cannot_be_read_nothing_in_its_stream_is_decided_and_all_else_is()
    {
        var broken = Calm.Where(e => e.Type == "order_input").Skip(3).First();
        var report = Decide(Change(broken, body => body["Kind"] = 99));
        var after = Calm.Where(e => e.Stream == broken.Stream && e.Version >= broken.Version).Select(e => e.CausationId).Distinct().Count();
        var reason = Assert.Single(report.Reasons, r => r.Service == "execution");
        Assert.Equal(after, reason.Decisions);
        Assert.Contains(broken.Stream, reason.Reason, StringComparison.Ordinal);
        Assert.Equal(0, report.Different);

        var gone = Decide([.. Calm.Where(e => e != broken)]);
        Assert.Contains(gone.Reasons, r => r.Service == "execution" && r.Reason.Contains("goes from version", StringComparison.Ordinal));
        Assert.Equal(0, gone.Different);
    }

    [Fact]
    public void Only_what_is_asked_for_is_decided_again()
    {
        var all = Decide(Calm);
        foreach (var kind in StreamKinds.All.Where(k => all.Services.Any(s => s.Service == k.Service)))
            Assert.Equal(all.Services.Single(s => s.Service == kind.Service), Assert.Single(Decide(Calm, RedecisionOptions.All with { Service = kind.Service }).Services));
        var middle = Calm[Calm.Count / 2].Timestamp;
        var (before, after) = (Decide(Calm, RedecisionOptions.All with { Until = middle }), Decide(Calm, RedecisionOptions.All with { Since = middle.AddMicroseconds(1) }));
        Assert.Equal((all.Decisions, 0L, 0L), (before.Decisions + after.Decisions, before.Different, after.Different));
        Assert.InRange(before.Decisions, 1, all.Decisions - 1);
        var trade = Calm.First(e => e.Type == "trade_raised").CorrelationId!;
        var alone = Decide(Calm, RedecisionOptions.All with { Trade = trade });
        Assert.Equal(DecisionsOf(Calm.Where(e => e.CorrelationId == trade)), alone.Decisions);
        var stream = Decide(Calm, RedecisionOptions.All with { Stream = $"order-{trade}" });
        Assert.Equal(Calm.Where(e => e.Stream == $"order-{trade}").Select(e => e.CausationId).Distinct().Count(), stream.Decisions);
    }

    [Fact]
    public void Of_many_differences_the_first_are_told_and_all_are_counted()
    {
        var with = Overrides.Parse("""{"Risk": {"OrderNotionalMax": 0.01}}"""u8);
        var (all, few) = (Decide(Calm, RedecisionOptions.All with { With = with }), Decide(Calm, RedecisionOptions.All with { With = with, DifferencesMax = 2 }));
        Assert.Equal(all.Differences.Take(2).Select(d => d.Sequence), few.Differences.Select(d => d.Sequence));
        Assert.Equal((all.Different, all.AtStake), (few.Different, few.AtStake));
        Assert.True(all.Different > 2);
    }

    internal static List<StoredEvent> HistoryOf(Plan plan)
    {
        var world = SimRun.WorldOf(plan);
        Assert.Empty(world.Checker.Violations);
        return [.. world.Disk.Data.ReadPageAsync(0, 10_000).Result];
    }

    private static RedecisionReport Decide(IReadOnlyList<StoredEvent> history, RedecisionOptions? options = null, int page = int.MaxValue)
    {
        var redecision = new Redecision(options ?? RedecisionOptions.All);
        for (var from = 0; from < history.Count; from += Math.Min(page, history.Count))
            redecision.Take([.. history.Skip(from).Take(page)]);
        return redecision.End();
    }

    private static long DecisionsOf(IEnumerable<StoredEvent> history) =>
        history.Where(e => StreamKinds.All.Any(k => k.Has(e.Stream))).Select(e => (e.Stream, e.CausationId, e.CausationId is null ? e.Version : 0)).Distinct().Count();

    private static IEnumerable<T> Of<T>()
        where T : class => Calm.Select(Codec.Find<T>).OfType<T>();

    private static decimal Reserved(StoredEvent stored) => Codec.Find<ExposureReserved>(stored)!.Reserved.Value;

    private static List<StoredEvent> Change(StoredEvent which, Action<JsonObject> change) => [.. Calm.Select(e =>
    {
        if (e != which)
            return e;
        var body = JsonNode.Parse(e.Data.Span)!.AsObject();
        change(body);
        return e with { Data = CanonicalJson.From(Encoding.UTF8.GetBytes(body.ToJsonString())) };
    })];
}
