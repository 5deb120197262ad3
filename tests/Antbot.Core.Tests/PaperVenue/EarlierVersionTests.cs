using System.Buffers;
using Antbot.PaperVenue;
using Xunit;
using static Antbot.Core.Tests.PaperVenue.Trading;

namespace Antbot.Core.Tests.PaperVenue;

/// <summary>Data folders of earlier versions go on being read: what is below was written before there were order lists, trailing stops and icebergs.</summary>
public sealed class EarlierVersionTests
{
    private const string Journal =
        "AdAPAgphbGljZQLSDwIAgKC3h+kFAtQPAgKAiN6+AQHWDwQGYm9iAtgPBAKAhK9fA9oPAgQAAQAAgJDfwEoAgMLXLwAIc2FsZQPcDwQCAAAAAICQ38BKAIC0iRMAEHB1cmNoYXNlB4KJegXcDwIAgJDfwEqAtIkTAAQCwLgCgJL0AQPeDwYCAAEEAIDAss07gOiIh0OAhK9fAAhzdG9wA+APCAIAAAAAgMivoCUAgISvXwAKcmVzdHMJ4g8KAgAAAACAzN7/JQCAhK9fAAhoZWxkC+QPAsCpBwAI5g8AAICJeg==";

    private const string Snapshot =
        "AgyCiXoAAuQPwKkHAAYACmhvdXNlAAAOgJL0AQDAuAIAAAAAAAAAAAAAAAIKYWxpY2XQD+IPDoC8/POOBYCUjqBLwP+1coCEr18AAAAAAAAAAAAABAZib2LWD9wPDoC+uPEOAIDC1y+Ajs4cAAAAAAAAAAAAAAEAgIl6AQAAAQAAAQAAAQAAAQAAAAgIAgAAAAAAgMivoCUAgISvXwAKcmVzdHMAAIDIr6Al4A/gD+APAAACBAABAAABgJDfwEoAgMLXLwAIc2FsZYC0iROA0KzzDoCOzhzaD9wP2g8AAgKAkN/ASoC0iROAkvQB3A8BBgIAAQQAAIDAss07gOiIh0OAhK9fAAhzdG9wAACAhK9f3g/eDwEAAAoCAAAAAACAzN7/JQCAhK9fAAhoZWxkAACAzN7/JeIP4g8BAAACBAIAAAAAAoCQ38BKAIC0iRMAEHB1cmNoYXNlgLSJE4DQrPMOANwP3A/cDwACAoCQ38BKgLSJE8C4AtwPAA==";

    [Fact]
    public void A_journal_and_a_snapshot_of_an_earlier_version_give_what_they_gave_there()
    {
        var replayed = new Exchange(VenueRules.Default);
        var reader = new RecordReader(Convert.FromBase64String(Journal));
        while (!reader.AtEnd)
            replayed.Apply(JournalCodec.Read(ref reader));
        replayed.Recovered();
        var restored = Exchange.Restore(VenueRules.Default, Convert.FromBase64String(Snapshot));
        restored.Recovered();

        Assert.Equal(StateOf(replayed), StateOf(restored));
        foreach (var exchange in (Exchange[])[replayed, restored])
        {
            var alice = exchange.FindAccount("alice")!;
            Assert.Equal(["stop", "rests", "held"], alice.OpenOrders.Select(o => o.ClientId));
            Assert.Equal((OrderStatus.PartiallyFilled, N("0.2")), (exchange.FindAccount("bob")!.Latest("sale")!.Status, alice.Latest("purchase")!.Executed));
            Assert.Equal((Scenario.Trending, N("0.01")), (exchange.Program.Scenario, exchange[Btc].Shift));
            Assert.Equal((N("879"), N("101")), (alice.Balances[0].Free, alice.Balances[0].Locked));
            exchange.Show(Btc, N("90"), Btc.Lot, 2_000);
            Assert.True(alice.Latest("stop")!.IsWorking);
            Assert.Equal(["held"], exchange.Held.Select(o => o.ClientId));
        }
    }

    /// <summary>Snapshots of the first version hold no program: they stand in the data folders of who has updated.</summary>
    [Fact]
    public void A_snapshot_of_the_first_version_gives_the_usual_market_and_all_else_as_it_was()
    {
        var second = Convert.FromBase64String(Snapshot);
        var reader = new RecordReader(second);
        Assert.Equal(2, reader.Byte());
        var (counters, program) = (new ArrayBufferWriter<byte>(), new ArrayBufferWriter<byte>());
        new RecordWriter(counters).Add(reader.Long()).Add(reader.Long()).Add(reader.Long());
        new RecordWriter(program).Add(reader.Byte()).Add(reader.Long()).Add(reader.Long()).Add(reader.Text());
        byte[] first = [1, .. counters.WrittenSpan, .. second.AsSpan(1 + counters.WrittenCount + program.WrittenCount)];

        var (read, expected) = (Exchange.Restore(VenueRules.Default, first), Exchange.Restore(VenueRules.Default, second));
        Assert.Equal(MarketProgram.Usual, read.Program);
        foreach (var exchange in (Exchange[])[read, expected])
            exchange.Choose(Scenario.Quiet, 1, "", 3_000);
        Assert.Equal(StateOf(expected), StateOf(read));
    }

    [Fact]
    public void A_snapshot_of_a_later_version_is_refused_with_what_to_do()
    {
        var later = StateOf(new Exchange(VenueRules.Default));
        later[0]++;
        Assert.Contains("begin with an empty data folder", Assert.Throws<UnknownRecordException>(() => Exchange.Restore(VenueRules.Default, later)).Message, StringComparison.Ordinal);
    }
}
