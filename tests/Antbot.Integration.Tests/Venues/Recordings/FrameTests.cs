using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Antbot.Venues.Recording;
using Xunit;

namespace Antbot.Integration.Tests.Venues.Recordings;

public sealed class FrameTests
{
    private static readonly byte[] First = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 200).Select(i => $"{{\"Line\":{i}}}\n")));
    private static readonly byte[] Second = Encoding.UTF8.GetBytes("{\"Line\":\"second\"}\n");

    [Fact]
    public void What_was_packed_comes_out_and_the_next_one_follows()
    {
        using var file = new MemoryStream([.. Frame.Pack(First), .. Frame.Pack(Second)]);
        var first = Frame.Read(file, 0);
        var second = Frame.Read(file, first.Next);
        Assert.Equal((FrameState.Whole, FrameState.Whole, FrameState.End), (first.State, second.State, Frame.Read(file, second.Next).State));
        Assert.Equal(First, first.Raw);
        Assert.Equal(Second, second.Raw);
    }

    [Fact]
    public void Any_tool_that_reads_gzip_reads_the_whole()
    {
        using var gzip = new GZipStream(new MemoryStream([.. Frame.Pack(First), .. Frame.Pack(Second)]), CompressionMode.Decompress);
        using var all = new MemoryStream();
        gzip.CopyTo(all);
        Assert.Equal([.. First, .. Second], all.ToArray());
    }

    [Fact]
    public void Wherever_a_file_is_cut_off_what_came_before_is_whole()
    {
        var (first, second) = (Frame.Pack(First), Frame.Pack(Second));
        byte[] both = [.. first, .. second];
        for (var length = first.Length + 1; length < both.Length; length++)
        {
            using var file = new MemoryStream(both[..length]);
            Assert.Equal(FrameState.Whole, Frame.Read(file, 0).State);
            Assert.Equal(FrameState.Torn, Frame.Read(file, first.Length).State);
        }
    }

    [Fact]
    public void Whatever_byte_is_changed_nothing_else_than_what_was_packed_comes_out()
    {
        var packed = Frame.Pack(Second);
        for (var at = 0; at < packed.Length; at++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                var changed = packed.ToArray();
                changed[at] ^= (byte)(1 << bit);
                using var file = new MemoryStream(changed);
                var (state, raw, _) = Frame.Read(file, 0);
                Assert.True(state == FrameState.Whole ? raw.SequenceEqual(Second) : raw.Length == 0, $"bit {bit} of byte {at}: {state}");
            }
        }
    }

    [Fact]
    public void What_is_damaged_does_not_take_the_next_one_along()
    {
        var first = Frame.Pack(First);
        first[^5] ^= 1;
        using var file = new MemoryStream([.. first, .. Frame.Pack(Second)]);
        var damaged = Frame.Read(file, 0);
        Assert.Equal(FrameState.Damaged, damaged.State);
        Assert.Equal(Second, Frame.Read(file, damaged.Next).Raw);
    }

    /// <summary>A gigabyte of zeros is a megabyte when it is packed.</summary>
    [Theory]
    [InlineData(1_000, nameof(FrameState.Damaged))]
    [InlineData(int.MaxValue, nameof(FrameState.Strange))]
    [InlineData(4 * 1024 * 1024 + 1, nameof(FrameState.Strange))]
    public void What_unpacks_to_more_than_it_says_is_not_unpacked(int said, string expected)
    {
        var bomb = Frame.Pack(new byte[Frame.RawBytesMax]);
        BinaryPrimitives.WriteUInt32LittleEndian(bomb.AsSpan(20), (uint)said);
        using var file = new MemoryStream(bomb);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(expected, Frame.Read(file, 0).State.ToString());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    [Theory]
    [InlineData("")]
    [InlineData("PK\u0003\u0004 this is something else, and long enough for a header")]
    public void What_is_no_frame_is_said_to_be_none(string text)
    {
        using var file = new MemoryStream(Encoding.Latin1.GetBytes(text));
        Assert.Equal(text.Length == 0 ? FrameState.End : FrameState.Strange, Frame.Read(file, 0).State);
    }
}
