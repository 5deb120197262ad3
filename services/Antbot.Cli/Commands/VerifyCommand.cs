using System.CommandLine;
using Antbot.EventStore;
using Antbot.EventStore.Proof;
using Antbot.Incidents.Bundles;

namespace Antbot.Cli.Commands;

internal static class VerifyCommand
{
    private const string PublicKeyVariable = "ANTBOT_PUBLIC_KEY_FILE";

    public static Command Build()
    {
        var export = new Option<string?>("--export") { Description = "Verify this export or excerpt instead of a store; needs nothing else. '-' reads the standard input." };
        var bundle = new Option<string?>("--bundle") { Description = "Verify this bundle of an incident instead: that its manifest was signed, that each of its members is what that announces, and that its events are proven. Needs nothing but the public key." };
        var key = new Option<string?>("--public-key") 
        {
            Description = $"The public key's file (PEM) whose signatures count. Default: the variable {PublicKeyVariable}, else the one beside the signing key.",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable(PublicKeyVariable) is { Length: > 0 } named ? named : null,
        };
        var keyFile = Common.KeyFile();
        var checkpoints = Common.Checkpoints();
        var fromCheckpoint = new Option<bool>("--from-checkpoint") { Description = "Only what came after the last signed checkpoint outside the database." };
        var command = new Command("verify", "Recomputes the whole hash chain and names the first event that is not as it was recorded, and what is wrong with it.")
        {
            export, bundle, key, keyFile, checkpoints, fromCheckpoint, Common.Archives,
        };
        command.SetAction((parsed, cancellationToken) => Common.RunAsync(parsed, async () =>
        {
            using var progress = new Progress("verifying");
            var options = new VerifyOptions
            {
                Key = FindKey(parsed.GetValue(key), parsed.GetValue(keyFile)!),
                Outside = new CheckpointFile(parsed.GetValue(checkpoints)!),
                Archives = Common.ArchiveFolderOf(parsed),
                FromLastCheckpoint = parsed.GetValue(fromCheckpoint),
                Progress = progress.Report,
            };
            if (parsed.GetValue(bundle) is { } bundled)
                return await VerifyBundleAsync(parsed, bundled, options.Key, progress, cancellationToken);
            if (parsed.GetValue(export) is { } file)
                return await VerifyExportAsync(parsed, file, options, progress, cancellationToken);
            var report = await VerifyStoreAsync(parsed, options, cancellationToken);
            progress.Dispose();
            Common.Answer(parsed, report, Describe(report));
            return !report.IsIntact ? ExitCode.Tampered : report.Unsealed.Count > 0 ? ExitCode.Unproven : ExitCode.Done;
        }));
        return command;
    }

    internal static PublicKey? FindKey(string? publicKey, string keyFile)
    {
        if (publicKey is not null)
            return PublicKey.Load(publicKey);
        if (Environment.GetEnvironmentVariable(SigningKey.KeyVariable) is { Length: > 0 })
        {
            using var key = SigningKey.LoadOrCreate(keyFile);
            return key.Public;
        }
        var file = Environment.GetEnvironmentVariable(SigningKey.FileVariable) is { Length: > 0 } named ? named : keyFile;
        return File.Exists(SigningKey.PublicFileOf(file)) ? PublicKey.Load(SigningKey.PublicFileOf(file)) : null;
    }

    private static async Task<VerifyReport> VerifyStoreAsync(ParseResult parsed, VerifyOptions options, CancellationToken cancellationToken)
    {
        await using var store = await StoreAddress.OpenAsync(Common.AddressOfStore(parsed), create: false, cancellationToken);
        return await new LedgerVerifier(store.Ledger).VerifyAsync(options, cancellationToken);
    }

    private static async Task<int> VerifyExportAsync(ParseResult parsed, string file, VerifyOptions options, Progress progress, CancellationToken cancellationToken)
    {
        // Offline: checkpoints kept elsewhere are compared where they are, and their absence is no accusation.
        if (options.Outside is { Exists: false })
            options = options with { Outside = null };
        await using var input = file == "-" ? Console.OpenStandardInput() : File.OpenRead(file);
        var report = await ExportVerifier.VerifyAsync(input, options, cancellationToken);
        progress.Dispose();
        Common.Answer(parsed, report, Describe(report, isExport: true));
        return !report.IsIntact ? ExitCode.Tampered : IsProven(report) && report.Unsealed.Count == 0 ? ExitCode.Done : ExitCode.Unproven;
    }

