using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Decisions;

namespace Antbot.ConsoleService.DeadLetters;

/// <param name="Status">Null while nothing is kept.</param>
/// <param name="Replays">How often it was sent once more.</param>
/// <param name="Edits">How often its message was changed.</param>
/// <param name="Content">What is sent once more; null while nothing is kept.</param>
/// <param name="IsOut">A copy of it is on its way, whatever was decided about it since: it has not come back, and nothing is known to have been decided on it.</param>
public sealed record DeadLetterState(DeadLetterStatus? Status, string Fingerprint, int Replays, int Edits, ContentHash? Content, bool IsOut = false)
{
    public static DeadLetterState Initial { get; } = new(null, "", 0, 0, null);

    /// <summary>What is decided on the copy is what becomes of it: who held that nothing is to come of it, or waited no longer, has been overtaken. One that is open is for whoever opened it.</summary>
    public bool MayBeReplayed => IsOut && !IsWaiting;

    /// <summary>Nothing has been decided about it but what is to be sent: it may be sent, changed and discarded.</summary>
    public bool IsWaiting => Status is DeadLetterStatus.New or DeadLetterStatus.Edited;
}

/// <param name="Effect">What was decided on its message, where that is known.</param>
public sealed record DiscardDeadLetter(Guid Letter, Guid Request, string Reason, string By, string? Effect = null);

/// <summary>It was sent once more, and whoever waits would wait no longer.</summary>
/// <param name="Effect">What was decided on its message, where that is known.</param>
public sealed record GiveUpReplay(Guid Letter, Guid Request, string Reason, string By, string? Effect = null);

/// <param name="Edit">What its message becomes, or all that speaks against it.</param>
/// <param name="Effect">What was decided on its message, where that is known.</param>
public sealed record EditDeadLetter(Guid Letter, Guid Request, string Reason, string By, LetterEdit Edit, string? Effect = null);

/// <summary>Nobody has done anything about it for long.</summary>
/// <param name="Replays">As often as it had been sent, and <paramref name="Edits"/> changed, when this was looked at.</param>
/// <param name="Since">When something was last recorded of it.</param>
/// <param name="OpenTrade">A trade that it is about and that is not over, or of which that is not known.</param>
/// <param name="Effect">What was decided on its message, where that is known.</param>
public sealed record ExpireDeadLetter(Guid Letter, int Replays, int Edits, DateTimeOffset Since, int RetentionDays, TradeId? OpenTrade, string? Effect = null);

public enum MessageIdentity
{
    /// <summary>What is decided on it is found under its id.</summary>
    One = 1,
    None = 2,

    /// <summary>Beside its body and within it, and they differ: under which it was decided on cannot be said.</summary>
    Two = 3,

    /// <summary>A parcel of several messages.</summary>
    Many = 4,
}

/// <summary>What a letter says of itself and what is known of its trade, as far as sending it once more depends on it.</summary>
/// <param name="ValidUntil">Of a wish to enter; null for everything else.</param>
/// <param name="Over">The phase in which its trade has ended, where it is a wish to enter.</param>
public sealed record ReplayIntent(MessageIdentity Identity, string Endpoint, DateTimeOffset? ValidUntil, string? Over);

public sealed record ReplayDeadLetter(Guid Letter, Guid Request, string Reason, string By, ReplayIntent Intent);

/// <summary>What was sent once more lies among the dead letters again.</summary>
public sealed record ReturnDeadLetter(Guid Letter, int Replay, DeadLetterKept Again);

/// <summary>Whoever it was going to has decided on it.</summary>
public sealed record ConfirmReplay(Guid Letter, int Replay, Guid Effect, string Stream, long Sequence);

/// <summary>What becomes of a dead letter, each step by somebody and for a reason.</summary>
public static class DeadLetterDecider
{
    public const string Consumer = "dead-letters";

    /// <summary>Who acts where nobody does.</summary>
    public const string Unattended = "system";

