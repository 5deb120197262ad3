using Antbot.Kernel.Proof;
using Xunit;

namespace Antbot.Core.Tests.Kernel;

/// <summary>The literal hashes were computed outside of .NET; PostgreSQL makes the same ones in the server.</summary>
public sealed class ChainLinkTests
{
    private static readonly Guid StoreId = Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e");
    private static readonly byte[] Previous = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly byte[] Content = [.. Enumerable.Range(100, 32).Select(i => (byte)i)];

    [Fact]
    public void The_genesis_of_a_known_store_is_the_one_that_history_has()
    {
        Assert.Equal("56975c99817e1ffe18e55184ee79bef33a16a78854e793fbda3964d167ca6165", Convert.ToHexStringLower(ChainLink.Genesis(StoreId)));
        Assert.NotEqual(ChainLink.Genesis(StoreId), ChainLink.Genesis(Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950f")));
    }

    [Theory]
    [InlineData(false, "f5f3c287c974ab6c67d45f3c75f70bca0b6d7a342b4c381070cd134b9307ecdf")]
    [InlineData(true, "d645d42192535ffdd99e4eecfe1fd382a0a48865406e17af2a1605bdd3b3ef51")]
    public void The_hash_of_a_known_link_is_the_one_that_history_has(bool foreign, string hash) =>
        Assert.Equal(hash, Convert.ToHexStringLower(ChainLink.Hash(Previous, Content, 7, 8, 9, foreign)));

    [Fact]
    public void Every_part_of_a_link_changes_its_hash()
    {
        var hashes = new List<byte[]> { ChainLink.Hash(Previous, Content, 7, 8, 9, foreign: false) };
        for (var i = 0; i < ChainLink.HashLength; i++)
        {
            hashes.Add(ChainLink.Hash(Flipped(Previous, i), Content, 7, 8, 9, foreign: false));
            hashes.Add(ChainLink.Hash(Previous, Flipped(Content, i), 7, 8, 9, foreign: false));
        }
        foreach (var other in new[] { 0L, -1L, 10L, 7L | (1L << 62), long.MaxValue, long.MinValue })
        {
            hashes.Add(ChainLink.Hash(Previous, Content, other, 8, 9, foreign: false));
            hashes.Add(ChainLink.Hash(Previous, Content, 7, other, 9, foreign: false));
            hashes.Add(ChainLink.Hash(Previous, Content, 7, 8, other, foreign: false));
        }
        hashes.Add(ChainLink.Hash(Previous, Content, 7, 8, 9, foreign: true));
        hashes.Add(ChainLink.Hash(Previous, Content, 8, 7, 9, foreign: false));
        hashes.Add(ChainLink.Hash(Previous, Content, 7, 9, 8, foreign: false));
        hashes.Add(ChainLink.Hash(Content, Previous, 7, 8, 9, foreign: false));

        Assert.Equal(hashes.Count, hashes.Select(Convert.ToHexString).Distinct(StringComparer.Ordinal).Count());
    }

    [Theory]
    [InlineData(31, 32)]
    [InlineData(33, 32)]
    [InlineData(32, 0)]
    [InlineData(32, 64)]
    public void What_is_not_two_hashes_is_refused(int previous, int content) =>
        Assert.Throws<ArgumentException>(() => ChainLink.Hash(new byte[previous], new byte[content], 1, 1, 1, foreign: false));

    private static byte[] Flipped(byte[] bytes, int at)
    {
        var copy = bytes.ToArray();
        copy[at] ^= 1;
        return copy;
    }
}
