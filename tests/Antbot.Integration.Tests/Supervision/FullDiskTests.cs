using System.Diagnostics;
using System.Globalization;
using Antbot.Integration.Tests.Faults;
using Antbot.Integration.Tests.Support;
using Antbot.LocalServers;
using Antbot.Watchdog;
using Xunit;

namespace Antbot.Integration.Tests.Supervision;

public sealed class FullDiskTests : IDisposable
{
    /// <summary>A line after a moment each, in one process, until its input ends.</summary>
    private const string Talker = """
        for ((i = 1; ; i++)); do
          printf 'line %d %0500d\n' "$i" 0
          echo "$i" > "$1"
          read -r -t 0.02; [ $? -gt 128 ] || exit 0
        done
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-supervision-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_full_disk_ends_nobodys_supervision_and_what_is_missing_is_said_when_there_is_room()
    {
        await using var disk = await SmallDisk.CreateAsync(megabytes: 2, TestContext.Current.CancellationToken);
        var (log, said, count) = (Path.Combine(disk.Folder, "talker.log"), Path.Combine(disk.Folder, "up.log"), Path.Combine(_folder, "count"));
        using var report = new RotatingFile(said, bytesMax: 1 << 20);
        await using var talker = new SupervisedProcess("talker", () => new ProcessStartInfo("bash", ["-c", Talker, "talker", count]), log, new LineWriter(report.Write), () => { });
        talker.Start();
        await Eventually.HoldsAsync(() => LinesOf(log).Length > 0, "it says something");

        var ballast = Path.Combine(disk.Folder, "ballast");
        Fill(ballast);
        await Eventually.HoldsAsync(() => CountIn(count) > LinesOf(log).Length + 20, "the disk is full and it goes on talking");
        Assert.Equal(1, talker.Starts);
        RunningUp.Kill(talker.ProcessId!.Value);
        await Eventually.HoldsAsync(() => talker.Starts == 2, "it is started again");
        Assert.False(File.Exists(said) && new FileInfo(said).Length > 0, "there was room for what the supervisor said");

        File.Delete(ballast);
        await Eventually.HoldsAsync(() => LinesOf(log).Any(l => l.StartsWith("! lines are missing here, ", StringComparison.Ordinal)), "what is missing is said");
        await Eventually.HoldsAsync(() => LinesOf(log)[^1].StartsWith("line ", StringComparison.Ordinal), "it is written on");
        Assert.All(LinesOf(log)[..^1], l => Assert.True(l.StartsWith("! ", StringComparison.Ordinal) || (l.StartsWith("line ", StringComparison.Ordinal) && l.EndsWith(new string('0', 500), StringComparison.Ordinal)), l));
        RunningUp.Kill(talker.ProcessId!.Value);
        await Eventually.HoldsAsync(() => LinesOf(said).Length > 1, "the supervisor says what it could not say");
        Assert.StartsWith("! lines are missing here, 1 of them: ", LinesOf(said)[0], StringComparison.Ordinal);
        Assert.StartsWith("! talker ended with 137 ", LinesOf(said)[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_log_ends_at_its_size_and_the_one_before_it_is_kept()
    {
        var log = Path.Combine(_folder, "risk.log");
        using (var file = new RotatingFile(log, bytesMax: 10))
        {
            foreach (var line in new[] { "1234", "6789", "second", "a line that is longer than a whole file", "last" })
                file.Write(line);
        }
        Assert.Equal(["last"], LinesOf(log));
        Assert.Equal(["a line that is longer than a whole file"], LinesOf(Path.Combine(_folder, "risk.1.log")));
        Assert.Equal(2, Directory.EnumerateFiles(_folder).Count());

        // What an earlier run wrote counts.
        using (var file = new RotatingFile(log, bytesMax: 10))
            file.Write("again");
        Assert.Equal(["again"], LinesOf(log));
        Assert.Equal(["last"], LinesOf(RotatingFile.BeforeOf(log)));
    }

    [Fact]
    public void What_could_not_be_written_is_counted_and_said_once()
    {
        var (written, full) = (new List<string>(), false);
        var writer = new LineWriter(line => written.Add(full ? throw new IOException("No space left on device") : line));
        writer.Write("1");
        full = true;
        writer.Write("2");
        writer.Write("3");
        full = false;
        writer.Write("4");
        writer.Write("5");
        Assert.Equal(["1", "! lines are missing here, 2 of them: they could not be written: No space left on device", "4", "5"], written);
    }

    private static void Fill(string ballast)
    {
        var page = new byte[4096];
        using var stream = new FileStream(ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        Assert.Throws<IOException>(() =>
        {
            while (stream.Length < 4 << 20)
                stream.Write(page);
        });
    }

    private static string[] LinesOf(string file) => File.Exists(file) ? File.ReadAllLines(file) : [];

    private static int CountIn(string file) => int.TryParse(File.ReadAllText(file), CultureInfo.InvariantCulture, out var count) ? count : 0;
}
