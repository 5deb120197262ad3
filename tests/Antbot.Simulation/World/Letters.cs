using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Identity;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Store;
using Antbot.Simulation.Ports;

namespace Antbot.Simulation.World;

/// <summary>
/// What must hold of dead letters. It sees each message die, leave its queue and be sent once more, and holds that against the record as
/// it is written; what the record means it works out by itself.
/// </summary>
internal sealed class Letters(SimWorld world, Action<Invariant, string> violated)
{
    private static readonly Dictionary<string, string> StreamsOf = new(StringComparer.Ordinal)
    {
        [Routes.Coordinator] = Streams.TradePrefix, [Routes.Validation] = Streams.ValidationPrefix, [Routes.Risk] = Streams.AccountPrefix, [Routes.Execution] = Streams.OrderPrefix,
        [Routes.Reconciliation] = Streams.ReconciliationPrefix,
    };

    public const string SentAgain = "messages that were sent once more";

    /// <summary>A plan in which messages die sends so many of them once more, and more, over a hundred plans.</summary>
    public const int PerPlanAtLeast = 2;

    /// <summary>What can become of dead letters, by its stored name: each has to happen, or nothing is proved about it.</summary>
    public static IReadOnlyList<string> Recordable { get; } =
    [
        .. new[]
        {
            typeof(DeadLetterKept), typeof(DeadLetterReplayOrdered), typeof(DeadLetterReturned), typeof(DeadLetterReplayed), typeof(DeadLetterGivenUp), typeof(DeadLetterDiscarded), typeof(DeadLetterRefused),
            typeof(ReplaysRequested), typeof(ReplaysApproved), typeof(ReplaysRefused), typeof(ReplaysCancelled), typeof(ReplayBatchBegun), typeof(ReplayBatchEnded), typeof(ReplaysDone), typeof(ReplaysStopped),
        }.Select(StoredNameAttribute.Of),
    ];

    private readonly Dictionary<string, Death> _deaths = new(StringComparer.Ordinal);
    private readonly Dictionary<Guid, Known> _letters = [];
    private readonly List<Guid> _inOrder = [];
    private int _ordered;
    private readonly Dictionary<string, HashSet<Guid>> _returns = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Effect>> _effects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Selection> _selections = new(StringComparer.Ordinal);

    /// <summary>Told of each that is recorded, and the how-manieth it is.</summary>
    public Action<int, Guid> Recorded { get; set; } = (_, _) => { };

    /// <summary>Told of each that is to be sent once more, and the how-manieth time that is for all of them.</summary>
    public Action<int, Guid> Ordered { get; set; } = (_, _) => { };

    /// <summary>Those of which nothing is decided.</summary>
    public IEnumerable<Guid> New => _inOrder.Where(l => _letters[l].IsWaiting);

    /// <summary>What died although no plan had meant it to.</summary>
    public IEnumerable<SimLetter> Unplanned => _deaths.Values.Select(d => d.Letter).Where(l => l.Unplanned is not null);

    /// <summary>Why a selection was asked for: so that it is known by what it does.</summary>
    public static string ReasonOf(Guid selection) => $"selection {selection:N}";

    public string EndpointOf(Guid letter) => _letters[letter].Kept.Endpoint;

    public int ReplaysOf(Guid letter) => _letters[letter].Replays;

    /// <summary>A wish to enter is said again until it is heard, or valid no more; what others have to know is said once.</summary>
    public bool CanBeSpared(Guid letter) => _letters[letter].Death?.Message.Body is Rubbish or SignalRaised or ValidateSignal or AssessRisk or ExecuteTrade;

    public bool IsRubbish(Guid letter) => _letters[letter].Death?.Message.Body is Rubbish;

