using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Runtime.Store;

namespace Antbot.ReadModels;

/// <summary>
/// How events become rows. It is given the rows that a page of events touches, and says what became of them; the same events in
/// the same order always give the same rows.
/// </summary>
public sealed class ViewFold
{
    /// <summary>Changes whenever the rows do: those of another build are then made anew.</summary>
    public const string Name = "views-7";

    public const string CountsId = "trades";
    public const string LeftOutId = "left-out";

    private const string Counts = "Counts";
    private const string Day = "Day";
    private const string LeftOut = "LeftOut";
    private const string ProcessStarted = "process_started";
    private const string ProcessStopped = "process_stopped";

    /// <summary>What is told of many at once stands in one table, and is told apart by how it stands.</summary>
    private static readonly string[] Incidents = Enum.GetNames<IncidentStatus>();

    private static readonly Dictionary<string, Type> Types = typeof(TradeRaised).Assembly.GetTypes()
        .Select(t => (Type: t, Name: t.GetCustomAttributes(typeof(StoredNameAttribute), inherit: false).Cast<StoredNameAttribute>().FirstOrDefault()?.Name))
        .Where(t => t.Name is not null && (t.Name.StartsWith("trade_", StringComparison.Ordinal) || t.Name.StartsWith("order_", StringComparison.Ordinal) || t.Name.StartsWith("position_", StringComparison.Ordinal)
            || t.Name.StartsWith("dead_letter_", StringComparison.Ordinal) || t.Name.StartsWith("replay", StringComparison.Ordinal) || t.Name.StartsWith("incident_", StringComparison.Ordinal) || MentionFold.Types.Contains(t.Type)))
        .ToDictionary(t => t.Name!, t => t.Type, StringComparer.Ordinal);

    private readonly Dictionary<RowKey, object> _views = [];
    private readonly Dictionary<RowKey, long> _changed = [];

    /// <param name="rows">What is there of the rows that the events touch.</param>
    public ViewFold(IReadOnlyDictionary<RowKey, ViewRow> rows)
    {
        foreach (var (key, row) in rows)
            _views[key] = Read(row);
    }

    /// <summary>Whether the event says anything to a read model.</summary>
    public static bool Wants(StoredEvent stored) => Reads(stored) || IsProcess(stored) || MentionFold.IsAction(stored);

    /// <summary>Whether it must be given as what it is; of the others only the row is looked at.</summary>
    public static bool Reads(StoredEvent stored) => Types.ContainsKey(stored.Type);

    /// <summary>The rows that must be at hand before the event is applied.</summary>
    public static IEnumerable<RowKey> Touches(StoredEvent stored, object? @event) => Changes(stored, @event).Concat(MentionFold.KeysOf(@event));

    private static IEnumerable<RowKey> Changes(StoredEvent stored, object? @event) => @event switch
    {
        TradeClosedRecorded or TradeRaised or TradeAdopted or TradeValidated or TradeRejected or TradeApproved or TradeDenied or TradeOpenedRecorded or TradeClosingRecorded or TradeFailed or TradeExpired =>
            [Trade(stored), new RowKey(ViewTable.Summaries, CountsId)],
        PositionClosed e => [new RowKey(ViewTable.Positions, e.Trade.Value), new RowKey(ViewTable.Summaries, DayId(e.Account, stored.Timestamp))],
        PositionOpened e => [new RowKey(ViewTable.Positions, e.Trade.Value)],
        PositionClosing e => [new RowKey(ViewTable.Positions, e.Trade.Value)],
        PositionWrittenOff e => [new RowKey(ViewTable.Positions, e.Trade.Value)],
        null => IsProcess(stored) ? [new RowKey(ViewTable.Processes, ProcessId(stored))] : [],
        _ when DeadLetterFold.SubjectOf(@event) is (var letter, var group) => [new RowKey(ViewTable.DeadLetters, letter), new RowKey(ViewTable.DeadLetterGroups, group)],
        DeadLetterRefused or ReplaysRefused or IncidentRefused or DifferenceFound or IRemedy or RemedyEnded => [],
        _ when IncidentFold.SubjectOf(@event) is { } incident => [new RowKey(ViewTable.Summaries, incident.ToString("N"))],
        _ when ReplaysFold.SubjectOf(@event) is { } selection => [new RowKey(ViewTable.Summaries, selection.ToString("N"))],
        _ when OrderOf(@event) is { } order => [new RowKey(ViewTable.Orders, order.Value)],
        _ => [Trade(stored)],
    };

