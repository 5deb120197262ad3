using System.Reflection;
using System.Reflection.Emit;
using System.Text.Json.Serialization;
using Antbot.Contracts.Events;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Core.Tests.Store;

public sealed class EventRegistryTests
{
    [Fact]
    public void A_class_is_known_by_the_name_that_is_pinned_to_it()
    {
        var registry = Sample.Registry();
        Assert.Equal("sample_order_placed", registry.NameOf(typeof(OrderPlaced)));
        Assert.Equal(typeof(OrderPlaced), registry.Types["sample_order_placed"]);
        Assert.Equal(4, registry.Types.Count);
        Assert.Equal(4, registry.Add(typeof(OrderPlaced)).Types.Count);
    }

    [Fact]
    public void A_class_that_was_not_registered_has_no_name()
    {
        var e = Assert.Throws<EventStoreException>(() => new EventRegistry().NameOf(typeof(OrderPlaced)));
        Assert.Equal(StoreFault.UnknownType, e.Fault);
        Assert.Contains(nameof(OrderPlaced), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_class_with_a_stored_name_in_an_assembly_is_found_and_no_other()
    {
        var module = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("Planted"), AssemblyBuilderAccess.Run).DefineDynamicModule("Planted");
        var named = module.DefineType("Planted.TradeOpened", TypeAttributes.Public);
        named.SetCustomAttribute(new CustomAttributeBuilder(typeof(StoredNameAttribute).GetConstructors()[0], ["trade_opened"]));
        var type = named.CreateType();
        module.DefineType("Planted.NotAnEvent", TypeAttributes.Public).CreateType();

        var found = Assert.Single(EventRegistry.From(type.Assembly).Types);
        Assert.Equal(KeyValuePair.Create("trade_opened", type), found);
    }

    [Fact]
    public void One_name_is_never_given_to_two_classes()
    {
        var registry = new EventRegistry().Add(typeof(BeforeRenaming.PositionOpened));
        var e = Assert.Throws<ArgumentException>(() => registry.Add(typeof(AfterRenaming.ExposureTaken)));
        Assert.Contains("sample_position_opened", e.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(AfterRenaming.ExposureTaken), e.Message, StringComparison.Ordinal);
        Assert.Equal(typeof(BeforeRenaming.PositionOpened), registry.Types["sample_position_opened"]);
    }

    [Fact]
    public void A_class_without_a_pinned_name_is_refused() =>
        Assert.Contains("[StoredName]", Assert.Throws<ArgumentException>(() => new EventRegistry().Add(typeof(Venue))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("OrderPlaced")]
    [InlineData("order-placed")]
    [InlineData("order placed")]
    [InlineData("_order")]
    [InlineData("order_")]
    [InlineData("order__placed")]
    [InlineData("1order")]
    [InlineData("żółw")]
    [InlineData("order_placed\n")]
    [InlineData("\norder_placed")]
    public void A_name_that_is_not_snake_case_is_refused(string name)
    {
        Assert.Throws<ArgumentException>(() => new EventRegistry().Upcast(name, "order_placed", body => body));
        Assert.Throws<ArgumentException>(() => new EventRegistry().Upcast("order_placed", name, body => body));
        Assert.Throws<ArgumentException>(() => new EventRegistry().Add(Named(name)));
    }

    [Fact]
    public void A_name_has_at_most_200_characters()
    {
        Assert.Single(new EventRegistry().Add(Named(new string('a', StoreLimits.TypeLengthMax))).Types);
        Assert.Throws<ArgumentException>(() => new EventRegistry().Add(Named(new string('a', StoreLimits.TypeLengthMax + 1))));
    }

    [Theory]
    [InlineData(typeof(Floats.Plain), "Plain.Price")]
    [InlineData(typeof(Floats.Single), "Single.Price")]
    [InlineData(typeof(Floats.HalfOne), "HalfOne.Price")]
    [InlineData(typeof(Floats.Maybe), "Maybe.Price")]
    [InlineData(typeof(Floats.Array), "Array.Prices")]
    [InlineData(typeof(Floats.ListOfLists), "ListOfLists.Prices")]
    [InlineData(typeof(Floats.Dictionary), "Dictionary.Prices")]
    [InlineData(typeof(Floats.Nested), "Nested.Inner.Price")]
    [InlineData(typeof(Floats.NestedInList), "NestedInList.Inners.Price")]
    [InlineData(typeof(Floats.Recursive), "Recursive.Price")]
    [InlineData(typeof(Floats.Inherited), "Inherited.Price")]
    [InlineData(typeof(Floats.InTuple), "InTuple.Pair")]
    [InlineData(typeof(Floats.InMemory), "InMemory.Prices")]
    [InlineData(typeof(Floats.InDerivedList), "InDerivedList.Prices")]
    [InlineData(typeof(Floats.InDerivedClass), "InDerivedClass.Shape.Radius")]
    public void A_binary_floating_point_number_is_found_wherever_it_hides(Type type, string path)
    {
        var e = Assert.Throws<ArgumentException>(() => new EventRegistry().Add(type));
        Assert.StartsWith($"{path} is a binary floating-point number", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whole_numbers_decimals_times_and_collections_of_them_are_no_floats() =>
        Assert.Single(new EventRegistry().Add(typeof(Floats.None)).Types);

    [Fact]
    public void A_name_is_either_a_class_or_upcast_and_upcast_once()
    {
        var registry = Sample.Registry().Upcast("sample_old", "sample_order_placed", body => body);
        Assert.Equal(["sample_old"], registry.UpcastNames);
        Assert.Contains("already", Assert.Throws<ArgumentException>(() => registry.Upcast("sample_old", "sample_note_kept", body => body)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => registry.Upcast("sample_order_placed", "sample_note_kept", body => body));
        Assert.Throws<ArgumentException>(() => new EventRegistry().Upcast("sample_order_placed", "x", body => body).Add(typeof(OrderPlaced)));
    }

    private static Type Named(string name)
    {
        var module = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("Planted"), AssemblyBuilderAccess.Run).DefineDynamicModule("Planted");
        var type = module.DefineType("Planted.Event", TypeAttributes.Public);
        type.SetCustomAttribute(new CustomAttributeBuilder(typeof(StoredNameAttribute).GetConstructors()[0], [name]));
        return type.CreateType();
    }

    private static class Floats
    {
        [StoredName("plain")]
        internal sealed record Plain(int Count, double Price);

        [StoredName("single")]
        internal sealed record Single(float Price);

        [StoredName("half")]
        internal sealed record HalfOne(Half Price);

        [StoredName("maybe")]
        internal sealed record Maybe(double? Price);

        [StoredName("array")]
        internal sealed record Array(double[] Prices);

        [StoredName("lists")]
        internal sealed record ListOfLists(IReadOnlyList<List<float>> Prices);

        [StoredName("dictionary")]
        internal sealed record Dictionary(IReadOnlyDictionary<string, double?> Prices);

        internal sealed record Inner(string Name, double Price);

        [StoredName("nested")]
        internal sealed record Nested(Inner? Inner);

        [StoredName("nested_in_list")]
        internal sealed record NestedInList(Inner[] Inners);

        [StoredName("recursive")]
        internal sealed record Recursive(Recursive? Next, List<Recursive> Others, double Price);

        internal abstract record Priced(double Price);

        [StoredName("inherited")]
        internal sealed record Inherited(double Price) : Priced(Price);

        [StoredName("in_tuple")]
        internal sealed record InTuple(Tuple<string, double> Pair);

        [StoredName("in_memory")]
        internal sealed record InMemory(ReadOnlyMemory<double> Prices);

        internal sealed class Prices : List<double>;

        [StoredName("in_derived_list")]
        internal sealed record InDerivedList(Prices Prices);

        [JsonDerivedType(typeof(Circle), "circle")]
        internal abstract record Shape;

        internal sealed record Circle(double Radius) : Shape;

        [StoredName("in_derived_class")]
        internal sealed record InDerivedClass(Shape Shape);

        [StoredName("none")]
        internal sealed record None(
            decimal A, long B, int? C, DateTimeOffset D, TimeSpan E, Guid F, Side G, string H, decimal[] I, Dictionary<string, List<decimal?>> J, Tuple<int, string> K, None? L);
    }
}