    public static Behaviour<DeadLetterState> Behaviour { get; } = new(Consumer, new Fold<DeadLetterState>("dead-letter-3", DeadLetterState.Initial, Apply), Decide, _ => [])
    {
        IsOver = state => state.Status is DeadLetterStatus.Discarded or DeadLetterStatus.Replayed or DeadLetterStatus.Expired,
    };

    private static DeadLetterState Apply(DeadLetterState state, object @event) => @event switch
    {
        DeadLetterKept e => new(DeadLetterStatus.New, e.Fingerprint, 0, 0, e.Content),
        DeadLetterEdited e => state with { Status = DeadLetterStatus.Edited, Edits = e.Edit, Content = e.After },
        DeadLetterReplayOrdered e => state with { Status = DeadLetterStatus.Replaying, Replays = e.Replay, IsOut = true },
        // A copy of an earlier one comes too late to change anything. What was decided on may still not have come to its end: then it is open again.
        DeadLetterReturned e => e.Replay != state.Replays ? state
            : state with { Status = state.Status is DeadLetterStatus.Replaying or DeadLetterStatus.Replayed ? Waiting(state) : state.Status, IsOut = false },
        DeadLetterReplayed => state with { Status = DeadLetterStatus.Replayed, IsOut = false },
        DeadLetterGivenUp e => state.Status == DeadLetterStatus.Replaying && e.Replay == state.Replays ? state with { Status = Waiting(state) } : state,
        DeadLetterDiscarded => state with { Status = DeadLetterStatus.Discarded },
        DeadLetterExpired => state with { Status = DeadLetterStatus.Expired },
        _ => state,
    };

    private static IReadOnlyList<object> Decide(DeadLetterState state, object input, DateTimeOffset now) => input switch
    {
        DiscardDeadLetter d => Judged(d.Letter, d.Request, "discard", d.By, [IsOpen(state), IsUndecided(state, d.Effect)], new DeadLetterDiscarded(d.Letter, d.Request, state.Fingerprint, d.Reason, d.By)),
        GiveUpReplay g => Judged(
            g.Letter, g.Request, "give-up", g.By, [IsUnderWay(state), IsUndecided(state, g.Effect)], new DeadLetterGivenUp(g.Letter, g.Request, state.Fingerprint, state.Replays, g.Reason, g.By)),
        ReplayDeadLetter r => Judged(
            r.Letter, r.Request, "replay", r.By, [IsWaiting(state), .. Sendable(r.Intent, now)], new DeadLetterReplayOrdered(r.Letter, r.Request, state.Fingerprint, state.Replays + 1, r.Reason, r.By)),
        EditDeadLetter e => Judged(e.Letter, e.Request, "edit", e.By, [IsWaiting(state), IsFree(e.Effect), .. Sound(state, e.Edit)], Edited(state, e)),
        ExpireDeadLetter e => IsOld(state, e, now) ? [new DeadLetterExpired(e.Letter, state.Fingerprint, Why(e), Unattended)] : [],
        ReturnDeadLetter r => r.Replay < 1 || r.Replay > state.Replays ? [] :
        [
            new DeadLetterReturned(
                r.Letter, state.Fingerprint, r.Replay, r.Again.Letter, r.Again.Kind, r.Again.FaultType, r.Again.FaultMessage, r.Again.Stack, r.Again.Attempts, r.Again.FailedAt, r.Again.Build, r.Again.Fingerprint),
        ],
        ConfirmReplay c => state.MayBeReplayed && state.Replays == c.Replay ? [new DeadLetterReplayed(c.Letter, state.Fingerprint, c.Replay, c.Effect, c.Stream, c.Sequence)] : [],
        _ => throw new ArgumentException($"{input.GetType().Name} is nothing that is decided of a dead letter.", nameof(input)),
    };

