using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

/// <summary>Compares the checkpoints with one another, with their signatures and with the chain as it is walked.</summary>
internal sealed class CheckpointCheck
{
    private readonly Findings _findings;
    private readonly SortedDictionary<long, Checkpoint> _trusted = [];
    private readonly HashSet<long> _met = [];
    private readonly VerifyOptions _options;
    private readonly bool _mayBeOlder;
    private readonly long _insideLast;

    /// <param name="outside">What was read from the file outside, and what is wrong with it; null where there is none.</param>
    /// <param name="mayBeOlder">For an export: the history outside may have gone on since it was made.</param>
    /// <param name="outsideAtFirst">For a living store: what was outside before <paramref name="inside"/> was read.</param>
    public CheckpointCheck(
        Guid storeId,
        IReadOnlyList<Checkpoint> inside,
        (List<Checkpoint> Checkpoints, List<string> Faults)? outside,
        VerifyOptions options,
        Findings findings,
        bool mayBeOlder = false,
        (List<Checkpoint> Checkpoints, List<string> Faults)? outsideAtFirst = null)
    {
        _mayBeOlder = mayBeOlder;
        (_findings, _options) = (findings, options);
        if (options.Key is null)
            Notices.Add("No public key was given: signatures of checkpoints were not checked.");
        var kept = Outside(outside);
        foreach (var c in inside)
            Judge(c, storeId, "in the database");
        foreach (var c in kept)
            Judge(c, storeId, "outside the database");
        _insideLast = inside.Count == 0 ? 0 : inside.Max(c => c.Position);
        if (options.Outside is not null)
            CompareBoth(inside, kept, outsideAtFirst?.Checkpoints ?? kept);
        CheckOrder(inside);
        CheckOrder(kept);
        LastTrusted = options.Key is null ? null : kept.Where(c => _trusted.GetValueOrDefault(c.Position) == c).MaxBy(c => c.Position);
    }

    public List<string> Notices { get; } = [];

    public int Checked => _met.Count;

    public Checkpoint? LastTrusted { get; }

    /// <summary>The last position at which the chain met a checkpoint whose signature fits; 0 where none was checked.</summary>
    public long ProvenThrough => _options.Key is null ? 0 : _met.DefaultIfEmpty().Max();

    public void Compare(LedgerLink link)
    {
        if (!_trusted.TryGetValue(link.Position, out var checkpoint))
            return;
        _met.Add(link.Position);
        if (!checkpoint.Hash.AsSpan().SequenceEqual(link.Hash) || checkpoint.Sequence != link.Sequence)
        {
            var since = _trusted.Keys.LastOrDefault(p => p < link.Position);
            _findings.Add(new Finding(
                FindingKind.HistoryRewritten, since + 1, link.Sequence, link.EventId, link.Event?.Stream, link.Event?.Version,
                $"the chain is not the one that was signed at position {link.Position} on {checkpoint.At:u}: something between positions {since + 1} and {link.Position} was rewritten"));
        }
    }

    public void Finish(long lastPosition)
    {
        foreach (var (position, checkpoint) in _trusted)
        {
            if (position <= lastPosition)
                continue;
            if (_mayBeOlder && position > _insideLast)
            {
                Notices.Add($"The history has gone on since: a checkpoint outside is at position {position}, this ends at {lastPosition}.");
                return;
            }
            _findings.Add(new Finding(
                FindingKind.HistoryCut, lastPosition + 1, null, null, null, null,
                $"a checkpoint of {checkpoint.At:u} has position {position}; the ledger ends at {lastPosition}: what came after is gone"));
            return;
        }
    }

    private List<Checkpoint> Outside((List<Checkpoint> Checkpoints, List<string> Faults)? read)
    {
        if (_options.Outside is not { } file || read is not { } found)
        {
            Notices.Add("No checkpoints from outside the database were given: a history that was cut or rewritten as a whole would not be noticed.");
            return [];
        }
        if (!file.Exists)
            Notices.Add($"There are no checkpoints at '{file.Location}' yet: a history that was cut or rewritten as a whole would not be noticed.");
        foreach (var fault in found.Faults)
            Notices.Add($"{fault} (a crash can cut the last one short).");
        return found.Checkpoints;
    }

    private void Judge(Checkpoint c, Guid storeId, string where)
    {
        string? fault = null;
        if (c.StoreId != storeId)
            fault = $"the checkpoint at position {c.Position} {where} is of store {c.StoreId}, this is {storeId}";
        else if (_options.Key is { } key && !CheckpointStatement.IsSignedBy(c, key))
            fault = c.KeyId == key.Id
                ? $"the checkpoint at position {c.Position} {where} was changed: its signature does not fit"
                : $"the checkpoint at position {c.Position} {where} was signed by key {c.KeyId}, not by {key.Id}";
        if (fault is null)
            _trusted[c.Position] = c;
        else
            Add(FindingKind.CheckpointForged, c.Position, fault);
    }

    private void CompareBoth(IReadOnlyList<Checkpoint> inside, IReadOnlyList<Checkpoint> outside, IReadOnlyList<Checkpoint> atFirst)
    {
        if (_options.Outside is { Exists: false })
        {
            if (inside.Count > 0)
                Add(FindingKind.CheckpointMissing, 0, $"the database holds {inside.Count} checkpoints and the file outside it is gone");
            return;
        }
        foreach (var missing in inside.Where(i => outside.All(o => o.Position != i.Position)))
            Add(FindingKind.CheckpointMissing, missing.Position, $"the checkpoint at position {missing.Position} is in the database and not outside it");
        // The last one is written outside first: a crash may have come before the database had it.
        if (atFirst.Count > 0 && inside.All(i => i.Position != atFirst[^1].Position))
            Notices.Add($"The checkpoint at position {atFirst[^1].Position} is outside the database and not in it: a crash came between the two, or somebody removed it.");
        foreach (var missing in atFirst.SkipLast(1).Where(o => inside.All(i => i.Position != o.Position) && !(_mayBeOlder && o.Position > _insideLast)))
            Add(FindingKind.CheckpointMissing, missing.Position, $"the checkpoint at position {missing.Position} is outside the database and no more in it");
    }

    private void CheckOrder(IReadOnlyList<Checkpoint> checkpoints)
    {
        for (var i = 0; i < checkpoints.Count; i++)
        {
            var expected = i == 0 ? [] : CheckpointStatement.HashOf(checkpoints[i - 1]);
            if (!checkpoints[i].Previous.AsSpan().SequenceEqual(expected))
                Add(FindingKind.CheckpointMissing, checkpoints[i].Position, $"the checkpoint at position {checkpoints[i].Position} does not follow the one before it: one between them was removed or changed");
        }
    }

    private void Add(FindingKind kind, long position, string what) => _findings.Add(new Finding(kind, position, null, null, null, null, what));
}
