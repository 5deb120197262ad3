using System.Text;
using Antbot.Core.Tests.Kernel;
using Antbot.PaperVenue;
using FsCheck.Fluent;
using Xunit;

namespace Antbot.Core.Tests.PaperVenue;

public sealed class Fixed8Tests
{
    [Theory]
    [InlineData("0", "0.00000000")]
    [InlineData("65000.01", "65000.01000000")]
    [InlineData("0.00000001", "0.00000001")]
    [InlineData("92233720368.54775807", "92233720368.54775807")]
    [InlineData("00012.500000000000", "12.50000000")]
    public void A_number_is_read_and_written_with_eight_decimals(string text, string written) => Assert.Equal(written, Fixed8.Parse(text).ToString());

    [Theory]
    [InlineData("", NumberFault.Malformed)]
    [InlineData(".5", NumberFault.Malformed)]
    [InlineData("5.", NumberFault.Malformed)]
    [InlineData("-1", NumberFault.Malformed)]
    [InlineData("+1", NumberFault.Malformed)]
    [InlineData("1e5", NumberFault.Malformed)]
    [InlineData("1,000", NumberFault.Malformed)]
    [InlineData(" 1", NumberFault.Malformed)]
    [InlineData("٣", NumberFault.Malformed)]
    [InlineData("999999999999999999999", NumberFault.Malformed)]
    [InlineData("92233720368.54775808", NumberFault.TooLarge)]
    [InlineData("99999999999999999999", NumberFault.TooLarge)]
    [InlineData("0.000000001", NumberFault.TooPrecise)]
    public void What_is_no_number_is_told_from_one_that_does_not_fit(string text, NumberFault fault) => Assert.Equal(fault, Fixed8.TryParse(text, out _));

    [Fact]
    public void What_is_written_is_read_back_and_agrees_with_decimal() => Holds.ForAll(
        Gen.Choose(int.MinValue, int.MaxValue).Zip(Gen.Choose(0, int.MaxValue)).ToArbitrary(),
        pair =>
        {
            var value = new Fixed8(((long)pair.Item1 << 32) | (uint)pair.Item2);
            Span<byte> utf8 = stackalloc byte[Fixed8.MaxLength];
            var text = Encoding.ASCII.GetString(utf8[..value.Format(utf8)]);
            Assert.Equal(value.Units / 100_000_000m, decimal.Parse(text));
            if (value.Units >= 0)
                Assert.Equal(value, Fixed8.Parse(text));
        });

    [Fact]
    public void The_smallest_number_has_a_text_too() => Assert.Equal("-92233720368.54775808", new Fixed8(long.MinValue).ToString());

    [Fact]
    public void Products_are_cut_and_those_of_whole_steps_are_exact() => Holds.ForAll(
        Gen.Choose(1, 100_000_000).Zip(Gen.Choose(1, 900_000)).ToArbitrary(),
        pair =>
        {
            foreach (var instrument in VenueRules.Default.Instruments)
            {
                var price = new Fixed8(instrument.Tick.Units * (pair.Item1 % (instrument.MaxPrice.Units / instrument.Tick.Units)));
                var quantity = new Fixed8(instrument.Lot.Units * pair.Item2);
                if (price.CanMultiply(quantity))
                    Assert.Equal(price.Units * (decimal)quantity.Units, price.Times(quantity).Units * 100_000_000m);
            }
        });

    [Fact]
    public void A_sum_that_does_not_fit_is_an_error_and_never_wraps() =>
        Assert.Throws<OverflowException>(() => new Fixed8(long.MaxValue) + new Fixed8(1));
}