    private static DeadLetterStatus Waiting(DeadLetterState state) => state.Edits > 0 ? DeadLetterStatus.Edited : DeadLetterStatus.New;

    private static Verdict IsWaiting(DeadLetterState state) => new("new", state.IsWaiting, Stands(state));

    private static Verdict IsOpen(DeadLetterState state) => new("open", state.IsWaiting || state.Status == DeadLetterStatus.Replaying, Stands(state));

    private static Verdict IsUnderWay(DeadLetterState state) => new("replaying", state.Status == DeadLetterStatus.Replaying, Stands(state));

    /// <summary>While it is on its way it may have had its effect already: then that is what became of it.</summary>
    private static Verdict IsUndecided(DeadLetterState state, string? effect) =>
        new("undecided", effect is null || state.Status != DeadLetterStatus.Replaying, effect ?? "nothing was decided on it");

    /// <summary>What was decided on a message stands, whatever becomes of the letter: another message under its id would never be looked at.</summary>
    private static Verdict IsFree(string? effect) => new("undecided", effect is null, effect ?? "nothing was decided on it");

    private static IEnumerable<Verdict> Sound(DeadLetterState state, LetterEdit edit) =>
    [
        .. edit.Faults.Count > 0 ? edit.Faults.Select(f => new Verdict("sound", Passed: false, f)) : [new Verdict("sound", Passed: true, "whoever it goes to can read it")],
        new Verdict("newest", edit.Before == state.Content, edit.Before == state.Content ? "nobody else has changed it" : "somebody else has changed it meanwhile"),
    ];

    private static DeadLetterEdited Edited(DeadLetterState state, EditDeadLetter e) =>
        new(e.Letter, e.Request, state.Fingerprint, state.Edits + 1, e.Edit.Patch, e.Edit.Before, e.Edit.After, e.Edit.Body, e.Reason, e.By);

    /// <summary>Whatever happened to it since it was looked at begins its time anew. What is about a trade that goes on is somebody's to decide, however old.</summary>
    private static bool IsOld(DeadLetterState state, ExpireDeadLetter e, DateTimeOffset now) =>
        state.IsWaiting && state.Replays == e.Replays && state.Edits == e.Edits && e.OpenTrade is null && (now - e.Since).Days >= e.RetentionDays;

    private static string Why(ExpireDeadLetter e) => $"nothing was done about it for {e.RetentionDays} days{(e.Effect is { } effect ? $", and {effect}" : "")}";

    private static string Stands(DeadLetterState state) => state.Status is { } status ? $"it is {status}" : "there is no such letter";

    private static IEnumerable<Verdict> Sendable(ReplayIntent intent, DateTimeOffset now) =>
    [
        new Verdict("addressed", intent.Endpoint.Length > 0, intent.Endpoint.Length > 0 ? $"it was going to {intent.Endpoint}" : "nobody knows where it was going"),
        // Without an id nothing could be found that was decided on it: neither before, so that it would be done twice, nor then.
        new Verdict("identified", intent.Identity == MessageIdentity.One, intent.Identity switch
        {
            MessageIdentity.One => "it has an id",
            MessageIdentity.None => "it has no id",
            MessageIdentity.Two => "it is identified twice, and the ids differ: under which it was decided on cannot be said",
            _ => "it is a parcel of several messages",
        }),
        new Verdict("valid", !(intent.ValidUntil <= now), intent.ValidUntil is { } until ? $"its signal was valid until {until:u}" : "it has no end"),
        new Verdict("trade-is-open", intent.Over is null, intent.Over is { } phase ? $"it is a wish to enter, and its trade is {phase}" : "nothing speaks against it"),
    ];

    private static IReadOnlyList<object> Judged(Guid letter, Guid request, string command, string by, IReadOnlyList<Verdict> verdicts, object done) =>
        verdicts.All(v => v.Passed) ? [done] : [new DeadLetterRefused(letter, request, command, by, verdicts)];
}
