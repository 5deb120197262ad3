using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Antbot.ConsoleService.Access;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.EventStore;
using Antbot.EventStore.Proof;
using Antbot.Hosting;
using Antbot.Incidents.Bundles;
using Antbot.Integration.Tests.Cli;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Integration.Tests.Forensics;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Incidents;

/// <summary>A bundle of a trade's incident, made once as a person would make it.</summary>
public sealed class BundleFixture : IAsyncLifetime
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("antbot-bundles-").FullName;

    public string Trade { get; private set; } = "";

    public string Incident { get; private set; } = "";

    public string Bundle => Path.Combine(Folder, "incident.zip");

    public static byte[] Body { get; } = [.. Enumerable.Range(0, 70_000).Select(i => (byte)(i * i))];

    private static EventCodec Codec { get; } = new(EventRegistry.From(typeof(TradeRaised).Assembly, typeof(ProcessStarted).Assembly, typeof(AccessTokenMade).Assembly));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        string[] store = ["--store", $"sqlite:{Path.Combine(Folder, "antbot.db")}"];
        await DoneAsync(["store", "create", .. store]);
        await DoneAsync(["import", Corpus.Histories.First(h => Path.GetFileName(h).StartsWith("seed-", StringComparison.Ordinal)), .. store]);
        // Nothing that came after it would be in the bundle, if that did not make one of its own.
        string[] keys = ["--key", Path.Combine(Folder, "signing.key"), "--checkpoints", Path.Combine(Folder, "checkpoints.jsonl")];
        await DoneAsync(["checkpoint", .. keys, .. store]);
        await using (var console = await RunningConsole.StartAsync(Folder))
        {
            var raised = (await console.Store.ReadPageAsync(0, 10_000, Cancel)).First(e => e.Type == "trade_closed");
            Trade = raised.Stream["trade-".Length..];
            await GoOnAsync(console.Store);
            var opened = await console.PostAsync("/api/incidents", new { Reason = "a <hostile> reason", Since = DateTimeOffset.UtcNow.AddMinutes(-5).ToString("O"), Until = DateTimeOffset.UtcNow.ToString("O"), Trades = new[] { Trade } });
            Assert.True(opened.Status == 201, opened.Body.GetRawText());
            Incident = opened.Body.GetProperty("Incident").GetProperty("Id").GetString()!;
        }
        var logs = Directory.CreateDirectory(Path.Combine(Folder, "logs"));
        await File.WriteAllTextAsync(Path.Combine(logs.FullName, "venue.secret"), "hunter2-hunter2\n", Cancel);
        await File.WriteAllTextAsync(Path.Combine(logs.FullName, "risk.log"), "begun\nit said hunter2-hunter2 aloud\nAuthorization: Bearer abcdefghijkl\nurl=http://u:p4ss@h/?signature=0123abcd&x=1\n", Cancel);
        await DoneAsync(["incident", "bundle", Incident[..8], "--out", Bundle, "--logs", logs.FullName, .. keys, .. store]);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>Of everything that can belong to an incident there is something: another build, a letter that is too large for an event, a token.</summary>
    private async Task GoOnAsync(IEventStore store)
    {
        await AppendAsync(store, Streams.Process("risk"), new ProcessStarted("risk", Guid.NewGuid(), "1.5", ".NET", 1, 0, "risk-0", "settings5", "build5"));
        await AppendAsync(store, Streams.Access, new AccessTokenMade(Guid.NewGuid(), "vera-of-the-desk", Role.Viewer, "hash-of-a-token", null, "reason for a token", "sue"));
        var blobs = StoreAddress.OpenBlobs($"sqlite:{Path.Combine(Folder, "antbot.db")}");
        await blobs.PutAsync(BlobHash.Of(Body), Body, Cancel);
        if (blobs is IAsyncDisposable opened)
            await opened.DisposeAsync();
        var letter = Guid.NewGuid();
        await AppendAsync(store, Streams.DeadLetter(letter), new DeadLetterKept(
            letter, "antbot-risk_error", "risk", DeadLetterKind.Fault, letter, "AssessRisk", [new TradeId(Guid.Parse(Trade))], "System.Exception", "it is large", "", 5, DateTimeOffset.UtcNow, "1", "cause", null, null, null, new ContentHash(BlobHash.Of(Body), Body.Length)));
    }

    private static async Task AppendAsync(IEventStore store, StreamId stream, object @event) => Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(
        new AppendRequest
        {
            Stream = stream, Expected = ExpectedVersion.Any, Decision = new Decision(DeterministicId.From("bundle", stream.Value), "test"), Events = [Codec.Encode(@event)], At = DateTimeOffset.UtcNow,
            Meta = new EventMeta(null, null, "operator:sue"),
        },
        Cancel));

    private async Task DoneAsync(string[] arguments)
    {
        var said = await AntbotProcess.RunAsync(Folder, arguments);
        Assert.True(said.ExitCode == 0, $"{string.Join(' ', arguments)}: {said.Output} {said.Error}");
    }
}

