using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.EventStore.Proof;
using Antbot.Incidents.Changes;
using Antbot.Incidents.Reports;
using Antbot.ReadModels;
using Antbot.Runtime.Store;

namespace Antbot.Incidents.Bundles;

/// <summary>Puts into one file what another machine needs to look into an incident.</summary>
/// <param name="logs">A folder with logs and metrics; null where none is given.</param>
/// <param name="key">Signs the manifest; null where there is none.</param>
public sealed class BundleMaker(IEventStore store, EventCodec codec, IReadModels models, IBlobs blobs, TimeProvider clock, DirectoryInfo? logs, SigningKey? key)
{
    private const long BlobBytesMax = 256L * 1024 * 1024;
    private const int ProcessesMax = 1_000;

    private readonly List<string> _left = [];

    /// <summary>Null where there is no such incident.</summary>
    public async Task<BundleManifest?> WriteAsync(Guid incident, Stream output, Action<long, long>? progress = null, CancellationToken cancellationToken = default)
    {
        if (await new IncidentReporter(store, codec, models, clock, BundleContent.MayShow).ReadAsync(incident, progress, cancellationToken) is not { } report)
            return null;
        var head = await store.Ledger.ReadHeadAsync(cancellationToken);
        using var bundle = new BundleWriter(output, report.MadeAt);
        await bundle.AddAsync("report.html", Encoding.UTF8.GetBytes(ReportText.Html(report)));
        await bundle.AddAsync("report.md", Encoding.UTF8.GetBytes(ReportText.Markdown(report)));
        await bundle.AddAsync("report.json", Json(report));
        await bundle.AddAsync("processes.json", Json(await ProcessesAsync(report, cancellationToken)));
        await AddEventsAsync(bundle, report, progress, cancellationToken);
        await AddBlobsAsync(bundle, report, cancellationToken);
        if (logs is null)
            _left.Add("Logs and metrics: no folder with them was given.");
        else
            await new LogMembers(logs, _left).AddAsync(bundle, cancellationToken);
        var build = Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
        return await bundle.FinishAsync(
            new BundleManifest(BundleManifest.Version, report.Incident.Id, head.StoreId, report.Since, report.Until, report.MadeAt, build, RuntimeInformation.FrameworkDescription, [], [.. _left.Concat(report.Gaps)]), key);
    }

    private static byte[] Json<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, ReadModelJson.Indented);

    private async Task AddEventsAsync(BundleWriter bundle, IncidentReport report, Action<long, long>? progress, CancellationToken cancellationToken)
    {
        var signed = (await store.Ledger.ReadCheckpointsAsync(cancellationToken)).Select(c => c.Position).DefaultIfEmpty().Max();
        var positions = await new BundleContent(store, new TraceIndex(models), _left).FindAsync(report, signed, progress, cancellationToken);
        if (positions.Count > 0)
            await bundle.AddAsync(BundleContent.Events, BundleLimits.WholeBytesMax, to => Excerpter.WriteAsync(store.Ledger, positions, to, progress, cancellationToken));
    }

    /// <summary>The bodies of dead letters that are too large for an event.</summary>
    private async Task AddBlobsAsync(BundleWriter bundle, IncidentReport report, CancellationToken cancellationToken)
    {
        var (taken, known, gaps) = (0L, new HashSet<string>(StringComparer.Ordinal), new NamedGaps());
        foreach (var letter in report.DeadLetters)
        {
            await foreach (var stored in store.ReadStreamAsync(Streams.DeadLetter(Guid.ParseExact(letter.Id, "N")), 1, cancellationToken))
            {
                foreach (var content in BesideOf(stored).Where(c => known.Add(c.Sha256)))
                {
                    if (content.Bytes > BlobBytesMax - taken || !bundle.HasRoom)
                    {
                        gaps.Add("Bodies of dead letters for which there is no room", $"{content.Sha256} of {content.Bytes:N0} bytes");
                    }
                    else if (await blobs.FindAsync(content.Sha256, cancellationToken) is { } body)
                    {
                        await bundle.AddAsync($"{BundleContent.BlobPrefix}{content.Sha256}", body);
                        taken += content.Bytes;
                    }
                    else
                    {
                        gaps.Add("Bodies of dead letters that are not in the store", content.Sha256);
                    }
                }
            }
        }
        gaps.Tell(_left);
    }

    /// <summary>What an event of a letter names and has not in itself: what came, and what is sent since it was changed.</summary>
    private IEnumerable<ContentHash> BesideOf(StoredEvent stored) => codec.Find<DeadLetterKept>(stored) is { } kept ? new[] { kept.Body is null ? kept.Content : null, kept.LargeProperties }.OfType<ContentHash>()
        : codec.Find<DeadLetterEdited>(stored) is { Body: null } edited ? [edited.After]
        : [];

    /// <summary>What each service ran: its builds and the hashes of its settings, those of before the period, too.</summary>
    private async Task<List<ProcessRun>> ProcessesAsync(IncidentReport report, CancellationToken cancellationToken)
    {
        var rows = await models.ListAsync(ViewTable.Processes, new ViewQuery([], Limit: ViewQuery.LimitMax), cancellationToken);
        var runs = new List<ProcessRun>();
        foreach (var service in rows.Select(r => r.As<ProcessView>().Service).Where(s => StreamId.Fault(Streams.ProcessPrefix + s) is null).Distinct().Order(StringComparer.Ordinal))
        {
            var (events, _) = await StreamEnd.ReadAsync(store, Streams.Process(service), report.Since, e => e.Timestamp < report.Since && ProcessRun.Read(e) is not null, cancellationToken);
            runs.AddRange(events.Where(e => e.Timestamp <= report.Until).Select(ProcessRun.Read).OfType<ProcessRun>());
        }
        if (runs.Count > ProcessesMax)
            _left.Add($"Of {runs.Count:N0} processes the last {ProcessesMax:N0} are told.");
        return [.. runs.OrderByDescending(r => r.At).Take(ProcessesMax).OrderBy(r => r.At)];
    }
}
