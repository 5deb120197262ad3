using Antbot.Chaos.Checking;
using Xunit;

namespace Antbot.Chaos.Tests;

/// <summary>A failure that happens elsewhere leaves nothing but what is printed of it.</summary>
public sealed class StoryTests : IDisposable
{
    private readonly string _logs = Directory.CreateTempSubdirectory("antbot-story-").FullName;
    private readonly SoundEvidence _evidence = new();

    public void Dispose() => Directory.Delete(_logs, recursive: true);

    [Fact]
    public void Of_a_trade_without_an_end_its_events_and_the_last_log_lines_that_name_it_are_told()
    {
        _evidence.Remove($"trade-{SoundEvidence.Closed}", "trade_closed");
        File.WriteAllLines(Path.Combine(_logs, "execution.log"), ["of nobody", .. Enumerable.Range(1, 9).Select(i => $"line {i} of {SoundEvidence.Closed}")]);
        var story = Story.Of(_evidence.Sealed(), _logs);
        Assert.Equal($"of {SoundEvidence.Closed}:", story[0]);
        Assert.Contains(story, l => l.Contains(" order ", StringComparison.Ordinal) && l.Contains("order_filled", StringComparison.Ordinal));
        Assert.Equal(["line 4", "line 9"], story.Where(l => l.StartsWith("  execution.log: ", StringComparison.Ordinal)).Select(l => l["  execution.log: ".Length..][..6]).Where(l => l is "line 3" or "line 4" or "line 9"));
        Assert.DoesNotContain(story, l => l.Contains("of nobody", StringComparison.Ordinal) || l.Contains(SoundEvidence.Denied, StringComparison.Ordinal));
    }

    [Fact]
    public void Of_what_has_come_to_its_end_nothing_is_told() => Assert.Empty(Story.Of(_evidence.Sealed(), _logs));
}