/// <summary>An incident in one file: made here, verified and read anywhere, and refused where somebody has changed it.</summary>
public sealed class BundleTests(BundleFixture made) : IClassFixture<BundleFixture>, IDisposable
{
    private readonly string _folder = made.Folder;
    private readonly string _elsewhere = Directory.CreateTempSubdirectory("antbot-elsewhere-").FullName;
    private readonly string _trade = made.Trade;
    private readonly string _incident = made.Incident;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Bundle => made.Bundle;

    private PublicKey Key => PublicKey.Load(Path.Combine(_folder, "signing.key.pub"));

    public void Dispose() => Directory.Delete(_elsewhere, recursive: true);

    [Fact]
    public async Task On_another_machine_it_is_verified_with_the_public_key_alone_and_read_and_replayed()
    {
        var (bundle, key) = (Path.Combine(_elsewhere, "b.zip"), Path.Combine(_elsewhere, "k.pub"));
        File.Copy(Bundle, bundle);
        File.Copy(Path.Combine(_folder, "signing.key.pub"), key);
        var verified = await ElsewhereAsync(0, "verify", "--bundle", bundle, "--public-key", key, "--json");
        var report = JsonDocument.Parse(verified.Output).RootElement;
        Assert.Equal((Key.Id, 0), (report.GetProperty("SignedBy").GetString(), report.GetProperty("Faults").GetArrayLength()));
        Assert.True(report.GetProperty("Events").GetProperty("EventsChecked").GetInt64() > 10);
        Assert.StartsWith("Intact: ", (await ElsewhereAsync(0, "verify", "--bundle", bundle, "--public-key", key)).Output, StringComparison.Ordinal);
        // The trade's whole chain, told there as here.
        var here = await AntbotProcess.RunAsync(_folder, "trace", _trade, "--json", "--store", $"sqlite:{Path.Combine(_folder, "antbot.db")}");
        var there = await ElsewhereAsync(0, "trace", _trade, "--bundle", bundle, "--json");
        Assert.Equal(JsonDocument.Parse(here.Output).RootElement.GetProperty("Steps").GetRawText(), JsonDocument.Parse(there.Output).RootElement.GetProperty("Steps").GetRawText());
        Assert.Contains(_trade, (await ElsewhereAsync(0, "trade", _trade[..8], "--bundle", bundle, "--json")).Output, StringComparison.Ordinal);
        Assert.Contains("a <hostile> reason", (await ElsewhereAsync(0, "incident", "show", _incident[..8], "--bundle", bundle)).Output, StringComparison.Ordinal);
        Assert.Contains("## What happened", (await ElsewhereAsync(0, "incident", "report", _incident, "--bundle", bundle)).Output, StringComparison.Ordinal);
        await ElsewhereAsync(0, "changes", "--since", "2020-01-01", "--bundle", bundle);
        // What is whole in it is decided again, and the same; of the rest it is said why not.
        var replayed = JsonDocument.Parse((await ElsewhereAsync(0, "replay", "--bundle", bundle, "--json")).Output).RootElement.GetProperty("Report");
        Assert.Equal(0, replayed.GetProperty("Different").GetInt64());
        Assert.True((replayed.GetProperty("Decisions").GetInt64(), replayed.GetProperty("Impossible").GetInt64()) == (21, 4), replayed.GetRawText());
        Assert.Equal((5, 1), ((await AntbotProcess.RunAsync(_elsewhere, "trade", "0123456789abcdef0123456789abcdef", "--bundle", bundle)).ExitCode, (await AntbotProcess.RunAsync(_elsewhere, "trade", _trade, "--bundle", key)).ExitCode));
    }

