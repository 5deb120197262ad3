using System.Text;
using Antbot.Kernel.Identity;
using Xunit;

namespace Antbot.Core.Tests.Kernel;

public sealed class DecisionTests
{
    private static readonly Guid Input = Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e");

    /// <summary>Computed outside of .NET. A change here would decide every redelivered message a second time.</summary>
    [Theory]
    [InlineData("risk", 0, "16c21213-effd-8573-b198-19589204f48b")]
    [InlineData("risk", 1, "fccf3af1-50ac-8e8a-b57a-625bf8420ed5")]
    [InlineData("risk", 999, "8fc0bfb1-58b1-8f3f-b05b-3355ed1ceb5b")]
    [InlineData("zażółć", 0, "42d34e51-50fb-808d-ac84-eb8d5e116f18")]
    public void The_event_ids_of_known_decisions_are_the_ones_that_history_has(string consumer, int ordinal, string id) =>
        Assert.Equal(Guid.Parse(id), new Decision(Input, consumer).EventId(ordinal));

    [Fact]
    public void Input_consumer_and_ordinal_each_make_another_id()
    {
        var ids = from input in new[] { Input, Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950f") }
                  from consumer in new[] { "risk", "risk2", "Risk", "r" }
                  from ordinal in Enumerable.Range(0, 300)
                  select new Decision(input, consumer).EventId(ordinal);
        var all = ids.ToList();
        Assert.Equal(2 * 4 * 300, all.Distinct().Count());
        Assert.All(all, id => Assert.Equal(8, id.Version));
        Assert.All(all, id => Assert.InRange(id.Variant, 8, 11));
    }

    [Fact]
    public void A_consumers_name_has_1_to_200_characters_of_any_width()
    {
        Assert.Throws<ArgumentException>(() => new Decision(Input, ""));
        Assert.Throws<ArgumentNullException>(() => new Decision(Input, null!));
        Assert.Throws<ArgumentException>(() => new Decision(Input, new string('a', 201)));
        Assert.NotEqual(new Decision(Input, new string('ｗ', 200)).EventId(0), new Decision(Input, new string('ｗ', 199)).EventId(0));
    }

    [Fact]
    public void A_consumers_name_that_has_no_bytes_of_its_own_is_refused() =>
        Assert.Throws<EncoderFallbackException>(() => new Decision(Input, "risk\udc00"));

    [Fact]
    public void An_ordinal_is_not_negative() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Decision(Input, "risk").EventId(-1));

    /// <summary>Every forgotten decision would be the same one: the second would be answered with the first one's events, and lost.</summary>
    [Fact]
    public void A_decision_that_was_never_given_a_value_has_no_event_ids()
    {
        Assert.Throws<InvalidOperationException>(() => default(Decision).EventId(0));
        Assert.Throws<InvalidOperationException>(() => default(Decision).Consumer);
    }

    [Fact]
    public void Decisions_are_equal_by_input_and_consumer_and_say_both()
    {
        Assert.Equal(new Decision(Input, "risk"), new Decision(Input, "risk"));
        Assert.NotEqual(new Decision(Input, "risk"), new Decision(Input, "execution"));
        Assert.Equal("0f8fad5b-d9cb-469f-a165-70867728950e@risk", new Decision(Input, "risk").ToString());
    }
}
