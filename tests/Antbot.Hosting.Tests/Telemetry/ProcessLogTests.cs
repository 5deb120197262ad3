using System.Text.Json;
using Antbot.Runtime.Telemetry;
using Xunit;

namespace Antbot.Hosting.Tests.Telemetry;

/// <summary>Who has no host says the same lines as who has one.</summary>
public sealed class ProcessLogTests
{
    [Fact]
    public void What_it_says_is_a_line_of_JSON_with_its_level_and_who_says_it()
    {
        var lines = Said(isText: false).Select(l => JsonElement.Parse(l)).ToList();
        Assert.All(lines, l => Assert.Equal(["time", "level", "service", "instance", "category", "message"], l.EnumerateObject().Select(m => m.Name)));
        Assert.Equal(
            [("Information", "it\nbegins"), ("Warning", "it waits"), ("Error", "it ends")],
            lines.Select(l => (l.GetProperty("level").GetString(), l.GetProperty("message").GetString())));
        Assert.All(lines, l => Assert.Equal(("2026-05-06T07:08:09.000000Z", "gate", "gate-1", "Some.Category"), (Text(l, "time"), Text(l, "service"), Text(l, "instance"), Text(l, "category"))));
    }

    [Fact]
    public void For_people_it_is_text_in_which_trouble_is_marked() => Assert.Equal(["it", "begins", "! it waits", "! it ends"], Said(isText: true));

    [Theory]
    [InlineData("""{"time":"x","message":"it \"waits\""}""", "it \"waits\"")]
    [InlineData("""{"message":7}""", """{"message":7}""")]
    [InlineData("[1]", "[1]")]
    [InlineData("{half", "{half")]
    [InlineData("in words", "in words")]
    public void What_a_line_says_is_read_out_of_it_and_what_is_none_is_left_as_it_is(string line, string message) => Assert.Equal(message, LogLine.MessageOf(line));

    private static string Text(JsonElement line, string name) => line.GetProperty(name).GetString()!;

    private static string[] Said(bool isText)
    {
        using var output = new StringWriter();
        var log = new ProcessLog("gate", "gate-1", "Some.Category", "! ", isText, output, new StandingClock());
        log.Say("it\nbegins");
        log.Warn("it waits");
        log.Fail("it ends");
        return output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private sealed class StandingClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 5, 6, 9, 8, 9, TimeSpan.FromHours(2));
    }
}