    /// <summary>What is still missing, or null.</summary>
    public string? WhyNotAtRest()
    {
        if (world.Broker.Letters.Waiting > 0)
            return $"{world.Broker.Letters.Waiting} dead letters lie in their queues: {_deaths.Values.First(d => !d.IsTaken).Letter is var letter} {letter.Message} {letter.Unplanned}";
        if (_letters.Values.FirstOrDefault(l => l.IsWaiting || l.Status == DeadLetterStatus.Replaying) is { } open)
            return $"the dead letter {open.Kept.Letter:N}, {open.Kept.MessageType} to {open.Kept.Endpoint}, is {open.Status}";
        if (_letters.Values.FirstOrDefault(Strays) is { } astray)
            return $"the dead letter {astray.Kept.Letter:N} is {astray.Status}, and what was decided on its copy is not known";
        return _selections.FirstOrDefault(s => !s.Value.IsOver).Key is { } busy ? $"{busy} is not over" : null;
    }

    public void Moved(SimLetter letter)
    {
        world.Tally.Tell?.Invoke($"     + {letter.Queue} gets {letter.Message.Body.GetType().Name} {letter.Message.Id:N}{(letter.Replay is { } replay ? $", replay {replay}" : "")}");
        _deaths.TryAdd(letter.Mark, new Death(letter));
    }

    /// <summary>What has left its queue stands in the record.</summary>
    public void Taken(SimLetter letter)
    {
        var death = _deaths[letter.Mark];
        death.IsTaken = true;
        if (death.RecordedAs is null && (letter.Replay is not { } replay || ReturnsOf(replay) < Unkept(replay).Count(d => d.IsTaken)))
            violated(Invariant.Conserved, $"{letter.Message} was taken out of {letter.Queue}, and is recorded nowhere");
    }

    /// <summary>Why it should not have been sent once more, or not so; null where it should.</summary>
    public string? FaultOf(OutboundMessage message, string replay)
    {
        world.Tally.Happened(SentAgain);
        if (replay.Split('/') is not [var id, var number] || !Guid.TryParseExact(id, "N", out var letter) || !_letters.TryGetValue(letter, out var known))
            return $"{message} was sent once more as {replay}, which is no letter";
        if (!known.Orders.Contains(number))
            return $"{message} was sent once more as {replay}, which nobody has ordered";
        return (message.Id, message.Endpoint) == (known.Kept.Message, known.Kept.Endpoint) && (message.Body is not Rubbish rubbish || BlobHash.Of(rubbish.Body.Span) == known.Content.Sha256)
            ? null
            : $"{message} was sent once more, where {known.Death?.Message} had died";
    }

    public void Look(StoredEvent stored, object @event)
    {
        if (stored.CausationId is { } cause && !stored.Stream.StartsWith(Streams.DeadLetterPrefix, StringComparison.Ordinal))
        {
            if (!_effects.TryGetValue(cause, out var effects))
                _effects[cause] = effects = [];
            effects.Add(new Effect(stored, world.Loop.Now));
        }
        switch (@event)
        {
            case DeadLetterKept e:
                Kept(e);
                break;
            case DeadLetterReplayOrdered e:
                SendOnceMore(_letters[e.Letter], e);
                break;
            case DeadLetterReturned e:
                Returned(_letters[e.Letter], e);
                break;
            case DeadLetterReplayed e:
                Replayed(_letters[e.Letter], e);
                break;
            case DeadLetterGivenUp e:
                Undecided(_letters[e.Letter], e.Request, "given up");
                _letters[e.Letter].Reopen();
                break;
            case DeadLetterDiscarded e:
                Undecided(_letters[e.Letter], e.Request, "discarded");
                _letters[e.Letter].Status = DeadLetterStatus.Discarded;
                break;
            case DeadLetterEdited e:
                Edited(_letters[e.Letter], e);
                break;
            case DeadLetterExpired e:
                Expired(_letters[e.Letter], stored);
                break;
            case ReplaysRequested e:
                _selections[ReasonOf(e.Selection)] = new Selection([.. e.Letters.Select(l => l.Letter)]);
                break;
            case ReplayBatchBegun e:
                Begun(_selections[ReasonOf(e.Selection)], e);
                break;
            case ReplaysDone e:
                _selections[ReasonOf(e.Selection)].IsOver = true;
                break;
            case ReplaysStopped e:
                _selections[ReasonOf(e.Selection)].IsOver = true;
                break;
            case ReplaysCancelled e:
                _selections[ReasonOf(e.Selection)].IsOver = true;
                break;
            default:
                // It says nothing of them that could be wrong.
                break;
        }
        if (stored.Stream.StartsWith(Streams.DeadLetterPrefix, StringComparison.Ordinal) && Guid.TryParseExact(stored.Stream[Streams.DeadLetterPrefix.Length..], "N", out var letter) && _letters.TryGetValue(letter, out var known))
            known.At = stored.Timestamp;
        if (Recordable.Contains(stored.Type))
            world.Tally.Happened(stored.Type);
    }