    /// <summary>The rows that have changed.</summary>
    public IReadOnlyList<ViewRow> Changed() => [.. _changed.Select(c => Row(c.Key, c.Value, _views[c.Key]))];

    public void Apply(StoredEvent stored, object? @event)
    {
        var at = stored.Timestamp;
        foreach (var key in MentionFold.KeysOf(@event))
            Put(key, stored, MentionFold.Apply(Get<MentionsView>(key.Table, key.Id), stored));
        if (MentionFold.IsAction(stored))
            Put(MentionFold.ActionKey(stored.Sequence), stored, new ActionView(stored.Actor!, at, stored.Type, stored.Stream, stored.Version));
        if (@event is null && IsProcess(stored))
            Put(new RowKey(ViewTable.Processes, ProcessId(stored)), stored, Process(stored));
        else if (@event is null)
            return;
        else if (OrderOf(@event) is { } order)
            PutIf(new RowKey(ViewTable.Orders, order.Value), stored, OrderFold.Apply(Get<OrderView>(ViewTable.Orders, order.Value), @event, at));
        else if (DeadLetterFold.SubjectOf(@event) is (var letter, var group))
            ApplyDeadLetter(stored, @event, letter, group);
        else if (ReplaysFold.SubjectOf(@event) is { } selection)
            PutIf(new RowKey(ViewTable.Summaries, $"{selection:N}"), stored, ReplaysFold.Apply(Get<ReplaysView>(ViewTable.Summaries, $"{selection:N}"), @event, at));
        else if (IncidentFold.SubjectOf(@event) is { } incident)
            PutIf(new RowKey(ViewTable.Summaries, $"{incident:N}"), stored, IncidentFold.Apply(Get<IncidentView>(ViewTable.Summaries, $"{incident:N}"), @event, at));
        else if (@event is DeadLetterRefused or ReplaysRefused or IncidentRefused or DifferenceFound or IRemedy or RemedyEnded)
            return;
        else if (@event is PositionOpened or PositionClosing or PositionClosed or PositionWrittenOff)
            ApplyPosition(stored, @event, at);
        else
            ApplyTrade(stored, @event, at);
    }

    /// <summary>An archive has it that cannot be read here: that the rows lack it stands among them.</summary>
    public void LeaveOut(ArchivedEvent archived)
    {
        var key = new RowKey(ViewTable.Summaries, LeftOutId);
        var events = new SortedDictionary<string, long>((Get<LeftOutView>(ViewTable.Summaries, LeftOutId)?.Events ?? new Dictionary<string, long>()).ToDictionary(), StringComparer.Ordinal);
        events[archived.Archive] = events.GetValueOrDefault(archived.Archive) + 1;
        (_views[key], _changed[key]) = (new LeftOutView(events), archived.Sequence);
    }

    public static string DayId(AccountId account, DateTimeOffset at) => $"{account.Value}:{at.UtcDateTime:yyyy-MM-dd}";

    private void ApplyDeadLetter(StoredEvent stored, object @event, string letter, string group)
    {
        var before = Get<DeadLetterView>(ViewTable.DeadLetters, letter);
        var after = DeadLetterFold.Apply(before, @event, stored.Timestamp);
        PutIf(new RowKey(ViewTable.DeadLetters, letter), stored, after);
        PutIf(new RowKey(ViewTable.DeadLetterGroups, group), stored, DeadLetterFold.Apply(Get<DeadLetterGroupView>(ViewTable.DeadLetterGroups, group), before, after, stored.Timestamp));
    }

