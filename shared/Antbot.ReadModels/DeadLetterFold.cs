using Antbot.Contracts.Events;

namespace Antbot.ReadModels;

internal static class DeadLetterFold
{
    private const int FaultLengthMax = 500;

    /// <summary>The letter and the group that an event is about.</summary>
    public static (string Letter, string Group)? SubjectOf(object? @event) => @event switch
    {
        DeadLetterKept e => (e.Letter.ToString("N"), e.Fingerprint),
        DeadLetterDiscarded e => (e.Letter.ToString("N"), e.Fingerprint),
        DeadLetterReplayOrdered e => (e.Letter.ToString("N"), e.Fingerprint),
        DeadLetterReturned e => (e.Letter.ToString("N"), e.Fingerprint),
        DeadLetterGivenUp e => (e.Letter.ToString("N"), e.Fingerprint),
        DeadLetterReplayed e => (e.Letter.ToString("N"), e.Fingerprint),
        DeadLetterEdited e => (e.Letter.ToString("N"), e.Fingerprint),
        DeadLetterExpired e => (e.Letter.ToString("N"), e.Fingerprint),
        _ => null,
    };

    public static DeadLetterView? Apply(DeadLetterView? letter, object @event, DateTimeOffset at) => @event switch
    {
        DeadLetterKept e => new DeadLetterView(
            e.Letter.ToString("N"), DeadLetterStatus.New, e.Queue, e.Endpoint, e.Kind, e.Message, e.MessageType, e.Trades, e.FaultType, Cut(e.FaultMessage), e.Attempts, e.FailedAt, e.Build,
            e.Fingerprint, e.Content.Bytes, at, at, "", "", 0, null),
        _ => letter is null ? null : Next(letter, @event, at),
    };

    private static DeadLetterView Next(DeadLetterView letter, object @event, DateTimeOffset at) => @event switch
    {
        DeadLetterDiscarded e => letter with { State = DeadLetterStatus.Discarded, ChangedAt = at, By = e.By, Reason = e.Reason },
        DeadLetterReplayOrdered e => letter with { State = DeadLetterStatus.Replaying, ChangedAt = at, By = e.By, Reason = e.Reason, Replays = e.Replay, IsOut = true },
        DeadLetterReturned e => e.Replay != letter.Replays ? letter
            : letter.State is not (DeadLetterStatus.Replaying or DeadLetterStatus.Replayed) ? letter with { IsOut = false }
            : letter with { State = Waiting(letter), ChangedAt = at, Reason = Cut($"It came back: {e.FaultMessage}"), IsOut = false },
        DeadLetterGivenUp e => letter.State == DeadLetterStatus.Replaying && e.Replay == letter.Replays ? letter with { State = Waiting(letter), ChangedAt = at, By = e.By, Reason = e.Reason } : letter,
        DeadLetterReplayed e => letter with { State = DeadLetterStatus.Replayed, ChangedAt = at, Effect = e.Sequence, IsOut = false },
        DeadLetterEdited e => letter with { State = DeadLetterStatus.Edited, ChangedAt = at, By = e.By, Reason = e.Reason, Edits = e.Edit },
        DeadLetterExpired e => letter with { State = DeadLetterStatus.Expired, ChangedAt = at, By = e.By, Reason = e.Reason },
        _ => letter,
    };

    private static DeadLetterStatus Waiting(DeadLetterView letter) => letter.Edits > 0 ? DeadLetterStatus.Edited : DeadLetterStatus.New;

    public static DeadLetterGroupView? Apply(DeadLetterGroupView? group, DeadLetterView? before, DeadLetterView? after, DateTimeOffset at)
    {
        if (after is null || before?.State == after.State)
            return group;
        var letters = new SortedDictionary<DeadLetterStatus, long>((group?.Letters ?? new Dictionary<DeadLetterStatus, long>()).ToDictionary());
        if (before is not null)
            letters[before.State] = letters.GetValueOrDefault(before.State) - 1;
        letters[after.State] = letters.GetValueOrDefault(after.State) + 1;
        var counts = letters.Where(l => l.Value != 0).ToDictionary();
        if (group is null)
            return new DeadLetterGroupView(after.Fingerprint, after.Endpoint, after.Kind, after.MessageType, after.FaultType, after.Fault, after.Id, counts, at, at, after.Build, after.Build);
        return before is null
            ? group with { Letters = counts, Fault = after.Fault, Example = after.Id, LastSeen = at, LastBuild = after.Build }
            : group with { Letters = counts };
    }

    private static string Cut(string text) => text.Length <= FaultLengthMax ? text : text[..(char.IsHighSurrogate(text[FaultLengthMax - 1]) ? FaultLengthMax - 1 : FaultLengthMax)];
}
