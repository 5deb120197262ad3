using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

/// <summary>Checks one link after the other. Each is judged against what stands before it, so a bad one does not condemn those behind it.</summary>
internal sealed class ChainWalk(Findings findings, long position, byte[]? hash)
{
    private byte[]? _previous = hash;
    private bool _previousWasBad;

    public long Position { get; private set; } = position;

    public long Checked { get; private set; }

    /// <summary>The hash at <see cref="Position"/>, as its link has it.</summary>
    public byte[]? Hash => _previous;

    public void Step(LedgerLink link)
    {
        Checked++;
        var bad = CheckPlace(link);
        bad |= CheckHashes(link, bad);
        (_previous, _previousWasBad, Position) = (link.Hash, bad, link.Position);
    }

    private bool CheckPlace(LedgerLink link)
    {
        if (link.Position == Position + 1)
            return false;
        var what = link.Position == Position + 2
            ? $"the link at position {Position + 1} is missing"
            : $"the links at positions {Position + 1} to {link.Position - 1} are missing";
        findings.Add(new Finding(FindingKind.LinkMissing, Position + 1, null, null, null, null, what));
        return true;
    }

    private bool CheckHashes(LedgerLink link, bool misplaced)
    {
        if (link is { Event: null, Archived: { } archived })
            return CheckArchived(link, archived, misplaced);
        if (link.Event is not { } e)
        {
            Add(FindingKind.EventMissing, link, $"the event of sequence {link.Sequence} that the link at position {link.Position} names is gone");
            return true;
        }
        if (e.EventId != link.EventId)
        {
            Add(FindingKind.EventAltered, link, $"the event of sequence {link.Sequence} is {e.EventId}; the link at position {link.Position} names {link.EventId}");
            return true;
        }
        var whole = Recompute(link, e) is { } computed && computed.AsSpan().SequenceEqual(link.Hash);
        var follows = _previous is null || link.PreviousHash.AsSpan().SequenceEqual(_previous);
        if (!whole)
        {
            var what = follows || misplaced
                ? $"the event's row is not what was recorded at position {link.Position}, or its link was changed"
                : $"the link at position {link.Position} was changed";
            Add(follows ? FindingKind.EventAltered : FindingKind.LinkAltered, link, what);
            return true;
        }
        if (link.CorrelationId != e.CorrelationId)
        {
            Add(FindingKind.LinkAltered, link, $"the link at position {link.Position} has another correlation id than its event");
            return true;
        }
        if (!follows && !misplaced && !_previousWasBad)
        {
            Add(FindingKind.ChainBroken, link, $"the link at position {link.Position} is sound but does not follow the one before it: something before it was put in its place");
            return true;
        }
        return false;
    }

    /// <summary>What is kept of an event that is elsewhere has to lead to its link as the event itself did.</summary>
    private bool CheckArchived(LedgerLink link, ArchivedEvent archived, bool misplaced)
    {
        var whole = link.PreviousHash.Length == ChainLink.HashLength && archived.Content.Length == ChainLink.HashLength
            && ChainLink.Hash(link.PreviousHash, archived.Content, link.Position, link.Sequence, archived.Version, link.Foreign).AsSpan().SequenceEqual(link.Hash);
        var follows = _previous is null || link.PreviousHash.AsSpan().SequenceEqual(_previous);
        if (!whole)
            Add(follows ? FindingKind.EventAltered : FindingKind.LinkAltered, link, $"what is kept of the archived event at position {link.Position} is not what was recorded, or its link was changed");
        else if (!follows && !misplaced && !_previousWasBad)
            Add(FindingKind.ChainBroken, link, $"the link at position {link.Position} is sound but does not follow the one before it: something before it was put in its place");
        else
            return false;
        return true;
    }

    private static byte[]? Recompute(LedgerLink link, StoredEvent e)
    {
        try
        {
            return link.PreviousHash.Length != ChainLink.HashLength
                ? null
                : ChainLink.Hash(link.PreviousHash, e.ContentHash(), link.Position, link.Sequence, e.Version, link.Foreign);
        }
        catch (CanonicalJsonException)
        {
            return null;
        }
    }

    private void Add(FindingKind kind, LedgerLink link, string what) =>
        findings.Add(new Finding(kind, link.Position, link.Sequence, link.EventId, link.Event?.Stream, link.Event?.Version, what));
}
