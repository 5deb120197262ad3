using System.Text.Json;
using Antbot.Venues.Recording;
using Xunit;

namespace Antbot.Integration.Tests.Venues.Recordings;

public sealed class RecordingReaderTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 10, 0, 0, TimeSpan.Zero);
    private static readonly RecordingQuery Everything = new(null, null, null, null, null, null, RecordingQuery.LimitMax);

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-reading-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void All_processes_are_read_as_one_by_time()
    {
        Put("execution", Start, At(1), At(5), At(9));
        Put("signal", Start, At(2), At(4), At(8));
        Put("reconciliation", Start.AddHours(1), At(3_601));
        Assert.Equal([1, 2, 4, 5, 8, 9, 3_601], Seconds(Read(Everything)));
        Assert.Equal([4, 5, 8, 9, 3_601], Seconds(Read(Everything with { From = Start.AddSeconds(4) })));
        Assert.Equal([1, 2, 4], Seconds(Read(Everything with { Until = Start.AddSeconds(4) })));
        Assert.Equal([3_601], Seconds(Read(Everything with { From = Start.AddHours(1) })));
        Assert.Equal(["execution", "signal"], Read(Everything with { Limit = 2 }).Records.Select(r => r.Service));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(50)]
    public void Page_by_page_nothing_is_left_out_and_nothing_told_twice(int limit)
    {
        foreach (var (service, offset) in new[] { ("execution", 0), ("signal", 1), ("reconciliation", 2) })
        {
            Put(service, Start, [.. Enumerable.Range(0, 10).Select(i => At((i * 3) + offset))]);
            // At one and the same time, too.
            Put(service, Start.AddHours(1), [.. Enumerable.Range(0, 5).Select(i => At(3_600 + (i / 2)))]);
        }
        foreach (var query in new[] { Everything, Everything with { Order = "e0-5" } })
        {
            var whole = Read(query).Records;
            Assert.Equal(45, whole.Count);
            var (paged, after) = (new List<RecordedTraffic>(), default(string));
            do
            {
                var page = Read(query with { Limit = limit, After = after });
                Assert.InRange(page.Records.Count, 1, limit);
                paged.AddRange(page.Records);
                after = page.Next;
            }
            while (after is not null);
            Assert.Equal(whole.Select(r => (r.Service, r.Record.At)), paged.Select(r => (r.Service, r.Record.At)));
        }
    }

    [Fact]
    public void A_page_does_not_grow_beyond_any_memory()
    {
        var long_ = new string('x', 200_000);
        for (var hour = 0; hour < 20; hour++)
            Put("execution", Start.AddHours(hour), [.. Enumerable.Range(0, 10).Select(i => At((hour * 3_600) + i) with { Body = new TrafficBody(long_, long_.Length) })]);
        var first = Read(Everything);
        Assert.InRange(first.Records.Count, 10, 50);
        Assert.Equal(first.Records[^1].Record.At.AddSeconds(1).Hour, Read(Everything with { After = first.Next }).Records[0].Record.At.Hour);
    }

    [Fact]
    public void A_torn_end_is_passed_over_and_told()
    {
        Put("execution", Start, At(1));
        var torn = Put("signal", Start, At(2), At(3));
        var bytes = File.ReadAllBytes(torn);
        File.WriteAllBytes(torn, [.. bytes, .. Frame.Pack(Line(At(4)))[..^3]]);
        var page = Read(Everything);
        Assert.Equal([1, 2, 3], Seconds(page));
        Assert.Contains($"from {bytes.Length} on) was cut off", Assert.Single(page.Notices), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_damaged_is_passed_over_and_told_and_the_rest_is_read()
    {
        var file = Put("signal", Start, At(1));
        var (first, damaged) = (File.ReadAllBytes(file), Frame.Pack(Line(At(2))));
        damaged[^6] ^= 0xFF;
        File.WriteAllBytes(file, [.. first, .. damaged, .. Frame.Pack([.. "no record\n"u8, .. "{\"Kind\":\"Asked\"}\n"u8, .. "{\"Kind\":99,\"At\":\"2026-03-01T10:00:00Z\"}\n"u8, .. Line(At(3))]), .. "and then something else entirely"u8]);
        var page = Read(Everything);
        Assert.Equal([1, 3], Seconds(page));
        Assert.Equal(3, page.Notices.Count);
        Assert.Contains($"what stands at {first.Length} is not what was written", page.Notices[0], StringComparison.Ordinal);
        Assert.Contains("3 lines", page.Notices[1], StringComparison.Ordinal);
        Assert.Contains("is no recording", page.Notices[2], StringComparison.Ordinal);
    }

    /// <summary>Who asks for a trade must hear that something of it may be missing.</summary>
    [Fact]
    public void What_is_missing_is_told_whatever_was_asked_for()
    {
        Put("execution", Start, At(1), new TrafficRecord(Start.AddSeconds(2), TrafficKind.Missing) { Missing = 7 }, new TrafficRecord(Start.AddSeconds(3), TrafficKind.Stream), At(4) with { Order = "other" });
        Assert.Equal([7], Read(Everything with { Order = "nobody" }).Records.Select(r => r.Record.Missing));
        Assert.Equal([0, 7], Read(Everything with { Order = "e0-5" }).Records.Select(r => r.Record.Missing));
        Assert.Equal(4, Read(Everything).Records.Count);
    }

    [Fact]
    public void What_has_a_recordings_name_and_is_none_is_told()
    {
        File.WriteAllText(Path.Combine(_folder, Name("execution", Start)), "rubbish that is long enough to be a header");
        File.WriteAllBytes(Path.Combine(_folder, Name("signal", Start)), []);
        File.WriteAllText(Path.Combine(_folder, "20269901T10Z.a.b.00000000.0001.jsonl.gz"), "no hour");
        File.WriteAllText(Path.Combine(_folder, "..jsonl.gz"), "no name");
        Directory.CreateDirectory(Path.Combine(_folder, Name("risk", Start)));
        var page = Read(Everything);
        Assert.Empty(page.Records);
        Assert.Contains("is no recording", Assert.Single(page.Notices), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(1_001, null)]
    [InlineData(5, "somewhere")]
    [InlineData(5, "../../etc/passwd@0+0")]
    [InlineData(5, "20260301T10Z.execution.execution.00000000.0001.jsonl.gz@0+99")]
    public void What_cannot_be_answered_is_refused(int limit, string? after)
    {
        Put("execution", Start, At(1));
        Assert.Throws<ArgumentException>(() => Read(Everything with { Limit = limit, After = after }));
    }

    [Fact]
    public void Whether_anything_is_recorded_of_a_time_is_known_by_the_files_names()
    {
        Put("execution", Start, At(1));
        Assert.True(RecordingReader.Covers(_folder, Start.AddMinutes(59), Start.AddHours(5)));
        Assert.False(RecordingReader.Covers(_folder, Start.AddHours(1), Start.AddHours(5)));
        Assert.False(RecordingReader.Covers(_folder, Start.AddHours(-5), Start.AddMinutes(-1)));
        Assert.False(RecordingReader.Covers(Path.Combine(_folder, "none"), Start, Start));
    }

    private static TrafficRecord At(int second) => new(Start.AddSeconds(second), TrafficKind.Asked) { Order = "e0-5", Path = "/" };

    private static byte[] Line(TrafficRecord record) => [.. JsonSerializer.SerializeToUtf8Bytes(record, TrafficRecord.Json), (byte)'\n'];

    private static string Name(string service, DateTimeOffset hour) => new RecordingFile(hour, service, service, "00000000", 1).Name;

    private static IEnumerable<int> Seconds(RecordingPage page) => page.Records.Select(r => (int)(r.Record.At - Start).TotalSeconds);

    /// <summary>A frame for every two lines.</summary>
    private string Put(string service, DateTimeOffset hour, params TrafficRecord[] records)
    {
        var file = Path.Combine(_folder, Name(service, hour));
        File.WriteAllBytes(file, [.. records.Chunk(2).SelectMany(two => Frame.Pack([.. two.SelectMany(Line)]))]);
        return file;
    }

    private RecordingPage Read(RecordingQuery query) => new RecordingReader(_folder).Read(query, TestContext.Current.CancellationToken);
}
