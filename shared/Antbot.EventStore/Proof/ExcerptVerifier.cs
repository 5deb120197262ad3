using System.Text.Json;
using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

/// <summary>Verifies that each event which an excerpt shows leads, hash by hash, to a checkpoint that was signed.</summary>
internal sealed class ExcerptVerifier(ExportLines lines, VerifyOptions options, Findings findings)
{
    private const int EventsMax = 5_000_000;
    private const int CheckpointsMax = 1_000_000;

    private readonly Dictionary<long, Checkpoint> _checkpoints = [];
    private readonly List<string> _notices = [];
    private readonly List<Shown> _unproven = [];
    private Guid _storeId;
    private (long Position, byte[] Hash)? _at;
    private long _checkpointAt;
    private long _first;
    private int _shown;
    private long _proven;
    private int _met;

    public async Task<VerifyReport> VerifyAsync(JsonElement header, CancellationToken cancellationToken)
    {
        try
        {
            await ReadAsync(header, cancellationToken);
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Corrupt)
        {
            findings.Add(new Finding(FindingKind.ExportDamaged, (_at?.Position ?? 0) + 1, null, null, null, null, e.Message));
        }
        EndSection();
        _notices.Add("An excerpt proves what it shows. That nothing else was recorded between is only shown where a stream's versions have no gap.");
        return new VerifyReport
        {
            StoreId = _storeId,
            FromPosition = _first,
            ToPosition = _at?.Position ?? 0,
            EventsChecked = _proven,
            CheckpointsChecked = _met,
            ProvenThrough = options.Key is not null && _met > 0 ? _checkpointAt : 0,
            Findings = findings.InOrder(),
            Unsealed = [],
            Notices = _notices,
        };
    }

    private async Task ReadAsync(JsonElement header, CancellationToken cancellationToken)
    {
        if (header.GetProperty(ExportFormat.Excerpt) is not { ValueKind: JsonValueKind.Number } version || !version.TryGetInt32(out var number) || number != ExportFormat.FormatVersion)
            throw lines.Damaged($"its format is not version {ExportFormat.FormatVersion}, which this build reads");
        (_storeId, var checkpoints, var events) = lines.Get(() => (header.GetProperty("StoreId").GetGuid(), header.GetProperty("Checkpoints").GetInt32(), header.GetProperty("Events").GetInt32()));
        if (checkpoints is < 0 or > CheckpointsMax || events is < 0 or > EventsMax)
            throw lines.Damaged($"it announces {events} events and {checkpoints} checkpoints; this build takes {EventsMax:N0} and {CheckpointsMax:N0}");
        if (options.Key is null)
            _notices.Add("No public key was given: signatures of checkpoints were not checked.");
        var outside = options.Outside?.Read().Checkpoints.ToLookup(c => c.Position);
        var hasEnded = false;
        while (await lines.ReadAsync(cancellationToken) is { } document)
        {
            using (document)
            {
                var line = document.RootElement;
                if (hasEnded)
                    throw lines.Damaged("there is more after its end");
                if (_shown > events || _checkpoints.Count > checkpoints)
                    throw lines.Damaged($"it has more than the {events} events and {checkpoints} checkpoints that its header announced");
                if (line.TryGetProperty("Position", out _))
                    Step(lines.Get(() => ExportFormat.ReadLink(line)));
                else if (line.TryGetProperty("Bare", out _))
                    Step(lines.Get(() => ExportFormat.ReadBare(line)));
                else if (_at is null && line.TryGetProperty("Checkpoint", out var checkpoint))
                    Judge(CheckpointFile.Parse(checkpoint.GetRawText()) ?? throw lines.Damaged("a checkpoint cannot be read"), outside);
                else if (line.TryGetProperty("End", out var end))
                    hasEnded = _at is { } at && lines.Get(() => end.GetInt64() == at.Position && ExportFormat.Bytes(line.GetProperty("Hash")).AsSpan().SequenceEqual(at.Hash)) ? true : throw lines.Damaged("it ends elsewhere than it says");
                else
                    throw lines.Damaged("a line is not what belongs there (checkpoints, then links, then the end)");
                options.Progress?.Invoke(_proven, 0);
            }
        }
        if (!hasEnded)
            throw lines.Damaged("it has no end: it was cut short");
        if ((checkpoints, events) != (_met, _shown))
            throw lines.Damaged($"its header announced {events} events and {checkpoints} checkpoints, and it has {_shown} and leads to {_met}");
    }