    public void AtRest()
    {
        foreach (var letter in Unplanned)
            violated(Invariant.NothingDropped, $"dead letter: {letter.Message.Body} because {letter.Unplanned}");
        foreach (var (replay, deaths) in _deaths.Values.Where(d => d is { RecordedAs: null, Letter.Replay: not null }).GroupBy(d => d.Letter.Replay!).Select(g => (g.Key, g.Count())))
        {
            if (ReturnsOf(replay) != deaths)
                violated(Invariant.Conserved, $"the replay {replay} died {deaths} times, and came back {ReturnsOf(replay)} times");
        }
        if (_deaths.Values.FirstOrDefault(d => d is { RecordedAs: null, Letter.Replay: null }) is { } lost)
            violated(Invariant.Conserved, $"{lost.Letter.Message} died, and is recorded nowhere");
        foreach (var letter in _letters.Values.Where(Strays))
            violated(Invariant.LettersTrue, $"the dead letter {letter.Kept.Letter:N} is {letter.Status}, and its copy had its effect");
        foreach (var _ in _letters.Values.Where(l => l.Status == DeadLetterStatus.Discarded && EffectsOf(l.Kept).Any()))
            world.Tally.Happened("letters that were discarded and whose message had its effect otherwise");
    }

    /// <summary>It was decided otherwise about it while a copy was on its way, and that had its effect.</summary>
    private bool Strays(Known letter) => letter is { IsOut: true, IsWaiting: false } && letter.Status != DeadLetterStatus.Replaying && EffectsOf(letter.Kept).Any();

    private void Kept(DeadLetterKept e)
    {
        if (!_deaths.TryGetValue(MarkOf(e), out var death))
        {
            violated(Invariant.Conserved, $"{e.MessageType} to {e.Endpoint} is recorded as the dead letter {e.Letter:N}, and did not die");
            return;
        }
        if (death.RecordedAs is { } before)
            violated(Invariant.Conserved, $"{death.Letter.Message} died once, and is recorded as {before:N} and as {e.Letter:N}");
        if (FaultOf(e, death.Letter) is { } fault)
            violated(Invariant.Conserved, $"{death.Letter.Message} is recorded as {e.Letter:N} otherwise than it died: {fault}");
        death.RecordedAs = e.Letter;
        _letters[e.Letter] = new Known(e, death.Letter);
        _inOrder.Add(e.Letter);
        Recorded(_inOrder.Count, e.Letter);
    }

    private static string? FaultOf(DeadLetterKept e, SimLetter died)
    {
        var properties = e.Properties!;
        var headers = properties.Headers.Where(h => h.Depth == 0).ToDictionary(h => h.Name, h => h.Value, StringComparer.Ordinal);
        return e.Body is { } body && !died.Body.Span.SequenceEqual(body) ? "its body is another"
            : e.Content != new ContentHash(BlobHash.Of(died.Body.Span), died.Body.Length) ? "the hash of its body is another's"
            : (properties.MessageId, properties.CorrelationId, e.Queue, e.Endpoint) != (died.Properties.MessageId, died.Properties.CorrelationId, died.Queue, died.Message.Endpoint) ? "where it was going, or what it is"
            : !headers.Keys.ToHashSet().SetEquals(died.Properties.Headers!.Keys) ? $"its headers are {string.Join(' ', headers.Keys)}"
            : died.Properties.Headers!.Where(h => h.Value is byte[] text && System.Text.Encoding.UTF8.GetString((byte[])h.Value!) != HeaderLines.Unescape(headers[h.Key])).Select(h => h.Key).FirstOrDefault() is { } changed ? $"its header {changed}"
            : null;
    }

