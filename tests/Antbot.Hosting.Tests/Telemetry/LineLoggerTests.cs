using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Antbot.Hosting.Telemetry;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Antbot.Hosting.Tests.Telemetry;

public sealed class LineLoggerTests
{
    private static readonly SecretTexts Secrets = SecretTexts.From(new Dictionary<string, string?>
    {
        ["store"] = "Host=localhost;Username=me;Password=store-pass-word",
        ["bus"] = "amqp://user:bus%2Fpass%2Fword@localhost/",
        ["signal:apikey"] = "first=key-number-one,second=key-number-two",
        ["venue:secret"] = "venue-secret",
        ["risk:maxnotional"] = "1000",
    });

    [Fact]
    public async Task An_entry_is_one_line_of_JSON_whatever_is_in_it()
    {
        var lines = await LogAsync(isText: false, log =>
        {
            using (log.BeginScope(new Dictionary<string, object?> { ["trade"] = "outer", ["endpoint"] = "risk", ["secret stuff"] = "is not asked for" }))
            using (log.BeginScope(new Dictionary<string, object?> { ["trade"] = "4711" }))
                log.LogError(new InvalidOperationException("in\nlines"), "Two\nlines with \"quotes\" {A} \u2028 \0", 1);
        });
        var line = JsonDocument.Parse(Assert.Single(lines)).RootElement;
        Assert.Equal(
            ["time", "level", "service", "instance", "category", "message", "trade", "endpoint", "exception"], line.EnumerateObject().Select(p => p.Name));
        Assert.Equal(("Error", "risk", "i-1", "Some.Category", "4711"), (Text(line, "level"), Text(line, "service"), Text(line, "instance"), Text(line, "category"), Text(line, "trade")));
        Assert.Equal("Two\nlines with \"quotes\" 1 \u2028 \0", Text(line, "message"));
        Assert.Contains("in\nlines", Text(line, "exception"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_trace_that_is_being_followed_is_in_it()
    {
        using var activity = new Activity("test").SetIdFormat(ActivityIdFormat.W3C).Start();
        var lines = await LogAsync(isText: false, log => log.LogInformation("hello"));
        Assert.Equal(activity.TraceId.ToHexString(), Text(JsonDocument.Parse(Assert.Single(lines)).RootElement, "trace"));
    }

    [Fact]
    public async Task Secrets_are_struck_out_wherever_they_come_from()
    {
        var lines = await LogAsync(isText: false, log =>
        {
            log.LogWarning(new InvalidOperationException("could not use store-pass-word"), "amqp://user:bus%2Fpass%2Fword@localhost or bus/pass/word");
            log.LogInformation("key-number-two venue-secret 1000");
        });
        Assert.DoesNotContain("pass", string.Concat(lines), StringComparison.Ordinal);
        Assert.EndsWith("*** *** 1000\"}", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task For_people_it_is_text()
    {
        var lines = await LogAsync(isText: true, log =>
        {
            using (log.BeginScope(new Dictionary<string, object?> { ["trade"] = "4711" }))
                log.LogWarning("hello");
        });
        Assert.Matches("^[0-9:.]{12} WARN  Category: hello \\[trade 4711\\]$", Assert.Single(lines));
    }

    [Fact]
    public async Task Nobody_waits_for_an_output_that_is_stuck_and_what_was_dropped_is_told()
    {
        const int Lines = 40_000;
        await using var output = new StuckStream();
        await using (var provider = new LineLogger("risk", "i-1", isText: false, Secrets, TimeProvider.System, output))
        {
            var log = provider.CreateLogger("Some.Category");
            for (var i = 0; i < Lines; i++)
                log.LogInformation("line {I}", i);
            output.Release();
        }
        var written = Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var told = Assert.Single(written, l => l.Contains("were dropped", StringComparison.Ordinal));
        var dropped = int.Parse(Text(JsonDocument.Parse(told).RootElement, "message").Split(' ')[0]);
        Assert.True(dropped > 0);
        Assert.Equal(Lines, dropped + written.Length - 1);
    }

    private static string Text(JsonElement line, string name) => line.GetProperty(name).GetString()!;

    private static async Task<string[]> LogAsync(bool isText, Action<ILogger> write)
    {
        await using var output = new MemoryStream();
        await using (var provider = new LineLogger("risk", "i-1", isText, Secrets, TimeProvider.System, output))
            write(provider.CreateLogger("Some.Category"));
        return Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private sealed class StuckStream : MemoryStream
    {
        private readonly TaskCompletionSource _released = new();

        public void Release() => _released.SetResult();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await _released.Task;
            await base.WriteAsync(buffer, cancellationToken);
        }

        public override async Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => await WriteAsync(buffer.AsMemory(offset, count), cancellationToken);
    }
}