    private void ApplyPosition(StoredEvent stored, object @event, DateTimeOffset at)
    {
        var trade = @event switch { PositionOpened e => e.Trade, PositionClosing e => e.Trade, PositionClosed e => e.Trade, PositionWrittenOff e => e.Trade, _ => throw new InvalidOperationException("It is about a position.") };
        var before = Get<PositionView>(ViewTable.Positions, trade.Value);
        PutIf(new RowKey(ViewTable.Positions, trade.Value), stored, PositionFold.Apply(before, @event, at));
        if (@event is not PositionClosed closed)
            return;
        var id = DayId(closed.Account, at);
        var day = Get<DayView>(ViewTable.Summaries, id) ?? new DayView(closed.Account, $"{at.UtcDateTime:yyyy-MM-dd}", Money.Zero, Money.Zero, 0, 0);
        // A position that is closed again, with corrected numbers, replaces what was counted for it.
        if (before is { State: PositionState.Closed, Realised: { } counted, ClosedAt: { } when } && DayId(before.Account, when) == id)
            day = day with { Realised = day.Realised - counted, Fees = day.Fees - before.Fees, Closed = day.Closed - 1, Won = day.Won - (counted > Money.Zero ? 1 : 0) };
        Put(new RowKey(ViewTable.Summaries, id), stored, day with
        {
            Realised = day.Realised + closed.Realised,
            Fees = day.Fees + closed.Fees,
            Closed = day.Closed + 1,
            Won = day.Won + (closed.Realised > Money.Zero ? 1 : 0),
        });
    }

    private void ApplyTrade(StoredEvent stored, object @event, DateTimeOffset at)
    {
        var key = Trade(stored);
        var before = Get<TradeView>(ViewTable.Trades, key.Id);
        if (TradeFold.Apply(before, @event, at) is not { } after)
            return;
        Put(key, stored, after);
        if (before?.Phase == after.Phase)
            return;
        var counts = new SortedDictionary<TradePhase, long>((Get<CountsView>(ViewTable.Summaries, CountsId)?.Trades ?? new Dictionary<TradePhase, long>()).ToDictionary());
        if (before is not null)
            counts[before.Phase] = counts.GetValueOrDefault(before.Phase) - 1;
        counts[after.Phase] = counts.GetValueOrDefault(after.Phase) + 1;
        Put(new RowKey(ViewTable.Summaries, CountsId), stored, new CountsView(counts.Where(c => c.Value != 0).ToDictionary()));
    }

    private static bool IsProcess(StoredEvent stored) => stored.Type is ProcessStarted or ProcessStopped;

    private ProcessView Process(StoredEvent stored)
    {
        // Its class lives with the hosts, whom the command line has no need of.
        using var document = JsonDocument.Parse(stored.Data);
        var body = document.RootElement;
        var known = Get<ProcessView>(ViewTable.Processes, ProcessId(stored));
        var instance = body.GetProperty("Instance").GetGuid();
        var service = body.GetProperty("Service").GetString() ?? "";
        // It stopped after its successor had begun: that one runs.
        if (stored.Type == ProcessStopped && known is not null && known.Instance != instance)
            return known;
        return stored.Type == ProcessStarted
            ? new ProcessView(instance, service, NameIn(body), body.GetProperty("Build").GetString() ?? "", body.GetProperty("ProcessId").GetInt32(), stored.Timestamp, null, "")
            : (known ?? new ProcessView(instance, service, NameIn(body), "", 0, stored.Timestamp, null, "")) with { StoppedAt = stored.Timestamp, Reason = body.GetProperty("Reason").GetString() ?? "" };
    }

    private static string ProcessId(StoredEvent stored)
    {
        using var document = JsonDocument.Parse(stored.Data);
        var body = document.RootElement;
        // The next start under the same name is the same one's: what died without a word is not shown beside it for ever.
        return NameIn(body) is { Length: > 0 } name ? $"{body.GetProperty("Service").GetString()}/{name}" : body.GetProperty("Instance").GetGuid().ToString("N");
    }

    /// <summary>Older builds did not say it.</summary>
    private static string NameIn(JsonElement body) => body.TryGetProperty("Name", out var name) && name.ValueKind == JsonValueKind.String ? name.GetString()! : "";