    /// <summary>What the broker gave up bears none: of what is the same in everything one is recorded.</summary>
    private static string MarkOf(DeadLetterKept e) => e.Properties!.Headers.FirstOrDefault(h => h is { Depth: 0, Name: DeadLetterHeaders.Mark })?.Value
        ?? $"{e.Message:N} at {e.Properties.Headers.FirstOrDefault(h => h is { Depth: 2, Name: "time" })?.Value}";

    private void SendOnceMore(Known letter, DeadLetterReplayOrdered e)
    {
        if (!letter.IsWaiting)
            violated(Invariant.LettersTrue, $"the dead letter {e.Letter:N} is {letter.Status}, and is sent once more");
        if (_selections.TryGetValue(e.Reason, out var selection) && !(selection.Letters.Contains(e.Letter) && selection.Begun.Contains(e.Letter)))
            violated(Invariant.SelectionFrozen, $"the dead letter {e.Letter:N} is sent once more in {e.Reason}, where it was not chosen");
        (letter.Status, letter.Replays, letter.IsOut) = (DeadLetterStatus.Replaying, e.Replay, true);
        letter.Orders.Add($"{e.Replay}");
        Ordered(++_ordered, e.Letter);
    }

    private void Returned(Known letter, DeadLetterReturned e)
    {
        // What could not be sent comes back without having died.
        if (e.Returned != DeterministicId.From("not-sent", $"{e.Letter:N}", $"{e.Replay}"))
        {
            var replay = $"{e.Letter:N}/{e.Replay}";
            if (!_returns.TryGetValue(replay, out var returns))
                _returns[replay] = returns = [];
            returns.Add(e.Returned);
            if (returns.Count > Unkept(replay).Count())
                violated(Invariant.Conserved, $"the replay {replay} is said to have come back {returns.Count} times, and died {Unkept(replay).Count()} times");
        }
        if (letter.Status is DeadLetterStatus.Replaying or DeadLetterStatus.Replayed && e.Replay == letter.Replays)
            letter.Reopen();
        if (e.Replay == letter.Replays)
            letter.IsOut = false;
    }

    private void Replayed(Known letter, DeadLetterReplayed e)
    {
        if (letter.IsWaiting || !letter.IsOut || e.Replay != letter.Replays)
            violated(Invariant.LettersTrue, $"the dead letter {e.Letter:N} is {letter.Status}, and is said to be replayed by its copy {e.Replay}");
        if (letter.Status is DeadLetterStatus.Discarded or DeadLetterStatus.Expired)
            world.Tally.Happened("letters that were discarded on their way and had their effect");
        (letter.Status, letter.IsOut) = (DeadLetterStatus.Replayed, false);
        if (!EffectsOf(letter.Kept).Any(d => (d.Stored.EventId, d.Stored.Stream, d.Stored.Sequence) == (e.Effect, e.Stream, e.Sequence)))
            violated(Invariant.LettersTrue, $"the dead letter {e.Letter:N} is said to be replayed by event {e.Sequence} of {e.Stream}, and {letter.Kept.Endpoint} has decided nothing on it there");
    }

    /// <summary>What was decided on a message stands: another one under its id would never be looked at.</summary>
    private void Edited(Known letter, DeadLetterEdited e)
    {
        if (!letter.IsWaiting)
            violated(Invariant.LettersTrue, $"the dead letter {e.Letter:N} is {letter.Status}, and is edited");
        if ((e.Edit, e.Before) != (letter.Edits + 1, letter.Content))
            violated(Invariant.LettersTrue, $"edit {e.Edit} of the dead letter {e.Letter:N} was made of {e.Before.Sha256}, where edit {letter.Edits} had left {letter.Content.Sha256}");
        NotDecidedOn(letter, e.Request, "edited");
        (letter.Status, letter.Edits, letter.Content) = (DeadLetterStatus.Edited, e.Edit, e.After);
    }

