using System.Text;
using Antbot.EventStore.Sqlite;
using Antbot.Kernel.Time;
using Xunit;

namespace Antbot.Integration.Tests.Sqlite;

public sealed class SqliteTimeTests
{
    [Fact]
    public void Times_read_back_to_the_microsecond_and_sort_as_text()
    {
        var random = new Random(7);
        var times = Enumerable.Range(0, 2_000)
            .Select(_ => new DateTimeOffset(random.NextInt64(DateTimeOffset.UnixEpoch.Ticks, new DateTime(9999, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks), TimeSpan.Zero))
            .Append(new DateTimeOffset(2024, 2, 29, 23, 59, 59, 999, 999, TimeSpan.Zero)).ToList();
        var texts = new List<string>();
        foreach (var time in times)
        {
            var text = new byte[SqliteTime.Length];
            SqliteTime.Format(time, text);
            Assert.True(SqliteTime.TryParse(text, out var read));
            Assert.Equal(time.Cut(), read);
            texts.Add(Encoding.ASCII.GetString(text));
        }
        Assert.Equal(times.Order().Select(t => t.Cut().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'")), texts.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("2026-08-01T12:00:00Z")]
    [InlineData("2026-08-01 12:00:00.000000Z")]
    [InlineData("2026-08-01T12:00:00.000000+")]
    [InlineData("2026-02-29T12:00:00.000000Z")]
    [InlineData("2026-13-01T12:00:00.000000Z")]
    [InlineData("2026-08-00T12:00:00.000000Z")]
    [InlineData("2026-08-01T24:00:00.000000Z")]
    [InlineData("2026-08-01T12:60:00.000000Z")]
    [InlineData("0000-08-01T12:00:00.000000Z")]
    [InlineData("2026-08-01T12:00:00.00000xZ")]
    public void What_is_no_time_is_not_read_as_one(string text) => Assert.False(SqliteTime.TryParse(Encoding.ASCII.GetBytes(text), out _));
}
