using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Proof;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Archives;

/// <summary>Archiving is no way to make events disappear: whatever is said to be elsewhere is held against the record and the file.</summary>
public sealed class ArchiveTamperTests : IAsyncLifetime
{
    private ArchivedHistory _history = null!;
    private string _file = "";
    private LedgerLink _here = null!;
    private LedgerLink _gone = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _history = await ArchivedHistory.OpenAsync();
        _file = Assert.Single((await _history.ArchiveAsync()).Made).File;
        await _history.CheckpointAsync();
        var links = await ReadLinksAsync();
        (_here, _gone) = (links.First(l => l.Event?.Stream == "account-main"), links.First(l => l.Event is null));
        Assert.Equal(_file, _gone.Archived!.Archive);
    }

    public ValueTask DisposeAsync() => _history.DisposeAsync();

    [Fact]
    public async Task Nobody_is_accused_of_what_was_archived_and_it_is_said_what_is_taken_on_trust()
    {
        var report = await _history.VerifyAsync();
        Assert.Empty(report.Findings);
        Assert.Empty(report.Notices);
        Assert.True(report.EventsArchived > 100);

        var trusting = await _history.VerifyAsync(withFiles: false);
        Assert.Empty(trusting.Findings);
        Assert.Contains($"{report.EventsArchived:N0} events are taken on the word of 1 archives", Assert.Single(trusting.Notices), StringComparison.Ordinal);
        // A checkpoint behind the archive: there is nothing archived to look at.
        Assert.Equal(0, (await _history.VerifyAsync(fromCheckpoint: true)).EventsArchived);
    }

    [Fact]
    public async Task An_event_that_was_deleted_is_missing_whatever_archives_there_are()
    {
        _history.Execute($"DELETE FROM mt_events WHERE seq_id = {_here.Sequence}");
        Assert.Contains((await _history.VerifyAsync()).Findings, f => f.Kind == FindingKind.EventMissing && f.Position == _here.Position);
    }

    /// <summary>Somebody who can write everything, and knows how it is kept.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_event_that_was_deleted_and_is_said_to_be_archived_is_found(bool underNewName)
    {
        if (underNewName)
            _history.Execute("INSERT INTO antbot_archives (name, events) VALUES ('antbot-1-2-00000000000000ff.jsonl', 1)");
        _history.Execute(
            $"DELETE FROM mt_events WHERE seq_id = {_here.Sequence}",
            $"INSERT INTO antbot_archived (seq_id, position, version, archive, content) SELECT {_here.Sequence}, {_here.Position}, {_here.Event!.Version}, max(number), X'{Convert.ToHexString(_here.Event.ContentHash())}' FROM antbot_archives");
        foreach (var withFiles in new[] { true, false })
            Assert.Contains((await _history.VerifyAsync(withFiles)).Findings, f => f.Kind == FindingKind.ArchiveUnrecorded && f.Position == _here.Position);
    }

    [Fact]
    public async Task What_is_kept_of_an_archived_event_cannot_be_changed()
    {
        foreach (var change in new[] { "content = zeroblob(32)", "content = X'00'", "version = version + 1" })
        {
            _history.Execute("BEGIN", $"UPDATE antbot_archived SET {change} WHERE seq_id = {_gone.Sequence}", "COMMIT");
            Assert.Contains((await _history.VerifyAsync(withFiles: false)).Findings, f => f.Kind == FindingKind.EventAltered && f.Position == _gone.Position);
            _history.Execute($"UPDATE antbot_archived SET content = X'{Convert.ToHexString(_gone.Archived!.Content)}', version = {_gone.Archived.Version} WHERE seq_id = {_gone.Sequence}");
        }
        Assert.Empty((await _history.VerifyAsync()).Findings);
        _history.Execute($"DELETE FROM antbot_archived WHERE seq_id = {_gone.Sequence}");
        Assert.Contains((await _history.VerifyAsync()).Findings, f => f.Kind == FindingKind.EventMissing && f.Position == _gone.Position);
    }

    [Fact]
    public async Task An_archive_without_its_record_is_none()
    {
        _history.Execute($"DELETE FROM mt_events WHERE stream_id = '{Streams.Archive(_file).Value}' AND version = 1");
        var report = await _history.VerifyAsync();
        Assert.Contains(report.Findings, f => f.Kind == FindingKind.EventMissing);
        Assert.Contains(report.Findings, f => f.Kind == FindingKind.ArchiveUnrecorded && f.Position == _gone.Position);
    }

    [Fact]
    public async Task A_changed_archive_is_found_with_the_event_that_was_changed()
    {
        var path = _history.Archives.PathOf(_file);
        var lines = await File.ReadAllLinesAsync(path, Cancel);
        var at = Array.FindIndex(lines, l => l.StartsWith($$"""{"Position":{{_gone.Position}},""", StringComparison.Ordinal));
        var was = lines[at];
        lines[at] = was.Replace("\"Actor\":\"", "\"Actor\":\"not-", StringComparison.Ordinal);
        Assert.NotEqual(was, lines[at]);
        await WriteAsync(path, lines);
        var report = await _history.VerifyAsync();
        Assert.Contains(report.Findings, f => f.Kind == FindingKind.ArchiveAltered && f.Position == _gone.Position && f.Sequence == _gone.Sequence);
        Assert.Contains(report.Findings, f => f.Kind == FindingKind.ArchiveAltered && f.What.Contains("SHA-256", StringComparison.Ordinal));
        Assert.Empty((await _history.VerifyAsync(withFiles: false)).Findings);

        // One that is left out, and one that is cut short.
        await WriteAsync(path, [.. lines.Where((_, i) => i != at)]);
        Assert.Contains((await _history.VerifyAsync()).Findings, f => f.Kind == FindingKind.ArchiveMissing);
        lines[at] = was;
        await WriteAsync(path, lines[..^1]);
        Assert.Contains((await _history.VerifyAsync()).Findings, f => f.Kind == FindingKind.ArchiveMissing && f.What.Contains("cut short", StringComparison.Ordinal));
        // Nothing but a space: every event is as it was, the file is not.
        await WriteAsync(path, [.. lines[..^1], $"{lines[^1]} "]);
        Assert.Equal(FindingKind.ArchiveAltered, Assert.Single((await _history.VerifyAsync()).Findings).Kind);
        await WriteAsync(path, lines);
        Assert.Empty((await _history.VerifyAsync()).Findings);
    }

    [Fact]
    public async Task A_file_that_is_gone_or_another_is_found()
    {
        var path = _history.Archives.PathOf(_file);
        var bytes = await File.ReadAllBytesAsync(path, Cancel);
        File.Delete(path);
        var missing = Assert.Single((await _history.VerifyAsync()).Findings);
        Assert.Equal((FindingKind.ArchiveMissing, _gone.Position), (missing.Kind, missing.Position));
        Assert.Contains(_file, missing.What, StringComparison.Ordinal);

        // A sound excerpt of the same store with other events.
        await using (var other = File.Create(path))
            await Excerpter.WriteAsync(_history.Store, new HashSet<long> { _here.Position }, other, cancellationToken: Cancel);
        Assert.Contains((await _history.VerifyAsync()).Findings, f => f.Kind == FindingKind.ArchiveMissing && f.Position == _gone.Position);
        await File.WriteAllBytesAsync(path, bytes, Cancel);
        Assert.Empty((await _history.VerifyAsync()).Findings);
    }

    [Theory]
    [InlineData("UPDATE mt_streams SET is_archived = 1 WHERE id = 'account-main'", "account-main")]
    [InlineData("INSERT INTO antbot_archived_streams (stream_id, archive, version) SELECT id, 1, version FROM mt_streams WHERE id = 'account-main'", "account-main")]
    [InlineData("INSERT INTO antbot_archived_streams (stream_id, archive, version) VALUES ('order-nobody', 1, 3)", "order-nobody")]
    public async Task A_stream_that_is_said_to_be_archived_and_is_not_is_found(string statement, string stream)
    {
        _history.Execute(statement);
        var finding = Assert.Single((await _history.VerifyAsync()).Findings);
        Assert.Equal((FindingKind.HeadMismatch, stream), (finding.Kind, finding.Stream));
    }

    [Fact]
    public async Task A_stream_that_was_archived_and_is_said_not_to_be_is_found()
    {
        foreach (var statement in new[] { "UPDATE mt_streams SET is_archived = 0 WHERE is_archived = 1", "UPDATE mt_streams SET version = version + 1 WHERE is_archived = 1", "DELETE FROM antbot_archived_streams" })
        {
            await using var history = await ArchivedHistory.OpenAsync();
            await history.ArchiveAsync();
            history.Execute(statement);
            Assert.Contains((await history.VerifyAsync()).Findings, f => f.Kind == FindingKind.HeadMismatch);
        }
    }

    /// <summary>Whoever may append could record an archive that names what goes on, with a file that has it: nothing is taken out for that.</summary>
    [Fact]
    public async Task A_record_that_names_what_is_still_wanted_takes_nothing_out()
    {
        var wanted = new List<StoredEvent>();
        await foreach (var stored in _history.Store.ReadStreamAsync(new StreamId("account-main"), cancellationToken: Cancel))
            wanted.Add(stored);
        const string name = "antbot-1-9-00000000000000ff.jsonl";
        await using (var file = File.Create(_history.Archives.PathOf(name)))
            await Excerpter.WriteAsync(_history.Store, wanted.Select(e => e.Position).ToHashSet(), file, cancellationToken: Cancel);
        var bytes = await File.ReadAllBytesAsync(_history.Archives.PathOf(name), Cancel);
        var record = new StreamsArchived(
            name, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)), bytes.Length, [new ArchivedStream("account-main", wanted[^1].Version)], wanted.Count,
            string.Join(',', wanted.Select(e => e.Position)), wanted[0].Sequence, wanted[^1].Sequence, wanted[^1].Position, "to get rid of it", "mallory");
        var codec = new EventCodec(EventRegistry.From(typeof(StreamsArchived).Assembly));
        await _history.Store.AppendAsync(Some.Append(Streams.Archive(name), codec.Encode(record)) with { Decision = new Decision(Guid.NewGuid(), "mallory") }, Cancel);

        var resumed = Assert.Single((await _history.ArchiveAsync()).Resumed);
        Assert.Equal((0, "account-main"), (resumed.Events, Assert.Single(resumed.Kept)));
        Assert.Equal(wanted[^1].Version, (await ReadLinksAsync()).Last(l => l.Event?.Stream == "account-main").Event!.Version);
        Assert.Empty((await _history.VerifyAsync()).Findings);
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("antbot-1-2-0123456789abcdef.jsonl/../x")]
    [InlineData("antbot-1-2-0123456789abcdef.jsonl\n")]
    [InlineData("")]
    public void A_name_from_the_store_is_never_a_path(string name) => Assert.Equal(StoreFault.Corrupt, Assert.Throws<EventStoreException>(() => _history.Archives.PathOf(name)).Fault);

    private static Task WriteAsync(string path, IEnumerable<string> lines) => File.WriteAllTextAsync(path, string.Concat(lines.Select(l => $"{l}\n")), Cancel);

    private async Task<List<LedgerLink>> ReadLinksAsync()
    {
        var links = new List<LedgerLink>();
        await foreach (var link in _history.Store.ReadLinksAsync(0, Cancel))
            links.Add(link);
        return links;
    }
}