    private static RowKey Trade(StoredEvent stored) =>
        new(ViewTable.Trades, stored.Stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal) ? stored.Stream[Streams.TradePrefix.Length..] : stored.Stream);

    private static ClientOrderId? OrderOf(object @event) => @event switch
    {
        OrderIntended e => e.Order,
        OrderAttempted e => e.Order,
        OrderAccepted e => e.Order,
        OrderRefused e => e.Order,
        OrderUnknown e => e.Order,
        OrderAbsent e => e.Order,
        OrderFilled e => e.Order,
        OrderFillBusted e => e.Fill.Order,
        OrderCancelIntended e => e.Order,
        OrderEnded e => e.Order,
        OrderCorrected e => e.Order,
        OrderAdopted e => e.Order,
        PositionAdopted e => e.Order,
        _ => null,
    };

    private T? Get<T>(ViewTable table, string id)
        where T : class => (T?)_views.GetValueOrDefault(new RowKey(table, id));

    private void PutIf(RowKey key, StoredEvent stored, object? view)
    {
        if (view is not null)
            Put(key, stored, view);
    }

    private void Put(RowKey key, StoredEvent stored, object view)
    {
        _views[key] = view;
        _changed[key] = stored.Sequence;
    }

    private static object Read(ViewRow row) => row.Table switch
    {
        ViewTable.Trades => row.As<TradeView>(),
        ViewTable.Orders => row.As<OrderView>(),
        ViewTable.Positions => row.As<PositionView>(),
        ViewTable.Processes => row.As<ProcessView>(),
        ViewTable.Summaries => row.State switch { Counts => row.As<CountsView>(), Day => row.As<DayView>(), LeftOut => row.As<LeftOutView>(), var state when Incidents.Contains(state) => row.As<IncidentView>(), _ => row.As<ReplaysView>() },
        ViewTable.DeadLetters => row.As<DeadLetterView>(),
        ViewTable.DeadLetterGroups => row.As<DeadLetterGroupView>(),
        ViewTable.Mentions => row.As<MentionsView>(),
        ViewTable.Actions => row.As<ActionView>(),
        _ => throw new ArgumentException($"{row.Table} is no read model.", nameof(row)),
    };

    private static ViewRow Row(RowKey key, long sequence, object view)
    {
        var document = JsonSerializer.SerializeToUtf8Bytes(view, view.GetType(), ReadModelJson.Options);
        return view switch
        {
            TradeView v => new ViewRow(key.Table, key.Id, sequence, key.Id, v.Account.Value, v.Symbol.Value, v.Phase.ToString(), v.RaisedAt, v.ChangedAt, document),
            OrderView v => new ViewRow(key.Table, key.Id, sequence, v.Trade.Value, v.Account.Value, v.Symbol.Value, v.Status.ToString(), v.IntendedAt, v.ChangedAt, document),
            PositionView v => new ViewRow(key.Table, key.Id, sequence, key.Id, v.Account.Value, v.Symbol.Value, v.State.ToString(), v.OpenedAt, v.ClosedAt ?? v.OpenedAt, document),
            ProcessView v => new ViewRow(key.Table, key.Id, sequence, null, null, null, v.StoppedAt is null ? "Started" : "Stopped", v.StartedAt, v.StoppedAt ?? v.StartedAt, document),
            DayView v => new ViewRow(key.Table, key.Id, sequence, null, v.Account.Value, null, Day, DateTimeOffset.Parse(v.Day + "T00:00:00Z"), DateTimeOffset.Parse(v.Day + "T00:00:00Z"), document),
            CountsView => new ViewRow(key.Table, key.Id, sequence, null, null, null, Counts, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, document),
            LeftOutView => new ViewRow(key.Table, key.Id, sequence, null, null, null, LeftOut, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, document),
            ReplaysView v => new ViewRow(key.Table, key.Id, sequence, v.Query.Trade?.Value, null, null, v.State.ToString(), v.RequestedAt, v.ChangedAt, document),
            IncidentView v => new ViewRow(key.Table, key.Id, sequence, v.Trades is [var trade, ..] ? trade.Value : null, null, null, v.State.ToString(), v.OpenedAt, v.ChangedAt, document),
            DeadLetterView v => new ViewRow(key.Table, key.Id, sequence, v.Trades is [var trade, ..] ? trade.Value : null, null, null, v.State.ToString(), v.KeptAt, v.ChangedAt, document)
            {
                Search = [v.Endpoint, v.MessageType, v.Fingerprint, v.Strays ? DeadLetterView.IsAstray : null],
            },
            // The one that something was added to last is the newest.
            DeadLetterGroupView v => new ViewRow(key.Table, key.Id, sequence, null, null, null, v.State, v.LastSeen, v.LastSeen, document) { Search = [v.Endpoint, v.MessageType] },
            MentionsView => new ViewRow(key.Table, key.Id, sequence, null, null, null, "Mentions", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, document),
            ActionView v => new ViewRow(key.Table, key.Id, sequence, null, null, null, v.Type, v.At, v.At, document) { Search = [v.Actor] },
            _ => throw new ArgumentException($"{view.GetType().Name} is no view.", nameof(view)),
        };
    }
}