    private void Judge(Checkpoint c, ILookup<long, Checkpoint>? outside)
    {
        if (c.Position <= _checkpointAt)
            throw lines.Damaged($"the checkpoint at position {c.Position} does not come after {_checkpointAt}");
        _checkpointAt = c.Position;
        string? fault = null;
        if (c.StoreId != _storeId)
            fault = $"is of store {c.StoreId}, this is {_storeId}";
        else if (options.Key is { } key && !CheckpointStatement.IsSignedBy(c, key))
            fault = c.KeyId == key.Id ? "was changed: its signature does not fit" : $"was signed by key {c.KeyId}, not by {key.Id}";
        else if (outside is not null && outside.Contains(c.Position) && outside[c.Position].All(o => CheckpointFile.Format(o) != CheckpointFile.Format(c)))
            fault = "is another outside the database";
        if (fault is null)
            _checkpoints[c.Position] = c;
        else
            findings.Add(new Finding(FindingKind.CheckpointForged, c.Position, null, null, null, null, $"the checkpoint at position {c.Position} {fault}"));
    }

    private void Step(LedgerLink link)
    {
        if (Follows(link.Position) is not { } previous)
        {
            EndSection();
            previous = link.PreviousHash;
        }
        if (_first == 0)
            _first = link.Position;
        if (!link.PreviousHash.AsSpan().SequenceEqual(previous))
            Add(FindingKind.ChainBroken, link, $"the link at position {link.Position} does not follow the one before it");
        var hash = HashOf(link, previous);
        if (hash is null || !hash.AsSpan().SequenceEqual(link.Hash))
            Add(FindingKind.EventAltered, link, $"the event is not what was recorded at position {link.Position}, or its link was changed");
        _shown++;
        _unproven.Add(new Shown(link.Position, link.Sequence, link.EventId, link.Event!.Stream, link.Event.Version));
        Arrive(link.Position, link.Sequence, hash ?? link.Hash);
    }

    private void Step(BareLink link)
    {
        if (Follows(link.Position) is not { } previous)
            throw lines.Damaged("a link without its event follows none");
        if (link.Content.Length != ChainLink.HashLength)
            throw lines.Damaged($"a hash has {link.Content.Length} bytes");
        Arrive(link.Position, link.Sequence, ChainLink.Hash(previous, link.Content, link.Position, link.Sequence, link.Version, link.Foreign));
    }

    /// <summary>The hash that a link at this position follows; null where a section begins with it.</summary>
    private byte[]? Follows(long position)
    {
        if (_at is not { } at)
            return null;
        if (position <= at.Position)
            throw lines.Damaged($"position {position} does not come after {at.Position}");
        return position - 1 == at.Position ? at.Hash : null;
    }

    private void Arrive(long position, long sequence, byte[] hash)
    {
        _at = (position, hash);
        if (!_checkpoints.TryGetValue(position, out var checkpoint))
            return;
        _met++;
        if (checkpoint.Sequence == sequence && checkpoint.Hash.AsSpan().SequenceEqual(hash))
            _proven += _unproven.Count;
        else
            findings.Add(new Finding(FindingKind.HistoryRewritten, position, sequence, null, null, null, $"what is shown does not lead to what was signed at position {position} on {checkpoint.At:u}: something in it was changed"));
        _unproven.Clear();
    }

    private void EndSection()
    {
        foreach (var e in _unproven)
            findings.Add(new Finding(FindingKind.LinkMissing, e.Position, e.Sequence, e.EventId, e.Stream, e.Version, $"nothing that was signed proves the event at position {e.Position}"));
        _unproven.Clear();
    }

    private static byte[]? HashOf(LedgerLink link, byte[] previous)
    {
        try
        {
            return previous.Length != ChainLink.HashLength ? null : ChainLink.Hash(previous, link.Event!.ContentHash(), link.Position, link.Sequence, link.Event.Version, link.Foreign);
        }
        catch (CanonicalJsonException)
        {
            return null;
        }
    }

    private void Add(FindingKind kind, LedgerLink link, string what) =>
        findings.Add(new Finding(kind, link.Position, link.Sequence, link.EventId, link.Event?.Stream, link.Event?.Version, what));

    private sealed record Shown(long Position, long Sequence, Guid EventId, string Stream, long Version);
}
