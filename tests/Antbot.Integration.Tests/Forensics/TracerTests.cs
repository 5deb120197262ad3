using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Forensics;
using Antbot.Kernel.Identity;
using Antbot.ReadModels;
using Antbot.Runtime.Store;
using Antbot.Simulation.Faults;
using Antbot.Simulation.World;
using Xunit;

namespace Antbot.Integration.Tests.Forensics;

/// <summary>The whole causal chain of anything, over histories that the platform has made under faults of all kinds.</summary>
public sealed class TracerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-trace-").FullName;
    private int _models;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Of_every_trade_that_was_ever_made_every_link_is_there()
    {
        var (trades, causes) = (0, new HashSet<CauseKind>());
        for (var seed = 1UL; seed <= 40; seed++)
        {
            var store = SimRun.WorldOf(Planner.From(seed)).Disk.Data;
            await using var models = await IndexedAsync(store);
            var tracer = new Tracer(store, new TraceIndex(models));
            var events = await store.ReadPageAsync(0, 10_000, Cancel);
            foreach (var trade in TradesIn(events))
            {
                var trace = (await tracer.TraceAsync(new TraceTarget(TraceKind.Trade, trade.Value), Cancel))!;
                Assert.True(trace.IsWhole, $"seed {seed}, trade {trade}: {string.Join("; ", trace.Gaps.Where(g => g.Kind == GapKind.Missing))}");
                Assert.Equal([trade.Value], trace.Trades);
                // Whatever bears the trade's id or stands in its streams.
                Assert.Empty(events.Where(e => e.CorrelationId == trade.Value || e.Stream.EndsWith(trade.Value, StringComparison.Ordinal)).Select(e => e.Sequence).Except(trace.Steps.Select(s => s.Sequence)));
                Assert.Equal(trace.Steps.Select(s => s.Sequence).Order(), trace.Steps.Select(s => s.Sequence));
                Assert.Equal(Enumerable.Range(1, trace.Steps.Count), trace.Steps.Select(s => s.Number));
                Assert.All(trace.Steps, s => Assert.True(s.Cause.Step is null || s.Cause.Step < s.Number));
                causes.UnionWith(trace.Steps.Select(s => s.Cause.Kind));
                trades++;
            }
        }
        Assert.True(trades > 150, $"{trades} trades");
        Assert.Superset(new HashSet<CauseKind> { CauseKind.Message, CauseKind.Answer, CauseKind.Look, CauseKind.Deadline, CauseKind.Outside }, causes);
    }

    [Fact]
    public async Task Whatever_is_taken_out_of_a_chain_is_named_as_missing()
    {
        var taken = 0;
        foreach (var seed in new[] { 3UL, 7UL, 11UL, 19UL })
        {
            var store = SimRun.WorldOf(Planner.From(seed)).Disk.Data;
            await using var models = await IndexedAsync(store);
            var index = new TraceIndex(models);
            foreach (var trade in TradesIn(await store.ReadPageAsync(0, 10_000, Cancel)).Take(4))
            {
                var target = new TraceTarget(TraceKind.Trade, trade.Value);
                var whole = (await new Tracer(store, index).TraceAsync(target, Cancel))!;
                foreach (var step in whole.Steps.Where(s => s.Stream != Streams.Control.Value))
                {
                    await using var holed = new HoledStore(store, step.Sequence);
                    var without = await new Tracer(holed, index).TraceAsync(target, Cancel);
                    if (without is null)
                        continue;
                    // Nothing shows that the last event of a stream was there, if nothing followed from it.
                    var isLast = whole.Steps.All(s => s.Stream != step.Stream || s.Version <= step.Version) || !step.Stream.EndsWith(trade.Value, StringComparison.Ordinal);
                    var isCause = whole.Steps.Any(s => s.Cause.Step == step.Number && s.Cause.Kind == CauseKind.Message);
                    if (isLast && !isCause)
                        continue;
                    Assert.False(without.IsWhole, $"seed {seed}: {step.Type} v{step.Version} of {step.Stream} was taken out, and nobody says so");
                    taken++;
                }
            }
        }
        Assert.True(taken > 100, $"{taken} were taken out");
    }

    [Fact]
    public async Task A_chain_says_from_the_signal_on_who_decided_what_on_which_message_until_the_end()
    {
        var store = SimRun.WorldOf(new Plan(3, 6, 1, [])).Disk.Data;
        await using var models = await IndexedAsync(store);
        var closed = (await models.ListAsync(ViewTable.Trades, new ViewQuery([nameof(TradePhase.Closed)], Limit: 1), Cancel)).Single();
        var trace = (await new Tracer(store, new TraceIndex(models)).TraceAsync(new TraceTarget(TraceKind.Trade, closed.Id), Cancel))!;
        TraceStep Of(string type) => trace.Steps.First(s => s.Type == type);
        Assert.Equal((CauseKind.Outside, "webhook:"), (Of("signal_raised").Cause.Kind, Of("signal_raised").Cause.What[..8]));
        foreach (var (effect, cause, message) in new[]
        {
            ("trade_raised", "signal_raised", "SignalRaised to coordinator"), ("signal_validated", "trade_raised", "ValidateSignal to validation"), ("trade_validated", "signal_validated", "SignalValidated to coordinator"),
            ("exposure_reserved", "trade_validated", "AssessRisk to risk"), ("trade_approved", "exposure_reserved", "RiskApproved to coordinator"), ("entry_planned", "trade_approved", "ExecuteTrade to execution"),
            ("trade_opened", "position_opened", "TradeOpened to coordinator"), ("trade_closed", "position_closed", "TradeClosed to coordinator"), ("trade_reconciled", "trade_verified", "TradeReconciled to coordinator"),
        })
        {
            Assert.Equal((CauseKind.Message, Of(cause).Number, message), (Of(effect).Cause.Kind, Of(effect).Cause.Step, Of(effect).Cause.What));
            Assert.Contains(Of(cause).Messages, m => $"{m.Type} to {m.Endpoint}" == message && m.Effects.Contains(Of(effect).Number));
        }
        Assert.Equal((CauseKind.Answer, Of("order_attempted").Number), (Of("order_accepted").Cause.Kind, Of("order_accepted").Cause.Step));
        Assert.NotEmpty(Of("exposure_reserved").Verdicts);
        Assert.All(Of("exposure_reserved").Verdicts, v => Assert.NotEqual("", v.Saw));
        Assert.True(Of("exposure_reserved").Body.TryGetProperty("Limits", out _));
        Assert.DoesNotContain(trace.Gaps, g => g.Kind == GapKind.Open);
    }

    [Fact]
    public async Task By_every_id_that_stands_in_it_a_chain_is_found()
    {
        var store = SimRun.WorldOf(new Plan(3, 6, 1, [])).Disk.Data;
        await using var models = await IndexedAsync(store);
        var tracer = new Tracer(store, new TraceIndex(models));
        var trade = (await models.ListAsync(ViewTable.Trades, new ViewQuery([nameof(TradePhase.Closed)], Limit: 1), Cancel)).Single().Id;
        var trace = (await tracer.TraceAsync(new TraceTarget(TraceKind.Trade, trade), Cancel))!;
        var events = trace.Steps.Select(s => s.Sequence).ToList();
        async Task FindsAsync(string text, TraceKind? kind, TraceKind expected)
        {
            var target = Assert.Single(await tracer.ResolveAsync(text, kind, Cancel));
            Assert.Equal(expected, target.Kind);
            Assert.Equal(events, (await tracer.TraceAsync(target, Cancel))!.Steps.Select(s => s.Sequence));
        }
        await FindsAsync(trade, null, TraceKind.Trade);
        await FindsAsync(Guid.Parse(trade).ToString("D"), null, TraceKind.Trade);
        await FindsAsync(trade[..10].ToUpperInvariant(), null, TraceKind.Trade);
        await FindsAsync($"#{events[^1]}", null, TraceKind.Event);
        await FindsAsync($"{events[3]}", TraceKind.Event, TraceKind.Event);
        foreach (var message in trace.Steps.SelectMany(s => s.Messages).Where(m => m.Effects.Count > 0))
            await FindsAsync(message.Id.ToString("N"), null, TraceKind.Message);
        var accepted = trace.Steps.First(s => s.Type == "order_accepted").Body;
        await FindsAsync(accepted.GetProperty("Order").GetString()!, null, TraceKind.Order);
        await FindsAsync(accepted.GetProperty("VenueOrderId").GetString()!, TraceKind.VenueOrder, TraceKind.VenueOrder);
        foreach (var (text, kind) in new (string, TraceKind?)[] { ("#999999", null), ("0123456789abcdef0123456789abcdef", null), ("e0-0123456789abcdef0123456789abcdef", null), ("ffff0000", null), ("nobody-knows", null), ("987654321", TraceKind.VenueOrder) })
            Assert.Empty(await tracer.ResolveAsync(text, kind, Cancel));
    }

    [Fact]
    public async Task A_message_that_nobody_has_decided_on_is_found_by_who_said_it()
    {
        var store = SimRun.WorldOf(new Plan(3, 6, 1, [])).Disk.Data;
        await using var models = await IndexedAsync(store);
        var trade = TradesIn(await store.ReadPageAsync(0, 10_000, Cancel))[0].Value;
        var trace = (await new Tracer(store, new TraceIndex(models)).TraceAsync(new TraceTarget(TraceKind.Trade, trade), Cancel))!;
        var raised = trace.Steps.First(s => s.Type == "trade_raised");
        // As if it were still on its way.
        await using var earlier = new HoledStore(store, [.. trace.Steps.Where(s => s.Sequence > raised.Sequence).Select(s => s.Sequence)]);
        var tracer = new Tracer(earlier, new TraceIndex(models));
        var target = Assert.Single(await tracer.ResolveAsync(raised.Messages[0].Id.ToString("N"), null, Cancel));
        var found = (await tracer.TraceAsync(target, Cancel))!;
        Assert.Equal((TraceKind.Message, true), (target.Kind, found.IsWhole));
        Assert.Contains("ValidateSignal to validation", Assert.Single(found.Gaps, g => g.Kind == GapKind.Open).What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_adopted_corrected_or_written_off_is_told_from_the_look_that_found_it()
    {
        var signals = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var seed = 1UL; seed <= 200 && signals.Count < 3; seed++)
        {
            var data = SimRun.WorldOf(Planner.From(seed)).Disk.Data;
            var events = await data.ReadPageAsync(0, 10_000, Cancel);
            if (!events.Any(e => e.Type is "adoption_decided" or "write_off_decided" or "difference_found"))
                continue;
            await using var models = await IndexedAsync(data);
            foreach (var trade in TradesIn(events))
            {
                var trace = (await new Tracer(data, new TraceIndex(models)).TraceAsync(new TraceTarget(TraceKind.Trade, trade.Value), Cancel))!;
                foreach (var type in trace.Steps.Select(s => s.Type).Where(t => t is "adoption_decided" or "write_off_decided" or "difference_found").Distinct())
                {
                    signals[type] = signals.GetValueOrDefault(type) + 1;
                    Assert.Contains(trace.Steps, s => s.Type == type && s.Messages.Any(m => m.Effects.Count > 0));
                }
            }
        }
        Assert.Equal(3, signals.Count);
    }

    [Fact]
    public async Task A_dead_letter_and_what_was_done_about_it_are_part_of_every_trade_that_it_names()
    {
        var store = SimRun.WorldOf(new Plan(3, 6, 1, [])).Disk.Data;
        var trades = TradesIn(await store.ReadPageAsync(0, 10_000, Cancel))[..2];
        await using (var before = await IndexedAsync(store))
        {
            var message = (await new Tracer(store, new TraceIndex(before)).TraceAsync(new TraceTarget(TraceKind.Trade, trades[0].Value), Cancel))!.Steps.First(s => s.Type == "trade_raised").Messages[0].Id;
            var letter = DeterministicId.From("a letter");
            await AppendAsync(store, Streams.DeadLetter(letter), letter, "service:console", message, new DeadLetterKept(
                letter, "antbot-validation_error", "validation", DeadLetterKind.Fault, message, "ValidateSignal", trades, "System.Exception", "no", "", 5, null, "1", "f", null, null, [1, 2, 3], new ContentHash("00", 3)));
            await AppendAsync(store, Streams.DeadLetter(letter), letter, "operator:anna", DeterministicId.From("a request"), new DeadLetterReplayOrdered(letter, DeterministicId.From("a request"), "f", 1, "mended", "anna"));
            await using var models = await IndexedAsync(store);
            var tracer = new Tracer(store, new TraceIndex(models));
            foreach (var trade in trades)
            {
                var trace = (await tracer.TraceAsync(new TraceTarget(TraceKind.Trade, trade.Value), Cancel))!;
                Assert.Equal(["dead_letter_kept", "dead_letter_replay_ordered"], trace.Steps.TakeLast(2).Select(s => s.Type));
                Assert.False(trace.Steps[^2].Body.TryGetProperty("Body", out var bytes) && bytes.ValueKind != System.Text.Json.JsonValueKind.Null);
            }
            var told = (await tracer.TraceAsync(Assert.Single(await tracer.ResolveAsync(letter.ToString("N"), null, Cancel)), Cancel))!;
            Assert.Equal((TraceKind.DeadLetter, 2), (told.Target.Kind, told.Trades.Count));
            Assert.True(told.IsWhole, string.Join("; ", told.Gaps));
            var kept = told.Steps.Single(s => s.Type == "dead_letter_kept");
            Assert.Equal((CauseKind.Message, told.Steps.First(s => s.Type == "trade_raised").Number), (kept.Cause.Kind, kept.Cause.Step));
            Assert.Contains(told.Steps.SelectMany(s => s.Messages), m => m.Letters.Contains(letter.ToString("N")) && m.Id == message);
            Assert.Equal(told.Steps.Select(s => s.Sequence), (await tracer.TraceAsync(new TraceTarget(TraceKind.Message, message.ToString("N")), Cancel))!.Steps.Select(s => s.Sequence));
        }
    }

    [Fact]
    public async Task The_operators_word_that_was_in_force_is_told_with_who_gave_it()
    {
        var control = SimRun.WorldOf(new Plan(3, 1, 1, [])).Disk.Data;
        var request = DeterministicId.From("halted");
        var recorded = (await AppendAsync(control, Streams.Control, request, "operator:anna", null, new ActivitySet(Activity.Halted, "a feeling", "anna")))[0];
        await AppendAsync(control, new StreamId("audit-2026-03-02"), recorded.EventId, "operator:anna", null, new ConsoleService.OperatorCommandRecorded("halt", "Halted", "a feeling", "anna", recorded.Version), consumer: "audit");
        await using var models = await IndexedAsync(control);
        var tracer = new Tracer(control, new TraceIndex(models));
        foreach (var id in new[] { request.ToString("N"), $"#{recorded.Sequence}", $"#{recorded.Sequence + 1}" })
        {
            var told = (await tracer.TraceAsync(Assert.Single(await tracer.ResolveAsync(id, null, Cancel)), Cancel))!;
            Assert.Equal(["activity_set", "operator_command_recorded"], told.Steps.Select(s => s.Type));
            Assert.Equal([(CauseKind.Outside, null), (CauseKind.Command, 1)], told.Steps.Select(s => (s.Cause.Kind, s.Cause.Step)));
        }
        var acted = await new TraceSelector(control, new TraceIndex(models)).SelectAsync(new TraceSelection(DateTimeOffset.UnixEpoch, recorded.Timestamp.AddDays(1), null, "operator:anna"), Cancel);
        Assert.Equal(2, acted.Subjects.Sum(s => s.Events));
        Assert.Equal(["activity_set"], acted.Subjects[0].What);
    }

    private static async Task<IReadOnlyList<StoredEvent>> AppendAsync(InMemoryEventStore store, StreamId stream, Guid chain, string actor, Guid? cause, object @event, string consumer = "a test")
    {
        var input = consumer == "audit" ? chain : DeterministicId.From(stream.Value, @event.GetType().Name);
        var outcome = await store.AppendAsync(
            new AppendRequest
            {
                Stream = stream,
                Expected = ExpectedVersion.Any,
                Decision = new Decision(input, consumer),
                Events = [new EventCodec(StreamKinds.Registry).Encode(@event)],
                At = new DateTimeOffset(2026, 3, 2, 13, 0, 0, TimeSpan.Zero),
                Meta = new EventMeta(chain.ToString("N"), cause?.ToString("N"), actor),
            },
            Cancel);
        return Assert.IsType<AppendOutcome.Appended>(outcome).Events;
    }

    [Fact]
    public async Task A_symbol_and_a_time_or_somebody_and_a_period_lead_to_what_was_recorded_then_page_by_page()
    {
        var store = SimRun.WorldOf(new Plan(3, 12, 1, [])).Disk.Data;
        await using var models = await IndexedAsync(store);
        var selector = new TraceSelector(store, new TraceIndex(models));
        var events = await store.ReadPageAsync(0, 10_000, Cancel);
        var trades = (await models.ListAsync(ViewTable.Trades, ViewQuery.All with { Limit = 1_000 }, Cancel)).ToList();
        var middle = events[events.Count / 2].Timestamp;
        foreach (var symbol in trades.Select(t => t.Symbol!).Distinct())
        {
            foreach (var (since, until) in new[] { (middle, middle), (middle.AddSeconds(-3), middle.AddSeconds(3)), (events.Min(e => e.Timestamp).AddSeconds(-30), events.Max(e => e.Timestamp)), (middle.AddDays(1), middle.AddDays(2)) })
            {
                // Whenever it began: what was going on then is what had begun and was not over.
                var expected = trades.Where(t => t.Symbol == symbol && t.At <= until && (t.ChangedAt >= since || !TradeView.IsOver(Enum.Parse<TradePhase>(t.State)))).OrderByDescending(t => t.At).ThenByDescending(t => t.Id, StringComparer.Ordinal).Select(t => t.Id);
                Assert.Equal(expected, (await AllAsync(selector, new TraceSelection(since, until, symbol, null, Limit: 3))).Select(s => s.Target.Id));
            }
        }
        foreach (var actor in new[] { "webhook:sim", "service:risk", "operator:nobody" })
        {
            var expected = events.Where(e => e.Actor == actor && e.Timestamp <= middle).Select(e => e.EventId).ToList();
            var found = await AllAsync(selector, new TraceSelection(events.Min(e => e.Timestamp), middle, null, actor, Limit: 2));
            Assert.Equal(expected.Count, found.Sum(s => s.Events));
        }
        await Assert.ThrowsAsync<ArgumentException>(() => selector.SelectAsync(new TraceSelection(middle, middle, null, null), Cancel));
        await Assert.ThrowsAsync<ArgumentException>(() => selector.SelectAsync(new TraceSelection(middle, middle, "BTCUSDT", "service:risk"), Cancel));
        await Assert.ThrowsAsync<ArgumentException>(() => selector.SelectAsync(new TraceSelection(middle, middle, "BTCUSDT", null, After: "5"), Cancel));
        await Assert.ThrowsAsync<ArgumentException>(() => selector.SelectAsync(new TraceSelection(middle, middle.AddSeconds(-1), "BTCUSDT", null), Cancel));
        await Assert.ThrowsAsync<ArgumentException>(() => selector.SelectAsync(new TraceSelection(middle, middle, "BTCUSDT", null, Limit: 501), Cancel));
    }

    private static async Task<List<TraceSubject>> AllAsync(TraceSelector selector, TraceSelection selection)
    {
        var (all, pages) = (new List<TraceSubject>(), 0);
        TracePage page;
        do
        {
            page = await selector.SelectAsync(selection, Cancel);
            Assert.True(page.Subjects.Count <= selection.Limit && ++pages < 10_000);
            all.AddRange(page.Subjects);
            selection = selection with { After = page.Next };
        }
        while (page.Next is not null);
        return all;
    }

    private static List<TradeId> TradesIn(IReadOnlyList<StoredEvent> events) =>
        [.. events.Where(e => e.Stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal) || e.Stream.StartsWith(Streams.SignalPrefix, StringComparison.Ordinal)).Select(e => TradeId.From(e.Stream[^32..])).Distinct()];

    private async Task<SqliteReadModels> IndexedAsync(IEventStore store)
    {
        var models = await SqliteReadModels.OpenAsync(Path.Combine(_folder, $"{_models++}.views.db"), DeterministicId.From("store"), Cancel);
        await new ViewProjection(store, new EventCodec(EventRegistry.From(typeof(TradeRaised).Assembly)), models, TimeProvider.System).CatchUpAsync(_ => { }, Cancel);
        return models;
    }

    /// <summary>A history from which somebody has taken events.</summary>
    private sealed class HoledStore(IEventStore inner, params long[] taken) : IEventStore
    {
        public ILedger Ledger => inner.Ledger;

        public long AppendMark => inner.AppendMark;

        public Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public async Task<IReadOnlyList<StoredEvent>> FindDecisionAsync(Decision decision, CancellationToken cancellationToken = default) => Rest(await inner.FindDecisionAsync(decision, cancellationToken));

        public Task<long> ReadVersionAsync(StreamId stream, CancellationToken cancellationToken = default) => inner.ReadVersionAsync(stream, cancellationToken);

        public IAsyncEnumerable<StoredEvent> ReadStreamAsync(StreamId stream, long fromVersion = 1, CancellationToken cancellationToken = default) =>
            inner.ReadStreamAsync(stream, fromVersion, cancellationToken).Where(e => !taken.Contains(e.Sequence));

        public async Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken = default) => Rest(await inner.ReadPageAsync(afterSequence, limit, cancellationToken));

        public async Task<IReadOnlyList<StoredEvent>> FindByCorrelationAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default) => Rest(await inner.FindByCorrelationAsync(correlationId, limit, cancellationToken));

        public Task WaitForAppendAsync(long mark, TimeSpan atMost, CancellationToken cancellationToken = default) => inner.WaitForAppendAsync(mark, atMost, cancellationToken);

        public Task<long> LoadCheckpointAsync(string subscription, CancellationToken cancellationToken = default) => inner.LoadCheckpointAsync(subscription, cancellationToken);

        public Task SaveCheckpointAsync(string subscription, long sequence, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<Snapshot?> LoadSnapshotAsync(StreamId stream, string name, CancellationToken cancellationToken = default) => inner.LoadSnapshotAsync(stream, name, cancellationToken);

        public Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private List<StoredEvent> Rest(IReadOnlyList<StoredEvent> events) => [.. events.Where(e => !taken.Contains(e.Sequence))];
    }
}