    private static async Task<int> VerifyBundleAsync(ParseResult parsed, string file, PublicKey? key, Progress progress, CancellationToken cancellationToken)
    {
        var report = await BundleVerifier.VerifyAsync(file, key, progress.Report, cancellationToken);
        progress.Dispose();
        Common.Answer(parsed, report, Describe(report, hasKey: key is not null));
        return !report.IsIntact ? ExitCode.Tampered : report.IsProven ? ExitCode.Done : ExitCode.Unproven;
    }

    private static string Describe(BundleReport report, bool hasKey)
    {
        var lines = new List<string>();
        if (report.IsIntact && report.Manifest is { } m)
            lines.Add(report.SignedBy is { } by
                ? $"Intact: {m.Members.Count:N0} members of incident {m.Incident}, made {m.MadeAt:u}, signed by key {by}."
                : $"NOT PROVEN: {m.Members.Count:N0} members of incident {m.Incident}, made {m.MadeAt:u}, fit together, and anybody could have made them so: no signature was checked.");
        else
            lines.Add("TAMPERED, or no bundle:");
        lines.AddRange(report.Faults.Select(f => $"  {Tables.Plain(f)}"));
        // Without a key nothing of them is proven, either.
        if (report.Events is { } events && (hasKey || !report.IsIntact))
            lines.Add(Describe(events with { Notices = [] }));
        lines.AddRange(report.Notices.Select(n => $"Note: {Tables.Plain(n)}"));
        return string.Join(Environment.NewLine, lines);
    }

    /// <summary>Whoever makes an export makes its parts fit together: only a checkpoint that we have signed says that it is ours, and nothing of what comes behind it.</summary>
    private static bool IsProven(VerifyReport report) => report.ProvenThrough > 0 && report.ProvenThrough == report.ToPosition;

    private static string Unproven(VerifyReport report) => report.ProvenThrough > 0
        ? $"NOT PROVEN behind position {report.ProvenThrough:N0}: up to there, where the last of {report.CheckpointsChecked} checkpoints is signed, the history of store {report.StoreId} is intact; the {report.ToPosition - report.ProvenThrough:N0} events behind it, up to position {report.ToPosition:N0}, fit together, and anybody could have made them so."
        : $"NOT PROVEN: {report.EventsChecked:N0} events up to position {report.ToPosition:N0} of store {report.StoreId} fit together, and anybody could have made them so: {(report.CheckpointsChecked > 0 ? "no signature was checked; --public-key names the file of the key" : "no checkpoint is signed in it")}.";

    private static string Judgement(VerifyReport report)
    {
        var range = report.FromPosition > 0 ? $" (from position {report.FromPosition:N0})" : "";
        return report.IsIntact
            ? $"Intact: {report.EventsChecked:N0} events up to position {report.ToPosition:N0}{range}{(report.EventsArchived > 0 ? $", {report.EventsArchived:N0} of them in archives" : "")}, {report.CheckpointsChecked} checkpoints, store {report.StoreId}."
            : $"TAMPERED: {report.Findings.Count} finding(s) in {report.EventsChecked:N0} events{range} of store {report.StoreId}. The first:";
    }

    private static string Describe(VerifyReport report, bool isExport = false)
    {
        var lines = new List<string> { isExport && report.IsIntact && !IsProven(report) ? Unproven(report) : Judgement(report) };
        lines.AddRange(report.Findings.Select(f => $"  {f.Kind} at position {f.Position}: {f.What}{(f.Stream is null ? "" : $" [{f.Stream} version {f.Version}, event {f.EventId}]")}"));
        if (report.Unsealed.Count > 0)
            lines.Add($"Unsealed, appended by somebody else and not yet adopted ('antbot seal'): {report.Unsealed.Count}{(report.Unsealed.Count > 9 ? " or more" : "")}");
        lines.AddRange(report.Unsealed.Take(10).Select(u => $"  {u}"));
        lines.AddRange(report.Notices.Select(n => $"Note: {n}"));
        return string.Join(Environment.NewLine, lines);
    }
}
