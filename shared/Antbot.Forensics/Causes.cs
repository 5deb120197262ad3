using System.Globalization;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Coordinator.Core;
using Antbot.Execution;
using Antbot.Kernel.Identity;
using Antbot.Reconciliation;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>
/// What each event of a chain follows from. An input's id is a hash of what it comes of: a message of the event that says it, an answer of
/// the attempt, a look of the stream's version. So every link is made again here and compared; none is believed.
/// </summary>
internal sealed class Causes
{
    /// <summary>A look may have been overtaken by so many events before it was recorded.</summary>
    private const int OvertakenMax = 100;

    /// <summary>A verification that stays open is tried again, and what each try comes to is recorded only where it is news.</summary>
    private const int TriesMax = 64;

    private readonly IReadOnlyList<Traced> _chain;
    private readonly Dictionary<string, Cause> _known = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Stream, long Version), int> _places = [];
    private readonly Dictionary<Guid, int> _audited = [];

    public Causes(IReadOnlyList<Traced> chain)
    {
        _chain = chain;
        for (var i = 0; i < chain.Count; i++)
        {
            _places[(chain[i].Stored.Stream, chain[i].Stored.Version)] = i + 1;
            foreach (var said in chain[i].Says)
                Add(said.Id, CauseKind.Message, i, $"{said.Body.GetType().Name} to {said.Endpoint}");
            if (chain[i] is { Owner: { } trade, Event: { } @event } && DueOf(@event) is { } due)
                AddDeadlines(trade, due, i);
            switch (chain[i].Event)
            {
                case OrderAttempted e:
                    Add(StepIds.Answer(e.Order, e.Attempt), CauseKind.Answer, i, $"what the venue made of attempt {e.Attempt} at {e.Order}");
                    Add(StepIds.Unanswered(e.Order, e.Attempt), CauseKind.Answer, i, $"nobody answers for attempt {e.Attempt} at {e.Order}");
                    break;
                case VerificationPending e:
                    AddTries(e.Message, i);
                    break;
                case TradeDrifted e:
                    AddTries(e.Message, i);
                    break;
                case ActivitySet or TradingModeSet or MaintenanceSet:
                    _audited[AuditOf(chain[i].Stored).EventId(0)] = i + 1;
                    break;
                default:
                    // It leads to nothing but its messages.
                    break;
            }
        }
    }

    /// <summary>Under which the Console records who gave a word.</summary>
    public static Decision AuditOf(StoredEvent word) => new(word.EventId, "audit");

    public Cause Of(int index)
    {
        var (stored, @event) = (_chain[index].Stored, _chain[index].Event);
        if (_audited.TryGetValue(stored.EventId, out var command))
            return new Cause(CauseKind.Command, null, command, "the operator's word that it is the record of");
        if (stored.CausationId is not { } input)
            return Outside(stored, null, $"{stored.Actor ?? "nobody who said so"}: no message brought it");
        if (_known.TryGetValue(input, out var known) && known.Step <= index)
            return known;
        return @event switch
        {
            SignalRecorded e when input == e.Signal.Trade.Value => Outside(stored, input, e.Signal.Source),
            DeadLetterKept e => e.Trades.Count == 0 ? Outside(stored, input, $"a message in {e.Queue} that is about no trade of ours") : Missing(input, $"message {input}"),
            _ when stored.Stream.StartsWith(Streams.DeadLetterPrefix, StringComparison.Ordinal) => Outside(stored, input, stored.Actor ?? ""),
            _ when stored.Stream.StartsWith(Streams.AuditPrefix, StringComparison.Ordinal) || stored.Stream == Streams.Access.Value => Outside(stored, input, stored.Actor ?? ""),
            _ when stored.Stream.StartsWith(Streams.OrderPrefix, StringComparison.Ordinal) => LookAtOrder(index, input) ?? Missing(input, $"input {input}"),
            _ when stored.Stream.StartsWith(Streams.ReconciliationPrefix, StringComparison.Ordinal) && IsLook(stored, input) => Outside(stored, input, "a look at the whole account at the venue"),
            _ => Missing(input, $"input {input}"),
        };
    }

    private void Add(Guid id, CauseKind kind, int index, string what) => _known.TryAdd(id.ToString("N"), new Cause(kind, id.ToString("N"), index + 1, what));

    /// <summary>Whichever phase the event led to: its deadline is known by the trade, the phase and the time.</summary>
    private void AddDeadlines(TradeId trade, DateTimeOffset due, int index)
    {
        foreach (var phase in Enum.GetValues<TradePhase>())
            Add(new DeadlineReached(trade, phase, due).InputId(), CauseKind.Deadline, index, $"phase {phase} was to last until {due.UtcDateTime:yyyy-MM-dd HH:mm:ss.ffffff}");
    }

    private static DateTimeOffset? DueOf(object @event) => @event switch
    {
        TradeRaised e => e.Due,
        TradeAdopted e => e.Due,
        TradeValidated e => e.Due,
        TradeApproved e => e.Due,
        TradeOpenedRecorded e => e.Due,
        TradeClosingRecorded e => e.Due,
        TradeDeadlinePassed e => e.NextDue,
        _ => null,
    };

    private void AddTries(Guid message, int index)
    {
        for (var i = 0; i <= TriesMax; i++)
            Add(ReconciliationDecider.StepId(message, i), CauseKind.Look, index, "the venue was asked again");
    }

    private static Cause Outside(StoredEvent stored, string? input, string what) => new(CauseKind.Outside, input, null, what.Length > 0 ? what : stored.Actor ?? "");

    private static Cause Missing(string input, string what) => new(CauseKind.Missing, input, null, $"{what}, which nothing in the history says");

    /// <summary>All events of a decision have its input; only the first of them says what that was.</summary>
    private Cause? LookAtOrder(int index, string input)
    {
        var stored = _chain[index].Stored;
        var first = stored.Version;
        while (_places.TryGetValue((stored.Stream, first - 1), out var before) && _chain[before - 1].Stored.CausationId == input)
            first--;
        if (!_places.TryGetValue((stored.Stream, first), out var number) || _chain[number - 1].Event is not OrderInput { } made)
            return null;
        var trade = _chain[number - 1].Owner!.Value;
        for (var version = first - 1; version >= Math.Max(0, first - OvertakenMax); version--)
        {
            if (IdOf(made, trade, version)?.ToString("N") == input)
                return new Cause(CauseKind.Look, input, _places.TryGetValue((stored.Stream, version), out var stood) ? stood : null, Words(made));
        }
        return null;
    }

    private static Guid? IdOf(OrderInput made, TradeId trade, long version) => made switch
    {
        { Kind: OrderInputKind.Proceed } => StepIds.Proceed(trade, version),
        { Kind: OrderInputKind.Seen, Order: { } order } => StepIds.Seen(order, version),
        { Kind: OrderInputKind.NotFound, Order: { } order } => StepIds.NotFound(order, version),
        { Kind: OrderInputKind.Revalidate, Order: { } order } => StepIds.Revalidate(order, version),
        _ => null,
    };

    private static string Words(OrderInput made) => made.Kind switch
    {
        OrderInputKind.Seen => $"what the venue said of {made.Order}",
        OrderInputKind.NotFound => $"the venue does not know {made.Order}",
        OrderInputKind.Revalidate => $"whether {made.Order} would still be entered",
        _ => "prices and times as they had become",
    };

    private static bool IsLook(StoredEvent stored, string input)
    {
        using var document = JsonDocument.Parse(stored.Data);
        return document.RootElement.TryGetProperty("Look", out var look) && look.TryGetInt64(out var number)
            && document.RootElement.TryGetProperty("Account", out var account) && account.ValueKind == JsonValueKind.String && AccountId.Fault(account.GetString()!) is null
            && ReconciliationDecider.LookId(new AccountId(account.GetString()!), number).ToString("N", CultureInfo.InvariantCulture) == input;
    }
}