    private void Expired(Known letter, StoredEvent stored)
    {
        if (!letter.IsWaiting)
            violated(Invariant.LettersTrue, $"the dead letter {letter.Kept.Letter:N} is {letter.Status}, and has expired");
        if (stored.Timestamp - letter.At < TimeSpan.FromDays(SimConsole.Options.DeadLetterDays))
            violated(Invariant.LettersTrue, $"the dead letter {letter.Kept.Letter:N} has expired {(stored.Timestamp - letter.At).TotalDays:0.#} days after something was done about it");
        foreach (var trade in letter.Kept.Trades.Where(world.Checker.GoesOn))
            violated(Invariant.LettersTrue, $"the dead letter {letter.Kept.Letter:N} has expired, and {trade}, which it is about, goes on");
        letter.Status = DeadLetterStatus.Expired;
    }

    /// <summary>While it is on its way it may be decided on at any moment; what had been before somebody said so is known.</summary>
    private void Undecided(Known letter, Guid request, string what)
    {
        if (letter.Status == DeadLetterStatus.Replaying)
            NotDecidedOn(letter, request, what);
    }

    private void NotDecidedOn(Known letter, Guid request, string what)
    {
        if (EffectsOf(letter.Kept).FirstOrDefault(d => d.At < world.LetterOperators.AskedAt(request)) is { } effect)
            violated(Invariant.LettersTrue, $"the dead letter {letter.Kept.Letter:N} was {what}, and {effect.Stored.Stream} version {effect.Stored.Version} had been decided on it");
    }

    private void Begun(Selection selection, ReplayBatchBegun e)
    {
        foreach (var letter in e.Letters.Where(l => !selection.Letters.Contains(l) || !selection.Begun.Add(l)))
            violated(Invariant.SelectionFrozen, $"the dead letter {letter:N} is in batch {e.Batch} of {ReasonOf(e.Selection)}, and was not chosen for it, or has had its turn");
    }

    private IEnumerable<Effect> EffectsOf(DeadLetterKept kept) => kept.Message is { } message && StreamsOf.TryGetValue(kept.Endpoint, out var prefix)
        ? _effects.GetValueOrDefault(message.ToString("N"), []).Where(e => e.Stored.Stream.StartsWith(prefix, StringComparison.Ordinal))
        : [];

    private IEnumerable<Death> Unkept(string replay) => _deaths.Values.Where(d => d.RecordedAs is null && d.Letter.Replay == replay);

    private int ReturnsOf(string replay) => _returns.GetValueOrDefault(replay)?.Count ?? 0;

    /// <summary>One message, or one copy of it, that was moved among the dead.</summary>
    private sealed class Death(SimLetter letter)
    {
        public SimLetter Letter { get; } = letter;

        public bool IsTaken { get; set; }

        /// <summary>The letter that it is by itself; null where it is the return of another one, or not recorded yet.</summary>
        public Guid? RecordedAs { get; set; }
    }

    private sealed class Known(DeadLetterKept kept, SimLetter? death)
    {
        public DeadLetterKept Kept { get; } = kept;

        public SimLetter? Death { get; } = death;

        public DeadLetterStatus Status { get; set; } = DeadLetterStatus.New;

        /// <summary>Nothing is decided of it but what is to be sent.</summary>
        public bool IsWaiting => Status is DeadLetterStatus.New or DeadLetterStatus.Edited;

        /// <summary>When something was last recorded of it.</summary>
        public DateTimeOffset At { get; set; }

        public int Edits { get; set; }

        /// <summary>What is sent once more.</summary>
        public ContentHash Content { get; set; } = kept.Content;

        public int Replays { get; set; }

        /// <summary>The last copy has not come back, and nothing is recorded that it came to.</summary>
        public bool IsOut { get; set; }

        /// <summary>The numbers of the replays that were ordered.</summary>
        public HashSet<string> Orders { get; } = new(StringComparer.Ordinal);

        public void Reopen() => Status = Edits > 0 ? DeadLetterStatus.Edited : DeadLetterStatus.New;
    }

    /// <param name="Letters">As they were chosen.</param>
    private sealed record Selection(HashSet<Guid> Letters)
    {
        /// <summary>Those that have had their turn.</summary>
        public HashSet<Guid> Begun { get; } = [];

        public bool IsOver { get; set; }
    }

    /// <summary>What was decided, and when.</summary>
    private sealed record Effect(StoredEvent Stored, TimeSpan At);
}
