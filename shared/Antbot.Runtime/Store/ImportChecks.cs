using Antbot.Kernel.Proof;

namespace Antbot.Runtime.Store;

/// <summary>What every engine asks of a page that is imported, and says where it is refused. Whether events and hashes agree, the caller has checked.</summary>
public static class ImportChecks
{
    /// <summary>The page in itself: one piece of a chain, with the event of every link.</summary>
    public static void Page(IReadOnlyList<LedgerLink> links)
    {
        ArgumentNullException.ThrowIfNull(links);
        for (var i = 0; i < links.Count; i++)
        {
            var link = links[i];
            CheckEvent(link);
            if (link.Hash.Length != ChainLink.HashLength || link.PreviousHash.Length != ChainLink.HashLength)
                throw Invalid($"A hash at position {link.Position} has not {ChainLink.HashLength} bytes.");
            if (i == 0)
                continue;
            if (link.Position != links[i - 1].Position + 1)
                throw Invalid($"The import has position {link.Position} where {links[i - 1].Position + 1} comes next.");
            if (!link.PreviousHash.AsSpan().SequenceEqual(links[i - 1].Hash))
                throw Invalid($"The link at position {link.Position} does not follow the one before it: its previous hash is another.");
        }
    }

    public static EventStoreException OtherStore(Guid import, Guid here) =>
        Invalid($"The import is of store {import}; this one is {here} and not empty. Import into an empty store.");

    public static EventStoreException NotFollowing(LedgerLink first, long here) =>
        Invalid($"The import begins at position {first.Position} and this store ends at {here}, or their chains differ there. Import into an empty store, or one that holds the beginning of the same history.");

    /// <summary>A sequence, an id or a version is taken, by an event that is in no chain yet.</summary>
    public static EventStoreException Taken(string what, Exception? inner = null) =>
        Invalid($"The import does not go with what is here: {what}.", inner);

    private static void CheckEvent(LedgerLink link)
    {
        if (link.Event is not { } e)
            throw Invalid($"The import lacks the event at position {link.Position}.");
        if (e.Sequence != link.Sequence || e.EventId != link.EventId || e.CorrelationId != link.CorrelationId)
        {
            throw Invalid(
                $"The link at position {link.Position} names event {link.EventId} (sequence {link.Sequence}, correlation id '{link.CorrelationId}') and brings {e.EventId} (sequence {e.Sequence}, '{e.CorrelationId}').");
        }
    }

    private static EventStoreException Invalid(FormattableString message, Exception? inner = null) =>
        new(StoreFault.Invalid, $"{FormattableString.Invariant(message)} Nothing was imported.", inner);
}
