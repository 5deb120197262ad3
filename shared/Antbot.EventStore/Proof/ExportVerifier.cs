using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

/// <summary>Verifies an export or an excerpt offline: with nothing but the file, the public key and, where there are any, the checkpoints kept elsewhere.</summary>
public static class ExportVerifier
{
    public static async Task<VerifyReport> VerifyAsync(Stream input, VerifyOptions options, CancellationToken cancellationToken = default)
    {
        var lines = new ExportLines(input);
        var reader = new ExportReader(lines);
        var findings = new Findings(options.FindingsMax);
        CheckpointCheck? checkpoints = null;
        ChainWalk? walk = null;
        try
        {
            using (var header = await lines.ReadAsync(cancellationToken) ?? throw lines.Damaged("it is empty"))
            {
                if (header.RootElement.TryGetProperty(ExportFormat.Excerpt, out _))
                    return await new ExcerptVerifier(lines, options, findings).VerifyAsync(header.RootElement, cancellationToken);
                reader.Begin(header.RootElement);
            }
            walk = new ChainWalk(findings, 0, ChainLink.Genesis(reader.StoreId));
            await foreach (var link in reader.ReadLinksAsync(cancellationToken))
            {
                checkpoints ??= new CheckpointCheck(reader.StoreId, reader.Checkpoints, options.Outside?.Read(), options, findings, mayBeOlder: true);
                walk.Step(link);
                checkpoints.Compare(link);
                options.Progress?.Invoke(walk.Checked, 0);
            }
            reader.CheckEnd(walk);
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Corrupt)
        {
            findings.Add(new Finding(FindingKind.ExportDamaged, (walk?.Position ?? 0) + 1, null, null, null, null, e.Message));
        }
        checkpoints ??= new CheckpointCheck(reader.StoreId, reader.Checkpoints, options.Outside?.Read(), options, findings, mayBeOlder: true);
        checkpoints.Finish(walk?.Position ?? 0);
        return new VerifyReport
        {
            StoreId = reader.StoreId,
            FromPosition = 0,
            ToPosition = walk?.Position ?? 0,
            EventsChecked = walk?.Checked ?? 0,
            CheckpointsChecked = checkpoints.Checked,
            ProvenThrough = checkpoints.ProvenThrough,
            Findings = findings.InOrder(),
            Unsealed = [],
            Notices = checkpoints.Notices,
        };
    }
}
