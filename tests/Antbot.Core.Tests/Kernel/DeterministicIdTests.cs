using System.Text;
using Antbot.Kernel.Identity;
using FsCheck.Fluent;
using Xunit;

namespace Antbot.Core.Tests.Kernel;

public sealed class DeterministicIdTests
{
    /// <summary>Computed outside of .NET. A change here would give every replayed decision another id.</summary>
    [Fact]
    public void The_ids_of_known_inputs_are_the_ones_that_history_has()
    {
        Assert.Equal(Guid.Parse("49e50367-17e0-810e-b0cc-d206c2c31bdf"), DeterministicId.From("breakout", "BTCUSDT", "2026-11-21T09:30:00Z"));
        Assert.Equal(Guid.Parse("ed49a2b0-c716-8173-b447-395a304c5c6c"), DeterministicId.From("łucja🐜", ""));
        Assert.Equal(Guid.Parse("e3b0c442-98fc-8c14-9afb-f4c8996fb924"), DeterministicId.From());
    }

    [Fact]
    public void Where_one_part_ends_and_the_next_begins_matters()
    {
        string[][] splits = [["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["", "abc"], ["a", "b", "c"], [], [""], ["", ""]];
        Assert.Equal(splits.Length, splits.Select(parts => DeterministicId.From(parts)).Distinct().Count());
        Assert.NotEqual(DeterministicId.From("a", "b"), DeterministicId.From("b", "a"));
    }

    [Fact]
    public void Different_parts_have_different_ids_and_equal_ones_the_same()
    {
        var parts = Gen.Elements("", "a", "b", "ab", "\0", "é", "🐜").ListOf().Select(p => p.Take(4).ToArray());
        Holds.ForAll(parts.Two().ToArbitrary(), pair =>
            Assert.Equal(pair.Item1.SequenceEqual(pair.Item2, StringComparer.Ordinal), DeterministicId.From(pair.Item1) == DeterministicId.From(pair.Item2)));
    }

    [Fact]
    public void Every_id_says_that_it_is_a_UUID_of_version_8() =>
        Holds.ForAll(Holds.Seed, seed =>
        {
            var id = DeterministicId.From($"{seed}");
            Assert.Equal(8, id.Version);
            Assert.InRange(id.Variant, 8, 11);
        });

    [Fact]
    public void A_part_may_have_4096_bytes_and_no_more()
    {
        Assert.NotEqual(DeterministicId.From(new string('a', 4096)), DeterministicId.From(new string('a', 4095)));
        Assert.Throws<ArgumentException>(() => DeterministicId.From(new string('a', 4097)));
        Assert.Throws<ArgumentException>(() => DeterministicId.From("x", new string('é', 2049)));
    }

    /// <summary>The lenient encoding writes every half of a surrogate pair as U+FFFD, so that "\ud800" and "\ud801" would be one input.</summary>
    [Fact]
    public void Text_that_has_no_bytes_of_its_own_is_refused_instead_of_sharing_an_id() =>
        Assert.Throws<EncoderFallbackException>(() => DeterministicId.From("a\ud800"));
}