    [Fact]
    public async Task What_is_in_it_is_announced_and_no_secret_is_among_it()
    {
        using var zip = ZipFile.OpenRead(Bundle);
        var names = zip.Entries.Select(e => e.FullName).ToList();
        Assert.Equal(["report.html", "report.md", "report.json", "processes.json", "events.jsonl", $"blobs/{BlobHash.Of(BundleFixture.Body)}", "logs/risk.log", "manifest.json", "manifest.sig"], names);
        var log = Text(zip, "logs/risk.log");
        Assert.Equal("begun\nit said *** aloud\nAuthorization: Bearer ***\nurl=http://***@h/?signature=***&x=1\n", log);
        Assert.DoesNotContain(names, n => n.Contains("secret", StringComparison.Ordinal));
        Assert.Contains("a &lt;hostile&gt; reason", Text(zip, "report.html"), StringComparison.Ordinal);
        var processes = JsonDocument.Parse(Text(zip, "processes.json")).RootElement.EnumerateArray().ToList();
        Assert.Single(processes, p => (p.GetProperty("Service").GetString(), p.GetProperty("Build").GetString(), p.GetProperty("BuildHash").GetString(), p.GetProperty("Configuration").GetString()) == ("risk", "1.5", "build5", "settings5"));
        Assert.Equal(BundleFixture.Body, Read(Bundle)[$"blobs/{BlobHash.Of(BundleFixture.Body)}"]);
        // What is said of tokens is for super admins; that it was said is told.
        foreach (var name in names)
            Assert.DoesNotContain(new[] { "hash-of-a-token", "vera-of-the-desk", "reason for a token" }, s => Text(zip, name).Contains(s, StringComparison.Ordinal));
        Assert.Contains("1 events about tokens, which only super admins may see, are not in it.", JsonDocument.Parse(Text(zip, BundleManifest.Name)).RootElement.GetProperty("Left").EnumerateArray().Select(l => l.GetString()));
        Assert.DoesNotContain("\"access\"", Text(zip, "events.jsonl"), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Bundle));
        var again = await AntbotProcess.RunAsync(_folder, "incident", "bundle", _incident, "--out", Bundle, "--store", $"sqlite:{Path.Combine(_folder, "antbot.db")}");
        Assert.Equal((1, true), (again.ExitCode, again.Error.Contains("is there already", StringComparison.Ordinal)));
        var nobody = await AntbotProcess.RunAsync(_folder, "incident", "bundle", new string('0', 32), "--out", Path.Combine(_folder, "x.zip"), "--store", $"sqlite:{Path.Combine(_folder, "antbot.db")}");
        Assert.Equal((5, false), (nobody.ExitCode, File.Exists(Path.Combine(_folder, "x.zip"))));
    }

    [Fact]
    public async Task A_change_to_any_byte_of_any_member_is_found()
    {
        var members = Read(Bundle);
        var random = new Random(1);
        foreach (var (name, content) in members)
        {
            var places = Enumerable.Range(0, 12).Select(_ => random.Next(content.Length)).Concat([0, content.Length - 1]).Distinct();
            foreach (var at in places)
            {
                var changed = content.ToArray();
                changed[at] ^= (byte)(1 << random.Next(8));
                Assert.False((await VerifyAsync(members.ToDictionary(m => m.Key, m => m.Key == name ? changed : m.Value))).IsIntact, $"{name} at {at}");
            }
            Assert.False((await VerifyAsync(members.ToDictionary(m => m.Key, m => m.Key == name ? [.. m.Value, (byte)' '] : m.Value))).IsIntact, $"{name} is longer");
            Assert.False((await VerifyAsync(members.ToDictionary(m => m.Key, m => m.Key == name ? m.Value[..^1] : m.Value))).IsIntact, $"{name} is shorter");
            // Without its signature it is another thing, which is said.
            if (name != BundleManifest.SignatureName)
                Assert.False((await VerifyAsync(members.Where(m => m.Key != name).ToDictionary())).IsIntact, $"{name} is gone");
        }
        Assert.True((await VerifyAsync(members)).IsIntact);
    }

    [Fact]
    public async Task Who_changes_the_manifest_with_a_member_or_takes_the_signature_away_is_found_out()
    {
        var members = Read(Bundle);
        var manifest = JsonNode.Parse(members[BundleManifest.Name])!;
        var log = "nothing happened\n"u8.ToArray();
        var announced = manifest["Members"]!.AsArray().Single(m => m!["Name"]!.GetValue<string>() == "logs/risk.log")!;
        (announced["Bytes"], announced["Sha256"]) = (log.Length, BlobHash.Of(log));
        members["logs/risk.log"] = log;
        members[BundleManifest.Name] = Encoding.UTF8.GetBytes(manifest.ToJsonString());
        Assert.Contains("signed by another key", Assert.Single((await VerifyAsync(members)).Faults), StringComparison.Ordinal);
        members.Remove(BundleManifest.SignatureName);
        var unsigned = await VerifyAsync(members);
        Assert.Equal((true, null), (unsigned.IsIntact, unsigned.SignedBy));
        Assert.Contains(unsigned.Notices, n => n.Contains("Nobody signed", StringComparison.Ordinal));
        var said = await AntbotProcess.RunAsync(_elsewhere, "verify", "--bundle", Write(members), "--public-key", Path.Combine(_folder, "signing.key.pub"));
        Assert.Equal(4, said.ExitCode);
        // The one that nobody signed, and the true one: without a key neither is proven, and no script takes it for that.
        foreach (var file in new[] { Write(members), Bundle })
        {
            var unproven = await AntbotProcess.RunAsync(_elsewhere, "verify", "--bundle", file);
            Assert.True((unproven.ExitCode, unproven.Output.StartsWith("NOT PROVEN: ", StringComparison.Ordinal), unproven.Output.Contains("Intact", StringComparison.Ordinal)) == (4, true, false), unproven.Output);
        }
        using var other = SigningKey.LoadOrCreate(Path.Combine(_elsewhere, "other.key"));
        Assert.False((await BundleVerifier.VerifyAsync(Bundle, other.Public, cancellationToken: Cancel)).IsIntact);
    }

    public static TheoryData<string> Hostile => ["nothing", "text", "cut", "behind", "comment", "traversal", "absolute", "twice", "stranger", "bomb", "many", "no-manifest", "json", "shape", "null", "large-manifest", "liar", "negative", "version", "announced-twice", "claims", "events"];

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task What_means_harm_is_refused_with_its_reason_and_soon(string kind)
    {
        var file = Path.Combine(_elsewhere, $"{kind}.zip");
        await HostileAsync(kind, file);
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        var report = await BundleVerifier.VerifyAsync(file, Key, cancellationToken: Cancel);
        Assert.False(report.IsIntact);
        Assert.True(report.Faults.Count > 0 || report.Events?.Findings.Count > 0);
        Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30), "it took too long");
        if (kind is "events" or "json")
            return;
        var said = await AntbotProcess.RunAsync(_elsewhere, "replay", "--bundle", file);
        Assert.True(said.ExitCode == 1, $"{said.ExitCode} {said.Output} {said.Error}");
        Assert.StartsWith("antbot: The bundle is refused: ", said.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.GetFiles(_elsewhere), f => !f.EndsWith(".zip", StringComparison.Ordinal));
    }

    private async Task HostileAsync(string kind, string file)
    {
        var members = Read(Bundle);
        switch (kind)
        {
            case "nothing":
                await File.WriteAllBytesAsync(file, [], Cancel);
                return;
            case "text":
                await File.WriteAllTextAsync(file, new string('x', 5_000), Cancel);
                return;
            case "cut":
                await File.WriteAllBytesAsync(file, (await File.ReadAllBytesAsync(Bundle, Cancel))[..^100], Cancel);
                return;
            case "behind":
                await File.WriteAllBytesAsync(file, [.. await File.ReadAllBytesAsync(Bundle, Cancel), 0], Cancel);
                return;
            case "comment":
                File.Copy(Bundle, file);
                using (var zip = ZipFile.Open(file, ZipArchiveMode.Update))
                    zip.Comment = "hello";
                return;
            case "traversal":
                members["../../evil.json"] = "{}"u8.ToArray();
                break;
            case "absolute":
                members["/etc/evil"] = "{}"u8.ToArray();
                break;
            case "stranger":
                members["logs/other.log"] = "{}"u8.ToArray();
                break;
            case "many":
                for (var i = 0; i < 3_000; i++)
                    members[$"logs/{i}.log"] = [];
                break;
            case "no-manifest":
                members.Remove(BundleManifest.Name);
                break;
            case "json":
                // Announced and unsigned, and no JSON all the same.
                members.Remove(BundleManifest.SignatureName);
                members["report.json"] = "{\"a\":"u8.ToArray();
                Announce(members, m => Named(m, "report.json", members["report.json"]));
                break;
            case "shape":
                members[BundleManifest.Name] = "[1,2,3]"u8.ToArray();
                break;
            case "null":
                Announce(members, m => m["Members"] = new JsonArray((JsonNode?)null));
                break;
            case "large-manifest":
                members[BundleManifest.Name] = new byte[3 * 1024 * 1024];
                break;
            case "bomb":
                // Far more than it says that it is, of which nobody unpacks more.
                members["events.jsonl"] = new byte[64 * 1024 * 1024];
                break;
            case "liar":
                Announce(members, m => m["Members"]!.AsArray()[4]!["Bytes"] = 5);
                break;
            case "negative":
                Announce(members, m => m["Members"]!.AsArray()[4]!["Bytes"] = -5);
                break;
            case "claims":
                Announce(members, m => m["Members"]!.AsArray()[4]!["Bytes"] = long.MaxValue);
                break;
            case "version":
                Announce(members, m => m["AntbotBundle"] = 2);
                break;
            case "announced-twice":
                Announce(members, m => m["Members"]!.AsArray().Add(m["Members"]!.AsArray()[0]!.DeepClone()));
                break;
            case "events":
                // Signed by nobody, and its events are others'.
                members.Remove(BundleManifest.SignatureName);
                members["events.jsonl"] = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(members["events.jsonl"]).Replace("\"Version\":1,", "\"Version\":2,", StringComparison.Ordinal));
                Announce(members, m => Named(m, "events.jsonl", members["events.jsonl"]));
                break;
            default:
                break;
        }
        Write(members, file);
        if (kind == "twice")
        {
            using var zip = ZipFile.Open(file, ZipArchiveMode.Update);
            using var again = zip.CreateEntry("report.md").Open();
            again.Write("x"u8);
        }
    }

    private static void Announce(Dictionary<string, byte[]> members, Action<JsonNode> change)
    {
        var manifest = JsonNode.Parse(members[BundleManifest.Name])!;
        change(manifest);
        members[BundleManifest.Name] = Encoding.UTF8.GetBytes(manifest.ToJsonString());
    }

    private static void Named(JsonNode manifest, string name, byte[] content)
    {
        var member = manifest["Members"]!.AsArray().Single(m => m!["Name"]!.GetValue<string>() == name)!;
        (member["Bytes"], member["Sha256"]) = (content.Length, BlobHash.Of(content));
    }

    private Task<BundleReport> VerifyAsync(Dictionary<string, byte[]> members) => BundleVerifier.VerifyAsync(Write(members), Key, cancellationToken: Cancel);

    private string Write(Dictionary<string, byte[]> members, string? file = null)
    {
        var to = file ?? Path.Combine(_elsewhere, "changed.zip");
        File.Delete(to);
        using var zip = ZipFile.Open(to, ZipArchiveMode.Create);
        foreach (var (name, content) in members)
        {
            using var entry = zip.CreateEntry(name, CompressionLevel.Fastest).Open();
            entry.Write(content);
        }
        return to;
    }

    private static Dictionary<string, byte[]> Read(string bundle)
    {
        using var zip = ZipFile.OpenRead(bundle);
        return zip.Entries.ToDictionary(e => e.FullName, e =>
        {
            using var from = e.Open();
            using var content = new MemoryStream();
            from.CopyTo(content);
            return content.ToArray();
        });
    }

    private static string Text(ZipArchive zip, string name)
    {
        using var reader = new StreamReader(zip.GetEntry(name)!.Open());
        return reader.ReadToEnd();
    }

    private async Task<Said> ElsewhereAsync(int exitCode, params string[] arguments)
    {
        var said = await AntbotProcess.RunAsync(_elsewhere, arguments);
        Assert.True(said.ExitCode == exitCode, $"{string.Join(' ', arguments)} ended with {said.ExitCode}: {said.Output} {said.Error}");
        return said;
    }
}
