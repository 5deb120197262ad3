using Antbot.Kernel.Time;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Antbot.Core.Tests.Kernel;

public sealed class MicrosecondsTests
{
    /// <summary>Any time of the calendar, in any offset, the years before 1970 among them.</summary>
    private static Arbitrary<DateTimeOffset> Times { get; } = (
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from minutes in Gen.Choose(-14 * 60, 14 * 60)
        let day = TimeSpan.TicksPerDay
        let utc = new Random(seed).NextInt64(DateTimeOffset.MinValue.Ticks + day, DateTimeOffset.MaxValue.Ticks - day)
        select new DateTimeOffset(utc, TimeSpan.Zero).ToOffset(TimeSpan.FromMinutes(minutes))).ToArbitrary();

    [Theory]
    [InlineData("2026-11-21T09:30:15.1234569+00:00", "2026-11-21T09:30:15.1234560+00:00")]
    [InlineData("2026-11-21T09:30:15.1234560+00:00", "2026-11-21T09:30:15.1234560+00:00")]
    [InlineData("2026-11-21T09:30:15.9999999+02:00", "2026-11-21T07:30:15.9999990+00:00")]
    [InlineData("1969-12-31T23:59:59.9999999+00:00", "1969-12-31T23:59:59.9999990+00:00")]
    [InlineData("0001-01-01T00:00:00.0000009+00:00", "0001-01-01T00:00:00.0000000+00:00")]
    [InlineData("9999-12-31T23:59:59.9999999+00:00", "9999-12-31T23:59:59.9999990+00:00")]
    public void Time_is_cut_to_microseconds_in_UTC_and_never_rounded(string time, string cut)
    {
        var result = DateTimeOffset.Parse(time).Cut();
        Assert.Equal(cut, result.ToString("yyyy-MM-ddTHH:mm:ss.fffffffzzz"));
        Assert.Equal(TimeSpan.Zero, result.Offset);
    }

    [Fact]
    public void The_cut_is_the_last_microsecond_that_is_not_later() =>
        Holds.ForAll(Times, time =>
        {
            var cut = time.Cut();
            Assert.InRange((time - cut).Ticks, 0, TimeSpan.TicksPerMicrosecond - 1);
            Assert.Equal(0, cut.Ticks % TimeSpan.TicksPerMicrosecond);
            Assert.Equal(cut, cut.Cut());
        });

    [Fact]
    public void A_cut_time_survives_its_number_and_back() =>
        Holds.ForAll(Times, time => Assert.Equal(time.Cut(), Microseconds.FromUnixMicroseconds(time.Cut().ToUnixMicroseconds())));

    /// <summary>Division rounds towards zero: before 1970 an uncut time would have hashed as the microsecond after its cut.</summary>
    [Fact]
    public void A_time_and_its_cut_have_the_same_number_before_1970_too()
    {
        Assert.Equal(-1, DateTimeOffset.UnixEpoch.AddTicks(-1).ToUnixMicroseconds());
        Holds.ForAll(Times, time => Assert.Equal(time.Cut().ToUnixMicroseconds(), time.ToUnixMicroseconds()));
    }

    [Theory]
    [InlineData(0, "1970-01-01T00:00:00.000000")]
    [InlineData(-1, "1969-12-31T23:59:59.999999")]
    [InlineData(1795253415123456, "2026-11-21T09:30:15.123456")]
    [InlineData(-62135596800000000, "0001-01-01T00:00:00.000000")]
    [InlineData(253402300799999999, "9999-12-31T23:59:59.999999")]
    public void Known_numbers_are_known_times(long microseconds, string time)
    {
        var result = Microseconds.FromUnixMicroseconds(microseconds);
        Assert.Equal(time, result.ToString("yyyy-MM-ddTHH:mm:ss.ffffff"));
        Assert.Equal(microseconds, result.ToUnixMicroseconds());
    }

    /// <summary>Multiplied unchecked, 2^62 wraps round to a time in 1970.</summary>
    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    [InlineData(1L << 62)]
    [InlineData(253402300800000000)]
    [InlineData(-62135596800000001)]
    public void A_number_outside_the_calendar_is_refused_instead_of_wrapping_round(long microseconds) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Microseconds.FromUnixMicroseconds(microseconds));
}
