using System.IO.Compression;
using Antbot.Incidents.Bundles;
using Antbot.Integration.Tests.Venues.Recordings;
using Antbot.Runtime.Secrets;
using Xunit;

namespace Antbot.Integration.Tests.Incidents;

/// <summary>What a folder's logs say, and nothing that opens anything.</summary>
public sealed class LogMembersTests : IDisposable
{
    private const int FileBytesMax = 4 * 1024 * 1024;

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-logs-").FullName;
    private readonly List<string> _left = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(StrikeoutTests.Known), MemberType = typeof(StrikeoutTests))]
    [MemberData(nameof(StrikeoutTests.Named), MemberType = typeof(StrikeoutTests))]
    [MemberData(nameof(StrikeoutTests.Harmless), MemberType = typeof(StrikeoutTests))]
    public async Task A_log_is_struck_out_as_what_is_recorded_is(string line)
    {
        string[] secrets = [StrikeoutTests.Key, StrikeoutTests.Secret, StrikeoutTests.Odd];
        Write("venue.secret", string.Join('\n', secrets));
        Write("risk.log", line);
        Assert.Equal(new Strikeout(secrets).Strike(line), (await LogsAsync())["logs/risk.log"]);
        Assert.Empty(_left);
    }

    [Theory]
    [InlineData("ANTBOT_X='hunter2-hunter2'")]
    [InlineData("export ANTBOT_X=\"hunter2-hunter2\";")]
    [InlineData("x: `hunter2-hunter2`,")]
    [InlineData("{'x':'hunter2-hunter2'}")]
    [InlineData("hunter2-hunter2\r")]
    public async Task However_a_file_of_secrets_is_written_what_it_holds_is_found(string secret)
    {
        Write("deep/er/and/deep/er/still/prod.env", secret);
        Write("risk.log", "it said hunter2-hunter2 aloud");
        Assert.Equal("it said *** aloud", (await LogsAsync())["logs/risk.log"]);
    }

    [Fact]
    public async Task A_value_that_has_blanks_or_marks_within_is_found_as_a_whole()
    {
        Write("a.password", "phrase=\"ox: cart = 4\"");
        Write("risk.log", "it said ox: cart = 4 aloud");
        Assert.Equal("it said *** aloud", (await LogsAsync())["logs/risk.log"]);
    }

    /// <summary>Wherever the beginning comes to lie, and wherever a line is cut: no part of a secret is left standing.</summary>
    [Fact]
    public async Task Nothing_of_a_secret_is_left_at_either_cut()
    {
        Write("venue.secret", StrikeoutTests.Secret);
        for (var at = 0; at < 80; at += 5)
        {
            var end = $"{StrikeoutTests.Secret} token=whoknows\nwhole\n";
            Write($"head-{at}.log", $"{end}{new string('.', FileBytesMax - end.Length + at - 1)}\n");
            Write($"tail-{at}.log", $"{new string('.', (16 * 1024) - at)}{StrikeoutTests.Secret}");
        }
        foreach (var (name, text) in (await LogsAsync()).Where(l => l.Key.StartsWith("logs/", StringComparison.Ordinal)))
        {
            for (var i = 0; i < StrikeoutTests.Secret.Length - 5; i++)
                Assert.False(text.Contains(StrikeoutTests.Secret[i..(i + 5)], StringComparison.Ordinal), $"{name} has {StrikeoutTests.Secret[i..(i + 5)]}");
            Assert.DoesNotContain("whoknows", text, StringComparison.Ordinal);
        }
        Assert.Contains(_left, l => l.StartsWith("Logs of which the last lines are here", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_a_long_log_all_lines_are_here_that_are_whole()
    {
        // The first of them begins where the cut is.
        Write("whole.log", $"{new string('a', 50)}\n{new string('b', FileBytesMax - 1)}\n");
        Write("torn.log", $"{new string('a', 50)}\nsecond\nthird {new string('b', FileBytesMax - 10)}\nfourth\n");
        Write("one.log", new string('c', FileBytesMax + 1));
        var logs = await LogsAsync();
        Assert.Equal($"{new string('b', 16 * 1024)}…\n", logs["logs/whole.log"]);
        Assert.Equal("fourth\n", logs["logs/torn.log"]);
        Assert.Equal("", logs["logs/one.log"]);
        Assert.Contains("(3): logs/one.log of 4,194,305 bytes, logs/torn.log of ", Assert.Single(_left), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_file_of_secrets_that_was_not_looked_into_is_named()
    {
        Write("large.key", new string('x', (16 * 1024) + 1));
        for (var i = 0; i < 102; i++)
            Write($"n{i:000}.token", $"hunter2-hunter{i:000}");
        Write("t-many.secret", string.Concat(Enumerable.Range(0, 100).Select(i => $"a-secret-of-many-{i:000}\n")));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "mounted"), Path.GetTempPath());
        Write("risk.log", "it said hunter2-hunter099 and hunter2-hunter101");
        Assert.Equal("it said *** and hunter2-hunter101", (await LogsAsync())["logs/risk.log"]);
        Assert.Equal(
            [
                "Files of secrets beyond the first 100, of which nothing was looked for in the logs (3): n100.token, n101.token, t-many.secret.",
                "Files of secrets with more than 16,384 bytes, of which nothing was looked for in the logs (1): large.key.",
                "Links in the folder of logs, which are not followed (1): mounted.",
            ],
            _left);
    }

    [Fact]
    public async Task Files_that_hold_too_many_secrets_are_named()
    {
        Write("a.secret", string.Concat(Enumerable.Range(0, 600).Select(i => $"a-secret-of-many-{i:000}\n")));
        Write("b.secret", string.Concat(Enumerable.Range(0, 600).Select(i => $"b-secret-of-many-{i:000}\n")));
        Write("c.secret", string.Concat(Enumerable.Range(0, 900).Select(i => $"c-secret-many-{i:000}\n")));
        Write("d.secret", "hunter2-hunter2");
        Write("risk.log", "a-secret-of-many-001 b-secret-of-many-001 c-secret-many-001 hunter2-hunter2");
        Assert.Equal("*** *** c-secret-many-001 ***", (await LogsAsync())["logs/risk.log"]);
        Assert.Equal("Files of secrets that together hold more than 2,000, of which nothing was looked for in the logs (1): c.secret.", Assert.Single(_left));
    }

    [Fact]
    public async Task Neither_colours_nor_another_encoding_hide_what_is_a_secret()
    {
        Write("colours.log", "token\u001b[0m=\u001b[32mhunter2-hunter2\u001b[0m said");
        await File.WriteAllTextAsync(Path.Combine(_folder, "wide.log"), "token=hunter2-hunter2 said", new System.Text.UnicodeEncoding(bigEndian: false, byteOrderMark: false), Cancel);
        var logs = await LogsAsync();
        Assert.Equal(("token=*** said", "token=*** said"), (logs["logs/colours.log"], logs["logs/wide.log"]));
    }

    [Fact]
    public async Task What_is_beyond_so_many_logs_is_one_gap()
    {
        for (var i = 0; i < 350; i++)
            Write($"n{i:000}.log", "");
        Assert.Equal(200, (await LogsAsync()).Count(l => l.Key.StartsWith("logs/", StringComparison.Ordinal)));
        var gap = Assert.Single(_left);
        Assert.StartsWith("Logs beyond the first 200 by name, or beyond what a bundle has room for (150): logs/n200.log, ", gap, StringComparison.Ordinal);
        Assert.EndsWith(", logs/n299.log and 50 more.", gap, StringComparison.Ordinal);
    }

    private void Write(string name, string text)
    {
        var file = new FileInfo(Path.Combine(_folder, name));
        file.Directory!.Create();
        File.WriteAllText(file.FullName, text);
    }

    private async Task<Dictionary<string, string>> LogsAsync()
    {
        using var zip = new MemoryStream();
        using (var bundle = new BundleWriter(zip, DateTimeOffset.UnixEpoch))
            await new LogMembers(new DirectoryInfo(_folder), _left).AddAsync(bundle, Cancel);
        using var read = new ZipArchive(zip);
        return read.Entries.ToDictionary(e => e.FullName, e =>
        {
            using var reader = new StreamReader(e.Open());
            return reader.ReadToEnd();
        });
    }
}
