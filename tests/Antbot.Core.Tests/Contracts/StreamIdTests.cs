using Antbot.Contracts;
using Xunit;

namespace Antbot.Core.Tests.Contracts;

public sealed class StreamIdTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("order-7f3a")]
    [InlineData("ABCxyz0189-_.:/+@")]
    public void Letters_digits_and_a_few_marks_make_a_stream_id(string value)
    {
        Assert.Equal(value, new StreamId(value).Value);
        Assert.Equal(value, new StreamId(value).ToString());
        Assert.True(StreamId.TryParse(value, out var parsed));
        Assert.Equal(new StreamId(value), parsed);
    }

    [Fact]
    public void Every_other_character_is_refused_and_named()
    {
        const string Allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/+@";
        for (var c = 0; c <= 0x2FF; c++)
        {
            var value = $"a{(char)c}b";
            Assert.Equal(Allowed.Contains((char)c, StringComparison.Ordinal), StreamId.TryParse(value, out _));
            if (!Allowed.Contains((char)c, StringComparison.Ordinal))
                Assert.Contains($"U+{c:X4}", Assert.Throws<ArgumentException>(() => new StreamId(value)).Message, StringComparison.Ordinal);
        }
        Assert.False(StreamId.TryParse("ａ", out _));
        Assert.False(StreamId.TryParse("a🐜", out _));
    }

    [Fact]
    public void A_stream_id_has_1_to_200_characters()
    {
        Assert.Equal(200, new StreamId(new string('a', StreamId.LengthMax)).Value.Length);
        Assert.Throws<ArgumentException>(() => new StreamId(new string('a', StreamId.LengthMax + 1)));
        Assert.Throws<ArgumentException>(() => new StreamId(""));
        Assert.Throws<ArgumentNullException>(() => new StreamId(null!));
        Assert.False(StreamId.TryParse(new string('a', StreamId.LengthMax + 1), out _));
        Assert.False(StreamId.TryParse("", out _));
        Assert.False(StreamId.TryParse(null, out _));
    }

    [Fact]
    public void A_stream_id_that_was_never_given_a_value_has_none()
    {
        Assert.Throws<InvalidOperationException>(() => default(StreamId).Value);
        Assert.Equal("", default(StreamId).ToString());
        Assert.False(StreamId.TryParse("drop table;--", out var id));
        Assert.Equal(default, id);
    }

    [Fact]
    public void Stream_ids_are_equal_by_their_exact_characters()
    {
        Assert.Equal(new StreamId("order-1"), new StreamId("order-1"));
        Assert.NotEqual(new StreamId("order-1"), new StreamId("Order-1"));
    }
}
