using System.Text;
using System.Text.Json;
using Antbot.Kernel.Proof;
using Xunit;

namespace Antbot.Core.Tests.Kernel;

public sealed class CanonicalJsonPropertyTests
{
    [Fact]
    public void However_a_value_is_spelled_its_canonical_bytes_are_the_same() =>
        Holds.ForAll(JsonModel.Arbitrary, Holds.Seed, (model, seed) =>
            Assert.Equal(model.Canonical(), Canonical(JsonSpelling.Random(model, seed))), times: 1_500);

    [Fact]
    public void What_jsonb_makes_of_a_value_has_the_same_canonical_bytes() =>
        Holds.ForAll(JsonModel.Arbitrary, model => Assert.Equal(model.Canonical(), Canonical(JsonSpelling.Jsonb(model))), times: 500);

    [Fact]
    public void What_the_platforms_own_serializer_makes_of_a_value_has_the_same_canonical_bytes() =>
        Holds.ForAll(JsonModel.Arbitrary, Holds.Seed, (model, seed) =>
        {
            using var document = JsonDocument.Parse(JsonSpelling.Random(model, seed));
            foreach (var indented in new[] { true, false })
            {
                var spelled = JsonSerializer.SerializeToUtf8Bytes(document.RootElement, new JsonSerializerOptions { WriteIndented = indented });
                Assert.Equal(model.Canonical(), Canonical(spelled));
            }
        });

    [Fact]
    public void The_canonical_form_is_its_own_canonical_form() =>
        Holds.ForAll(JsonModel.Arbitrary, Holds.Seed, (model, seed) =>
        {
            var once = CanonicalJson.From(JsonSpelling.Random(model, seed));
            Assert.Equal(once, CanonicalJson.From(once));
        });

    [Fact]
    public void The_canonical_form_says_the_same_as_what_was_written() =>
        Holds.ForAll(JsonModel.Arbitrary, Holds.Seed, (model, seed) =>
        {
            var spelled = JsonSpelling.Random(model, seed);
            using var before = JsonDocument.Parse(spelled);
            using var after = JsonDocument.Parse(CanonicalJson.From(spelled));
            Assert.True(JsonElement.DeepEquals(before.RootElement, after.RootElement), $"{before.RootElement} became {after.RootElement}");
        });

    [Fact]
    public void A_change_of_any_one_scalar_changes_the_canonical_bytes() =>
        Holds.ForAll(JsonModel.Arbitrary, Holds.Seed, (model, seed) =>
        {
            var changes = AllChanges(model).ToArray();
            new Random(seed).Shuffle(changes);
            var spelled = changes.Take(20).Prepend(model).Select(m => JsonSpelling.Random(m, seed)).ToList();
            Assert.Equal(spelled.Count, spelled.Select(s => Convert.ToHexString(CanonicalJson.From(s))).Distinct(StringComparer.Ordinal).Count());
        });

    /// <summary>The value with each of its scalars, keys and numbers of items changed, one at a time.</summary>
    private static IEnumerable<JsonModel> AllChanges(JsonModel model) => model switch
    {
        JsonModel.Literal literal => new[] { "true", "false", "null" }.Where(w => w != literal.Word).Select(w => new JsonModel.Literal(w)),
        JsonModel.Number n => NumberChanges(n),
        JsonModel.Text text => [new JsonModel.Text(text.Value + "x"), new JsonModel.Literal("null")],
        JsonModel.List list => list.Items
            .SelectMany((item, i) => AllChanges(item).Select(c => new JsonModel.List([.. list.Items.Select((old, j) => i == j ? c : old)])))
            .Append(new JsonModel.List([.. list.Items, new JsonModel.Literal("null")])),
        JsonModel.Map map => map.Members
            .SelectMany((member, i) => AllChanges(member.Value).Select(c => With(map, i, KeyValuePair.Create(member.Key, c))))
            .Concat(map.Members.Select((member, i) => With(map, i, KeyValuePair.Create(member.Key + "\u0001changed", member.Value)))),
        _ => throw new ArgumentOutOfRangeException(nameof(model)),
    };

    private static IEnumerable<JsonModel> NumberChanges(JsonModel.Number n)
    {
        yield return n with { Digits = n.Digits + 1 };
        // 1.5 and 1.50 are two decimals: the scale is part of what was decided.
        yield return n with { Digits = n.Digits * 10, Scale = n.Scale + 1 };
        if (!n.Digits.IsZero)
            yield return n with { Negative = !n.Negative };
    }

    private static JsonModel.Map With(JsonModel.Map map, int at, KeyValuePair<string, JsonModel> member) =>
        new([.. map.Members.Select((old, i) => i == at ? member : old)]);

    private static string Canonical(byte[] json) => Encoding.UTF8.GetString(CanonicalJson.From(json));
}
