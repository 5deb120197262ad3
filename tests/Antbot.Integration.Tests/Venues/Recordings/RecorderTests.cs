using System.Diagnostics.Metrics;
using System.Text;
using Antbot.Integration.Tests.Support;
using Antbot.Venues.Recording;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Venues.Recordings;

public sealed class RecorderTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 10, 15, 0, TimeSpan.Zero);

    private readonly string _root = Directory.CreateTempSubdirectory("antbot-recording-").FullName;
    private readonly ManualClock _clock = new(Start);

    private string Folder => Path.Combine(_root, "recording");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void What_was_said_is_there_afterwards_with_its_beginning_and_its_end()
    {
        using (var recorder = Recorder())
        {
            Say(recorder, "first");
            _clock.Move(TimeSpan.FromMilliseconds(5));
            Say(recorder, "second");
        }
        var all = Read();
        Assert.Equal([TrafficKind.Began, TrafficKind.Asked, TrafficKind.Asked, TrafficKind.Ended], all.Select(r => r.Record.Kind));
        Assert.Equal("the build", all[0].Record.Text);
        Assert.All(all, r => Assert.Equal(("execution", "execution-2"), (r.Service, r.Instance)));
        Assert.Equal(("first", Start), (all[1].Record.Body!.Text, all[1].Record.At));
        Assert.Equal(("entry", "POST", "/api/v3/order", "symbol=BTCUSDT&newClientOrderId=e0-5", 200, "said", "e0-5", "BTCUSDT"), (
            all[1].Record.Route, all[1].Record.Method, all[1].Record.Path, all[1].Record.Parameters, all[1].Record.Status, all[1].Record.Outcome, all[1].Record.Order, all[1].Record.Symbol));
        if (!OperatingSystem.IsWindows())
            Assert.All(Files(), f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, f.UnixFileMode));
    }

    [Fact]
    public void Every_hour_has_a_file_of_its_own_and_a_long_one_several()
    {
        using (var recorder = Recorder(o => o.Megabytes = 8))
        {
            Say(recorder, "ten");
            _clock.Move(TimeSpan.FromHours(1));
            Say(recorder, "eleven");
            Assert.True(recorder.Flush());
            for (var i = 0; i < 60; i++)
            {
                Say(recorder, Noise(100_000));
                Assert.True(recorder.Flush());
            }
        }
        var names = Files().Select(f => f.Name).ToList();
        Assert.Contains("20260301T10Z.execution.execution-2.0123abcd.0001.jsonl.gz", names);
        Assert.Contains("20260301T11Z.execution.execution-2.0123abcd.0001.jsonl.gz", names);
        Assert.Contains("20260301T11Z.execution.execution-2.0123abcd.0002.jsonl.gz", names);
        Assert.All(Files(), f => Assert.InRange(f.Length, 1, 2 << 20));
        Assert.Equal(["ten", "eleven"], Read().Where(r => r.Record.Body?.Length < 100).Select(r => r.Record.Body!.Text));
    }

    [Fact]
    public void What_comes_while_the_queue_is_full_is_counted_and_told_and_nobody_waits()
    {
        using var count = new Missing();
        using (var recorder = Recorder())
        {
            var began = System.Diagnostics.Stopwatch.GetTimestamp();
            for (var i = 0; i < 20_000; i++)
                Say(recorder, "x");
            Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalSeconds, 0, 10);
            Assert.True(recorder.Flush());
            Say(recorder, "after");
        }
        var all = Read();
        var missing = Assert.Single(all, r => r.Record.Kind == TrafficKind.Missing).Record;
        Assert.Equal(20_001, all.Count(r => r.Record.Kind == TrafficKind.Asked) + missing.Missing);
        Assert.InRange(missing.Missing, 1, 19_999);
        Assert.Equal(missing.Missing, count.Sum);
        Assert.Contains("records from 2026-03-01T10:15:00", missing.Text, StringComparison.Ordinal);
        Assert.Equal("after", all.Last(r => r.Record.Kind == TrafficKind.Asked).Record.Body!.Text);
    }

    [Fact]
    public void What_waits_takes_no_more_memory_than_it_may()
    {
        using var recorder = Recorder(o => o.AnswerBytes = 262_144);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 500; i++)
            Say(recorder, Noise(200_000));
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, 0, 12_000_000);
        Assert.True(recorder.Flush());
        Assert.Contains(Read(), r => r.Record.Missing > 400);
    }

    [Fact]
    public void While_it_cannot_be_written_that_is_told_and_nothing_queued_is_lost()
    {
        File.WriteAllText(Folder, "in the way");
        using (var recorder = Recorder())
        {
            Say(recorder, "before");
            Assert.False(recorder.Flush());
            Assert.Contains("is not recorded", recorder.Trouble, StringComparison.Ordinal);
            for (var i = 0; i < 20_000; i++)
                Say(recorder, "meanwhile");
            Assert.False(recorder.Flush());
            File.Delete(Folder);
            Assert.True(recorder.Flush());
            Assert.Null(recorder.Trouble);
        }
        var all = Read();
        Assert.Equal("before", all[1].Record.Body!.Text);
        Assert.Equal(20_001, all.Count(r => r.Record.Kind == TrafficKind.Asked) + all.Sum(r => r.Record.Missing));
    }

    [Fact]
    public void Others_have_the_last_of_a_disk()
    {
        using var recorder = Recorder(o => o.FreeMegabytes = 1_048_576);
        Say(recorder, "x");
        Assert.False(recorder.Flush());
        Assert.Contains("less than 1048576 MB are free", recorder.Trouble, StringComparison.Ordinal);
        Assert.Empty(Files());
    }

    [Fact]
    public async Task It_runs_by_itself_and_what_was_said_a_moment_ago_is_in_the_file_though_nobody_ended_it()
    {
        using var recorder = Recorder(clock: TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var running = recorder.RunAsync(stop.Token);
        Say(recorder, "said");
        await Eventually.HoldsAsync(() => Directory.Exists(Folder) && Read().Exists(r => r.Record.Body?.Text == "said"), "what was said is in the file");
        await stop.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        Assert.DoesNotContain(Read(), r => r.Record.Kind == TrafficKind.Ended);
    }

    [Fact]
    public void Who_removes_the_file_that_is_written_loses_that_one_alone()
    {
        using (var recorder = Recorder())
        {
            Say(recorder, "lost");
            Assert.True(recorder.Flush());
            Files().Single().Delete();
            Say(recorder, "kept");
        }
        Assert.Equal(["kept"], Read().Where(r => r.Record.Body is not null).Select(r => r.Record.Body!.Text));
    }

    [Fact]
    public async Task What_is_too_old_goes_and_the_oldest_of_what_is_too_much_and_nothing_else()
    {
        Directory.CreateDirectory(Folder);
        var stranger = Path.Combine(Folder, "notes.jsonl.gz");
        File.WriteAllText(stranger, "mine");
        Put(Start.AddDays(-3), 1_000);
        Put(Start.AddDays(-2).AddHours(-2), 1_000);
        for (var hour = 10; hour > 0; hour--)
            Put(Start.AddHours(-hour), 1 << 20);
        using var recorder = Recorder(o => (o.Days, o.Megabytes) = (2, 8));
        using var stop = new CancellationTokenSource();
        var running = recorder.RunAsync(stop.Token);
        await stop.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        Assert.Equal(Enumerable.Range(1, 8).Reverse().Select(h => RecordingFile.HourOf(Start.AddHours(-h))), RecordingFile.List(Folder).Select(f => f.File.Hour));
        Assert.True(File.Exists(stranger));
    }

    [Fact]
    public async Task Many_small_files_are_too_much_as_well()
    {
        Directory.CreateDirectory(Folder);
        for (var i = 0; i < 300; i++)
            Put(Start.AddMinutes(-10), 50, $"{i:x8}");
        using var recorder = Recorder(o => o.Megabytes = 8);
        using var stop = new CancellationTokenSource();
        var running = recorder.RunAsync(stop.Token);
        await stop.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        Assert.Equal(8 * 1024 / 64, Files().Count);
    }

    [Fact]
    public void Prices_are_kept_at_their_rate_and_candles_always()
    {
        using (var recorder = Recorder(o => o.TicksPerSecond = 4))
        {
            for (var i = 0; i < 100; i++)
            {
                recorder.Heard("btcusdt@bookTicker", Encoding.UTF8.GetBytes($"{i}"), keep: false);
                recorder.Heard("ethusdt@bookTicker", Encoding.UTF8.GetBytes($"{i}"), keep: false);
                if (i % 10 == 0)
                    recorder.Heard("btcusdt@kline_1s", Encoding.UTF8.GetBytes($"{i}"), keep: true);
                _clock.Move(TimeSpan.FromMilliseconds(10));
            }
        }
        var heard = Read().Where(r => r.Record.Kind == TrafficKind.Heard).Select(r => r.Record).ToList();
        foreach (var symbol in new[] { "BTCUSDT", "ETHUSDT" })
        {
            var prices = heard.Where(r => r.Symbol == symbol && r.Stream!.EndsWith("bookTicker", StringComparison.Ordinal)).ToList();
            Assert.Equal(["0", "25", "50", "75"], prices.Select(p => p.Body!.Text));
            Assert.Equal([0, 24, 24, 24], prices.Select(p => p.LeftOut));
        }
        Assert.Equal(10, heard.Count(r => r.Stream == "btcusdt@kline_1s"));
    }

    [Fact]
    public void With_no_folder_nothing_is_recorded()
    {
        using var recorder = Recorder(o => o.Folder = "");
        Assert.Null(recorder.Begin("entry", HttpMethod.Post, "/", "", null));
        recorder.Heard("s", "x"u8, keep: true);
        recorder.Stream("s", "x");
        Assert.True(recorder.Flush());
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root));
    }

    /// <summary>Names of instances come from outside, and a file's name says all.</summary>
    [Theory]
    [InlineData("execution-2", "execution-2")]
    [InlineData("../../etc/passwd", "------etc-passwd")]
    [InlineData("", "-")]
    [InlineData("ä.b\n", "--b-")]
    public void A_name_in_a_files_name_is_a_plain_one(string name, string plain)
    {
        Assert.Equal(plain, RecordingFile.Plain(name));
        var file = new RecordingFile(RecordingFile.HourOf(Start), "signal", RecordingFile.Plain(name), "0123abcd", 7);
        Assert.Equal(file, RecordingFile.Parse(file.Name));
    }

    private static void Say(TrafficRecorder recorder, string body)
    {
        var exchange = recorder.Begin("entry", HttpMethod.Post, "/api/v3/order", "symbol=BTCUSDT&newClientOrderId=e0-5", null)!;
        exchange.Answered(200, Encoding.UTF8.GetBytes(body));
        exchange.Ended("said");
    }

    private TrafficRecorder Recorder(Action<RecordingOptions>? set = null, TimeProvider? clock = null)
    {
        var options = new RecordingOptions { Folder = Folder, FreeMegabytes = 0, AnswerBytes = 131_072 };
        set?.Invoke(options);
        return new TrafficRecorder(options, new RecordingFile(default, "execution", "execution-2", "0123abcd", 0), "the build", [], clock ?? _clock, NullLogger.Instance);
    }

    private static string Noise(int length) => Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(length * 3 / 4));

    private List<FileInfo> Files() => Directory.Exists(Folder) ? [.. new DirectoryInfo(Folder).EnumerateFiles("*.jsonl.gz").OrderBy(f => f.Name, StringComparer.Ordinal)] : [];

    private void Put(DateTimeOffset at, int length, string process = "00000000") =>
        File.WriteAllBytes(Path.Combine(Folder, new RecordingFile(RecordingFile.HourOf(at), "signal", "signal", process, 1).Name), new byte[length]);

    private List<RecordedTraffic> Read()
    {
        var (reader, all, after) = (new RecordingReader(Folder), new List<RecordedTraffic>(), default(string));
        do
        {
            var page = reader.Read(new RecordingQuery(null, null, null, null, null, after, RecordingQuery.LimitMax));
            Assert.Empty(page.Notices);
            all.AddRange(page.Records);
            after = page.Next;
        }
        while (after is not null);
        return all;
    }

    private sealed class Missing : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _sum;

        public Missing()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "antbot_recording_missing_total")
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _sum, value));
            _listener.Start();
        }

        public long Sum => Interlocked.Read(ref _sum);

        public void Dispose() => _listener.Dispose();
    }
}
