using System.Text;
using System.Text.Json.Nodes;
using Antbot.EventStore.Contract;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Core.Tests.Store;

public sealed class EventCodecTests
{
    private static readonly OrderPlaced Order = new(
        Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"), "BTCUSDT", 64_000.50m, null, Side.Sell, Side.Buy, Some.Time,
        new Venue("binance", 0.0000001m, ["spot", "zażółć"]), [1.0m, 1.00m, 79228162514264337593543950335m]);

    private const string OrderBody =
        """{"OrderId":"0f8fad5b-d9cb-469f-a165-70867728950e","Symbol":"BTCUSDT","Price":64000.50,"Limit":null,"Side":1,"Hedge":0,"At":"2026-11-21T09:30:15.123456+00:00","Venue":{"Name":"binance","Fee":0.0000001,"Tags":["spot","za\u017C\u00F3\u0142\u0107"]},"Levels":[1.0,1.00,79228162514264337593543950335]}""";

    private readonly EventCodec _codec = new(Sample.Registry());

    [Fact]
    public void An_event_is_stored_in_PascalCase_with_numbers_for_decimals_and_enums()
    {
        var encoded = _codec.Encode(Order);
        Assert.Equal("sample_order_placed", encoded.Type);
        Assert.Equal("Antbot.Core.Tests.Store.OrderPlaced, Antbot.Core.Tests", encoded.ClrType);
        Assert.Equal(OrderBody, Encoding.UTF8.GetString(encoded.Data.Span));
    }

    [Fact]
    public void An_event_reads_back_as_it_was_to_the_last_digit_of_its_scale()
    {
        var decoded = Assert.IsType<OrderPlaced>(_codec.Decode(Sample.Stored("sample_order_placed", OrderBody)));
        Assert.Equal(Order with { Venue = decoded.Venue, Levels = decoded.Levels }, decoded);
        Assert.Equal(Order.Venue with { Tags = decoded.Venue.Tags }, decoded.Venue);
        Assert.Equal(Order.Venue.Tags, decoded.Venue.Tags);
        Assert.Equal(["1.0", "1.00", "79228162514264337593543950335"], decoded.Levels.Select(l => l.ToString()));
        Assert.Equal(OrderBody, Encoding.UTF8.GetString(_codec.Encode(decoded).Data.Span));
    }

    [Theory]
    [InlineData("sample_amount_added", """{"Amount":1}""")]
    [InlineData("sample_amount_added", """{"Note":"n"}""")]
    [InlineData("sample_amount_added", """{"amount":1,"note":"n"}""")]
    [InlineData("sample_amount_added", "{}")]
    [InlineData("sample_limit_set", """{"limit":1,"reason":"r"}""")]
    [InlineData("sample_limit_set", """{"Limit":1}""")]
    [InlineData("sample_limit_set", """{"Reason":null}""")]
    [InlineData("sample_note_kept", """{"Stars":1}""")]
    public void A_missing_or_misspelled_member_is_an_error_and_never_a_silent_default(string type, string body) => AssertUndecodable(type, body);

    [Theory]
    [InlineData("""{"Amount":1,"Note":"n","Amount":2}""")]
    [InlineData("""{"Amount":null,"Note":"n"}""")]
    [InlineData("""{"Amount":"1","Note":"n"}""")]
    [InlineData("""{"Amount":1,"Note":5}""")]
    [InlineData("""{"Amount":1e999,"Note":"n"}""")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("")]
    public void A_body_that_does_not_fit_its_class_is_an_error_that_says_where(string body)
    {
        var e = AssertUndecodable("sample_amount_added", body);
        Assert.Contains("0f8fad5b-d9cb-469f-a165-70867728950e", e.Message, StringComparison.Ordinal);
        Assert.Contains("sequence 7, order-1 version 3", e.Message, StringComparison.Ordinal);
        Assert.NotNull(e.InnerException);
    }

    [Theory]
    [InlineData("\"Side\":1", "\"Side\":\"Sell\"")]
    [InlineData("\"Symbol\":\"BTCUSDT\"", "\"Symbol\":null")]
    [InlineData("\"Name\":\"binance\"", "\"Name\":null")]
    [InlineData("\"Name\":\"binance\",", "")]
    [InlineData("\"At\":\"2026", "\"At\":\"yesterday 2026")]
    public void What_an_order_cannot_be_is_found_at_any_depth(string what, string instead)
    {
        Assert.Contains(what, OrderBody, StringComparison.Ordinal);
        AssertUndecodable("sample_order_placed", OrderBody.Replace(what, instead, StringComparison.Ordinal));
    }

    [Fact]
    public void A_member_that_this_build_does_not_know_yet_is_passed_over() =>
        Assert.Equal(new AmountAdded(1.50m, null), _codec.Decode(Sample.Stored("sample_amount_added", """{"Amount":1.50,"Note":null,"Colour":{"Deep":[1]}}""")));

    [Fact]
    public void A_constructor_parameter_with_a_default_is_optional_on_purpose() =>
        Assert.Equal(new NoteKept("x"), _codec.Decode(Sample.Stored("sample_note_kept", """{"Text":"x"}""")));

    [Fact]
    public void Members_that_are_no_constructor_parameters_read_back_too()
    {
        var set = new LimitSet { Limit = 2.50m, Reason = null };
        var encoded = _codec.Encode(set);
        Assert.Equal("""{"Limit":2.50,"Reason":null,"Doubled":5.00}""", Encoding.UTF8.GetString(encoded.Data.Span));
        Assert.Equal(set, _codec.Decode(Sample.Stored(encoded.Type, Encoding.UTF8.GetString(encoded.Data.Span))));
    }

    [Fact]
    public void A_name_that_this_build_does_not_know_is_said_to_be_unknown()
    {
        var e = Assert.Throws<EventStoreException>(() => _codec.Decode(Sample.Stored("from_the_future", "{}")));
        Assert.Equal(StoreFault.UnknownType, e.Fault);
        Assert.Contains("'from_the_future'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_event_that_is_not_registered_is_not_encoded() =>
        Assert.Equal(StoreFault.UnknownType, Assert.Throws<EventStoreException>(() => _codec.Encode(new BeforeRenaming.PositionOpened(1))).Fault);

    [Fact]
    public void Renaming_a_class_changes_neither_what_is_stored_nor_what_is_read()
    {
        var (before, after) = (new EventCodec(new EventRegistry().Add(typeof(BeforeRenaming.PositionOpened))), new EventCodec(new EventRegistry().Add(typeof(AfterRenaming.ExposureTaken))));
        var (old, renamed) = (before.Encode(new BeforeRenaming.PositionOpened(1.5m)), after.Encode(new AfterRenaming.ExposureTaken(1.5m)));
        Assert.Equal(old.Type, renamed.Type);
        Assert.Equal(old.Data.ToArray(), renamed.Data.ToArray());
        Assert.Equal("Antbot.Core.Tests.Store.BeforeRenaming+PositionOpened, Antbot.Core.Tests", old.ClrType);
        Assert.Equal(new AfterRenaming.ExposureTaken(1.5m), after.Decode(Sample.Stored(old.Type, """{"Quantity":1.5}""") with { ClrType = old.ClrType }));
    }

    [Fact]
    public void Older_bodies_become_newer_ones_step_by_step_and_oldest_first()
    {
        var codec = new EventCodec(Sample.Registry()
            .Upcast("sample_amount_v2", "sample_amount_added", body =>
            {
                body["Note"] = $"{body["Currency"]}";
                return body;
            })
            .Upcast("sample_amount_v1", "sample_amount_v2", body => new JsonObject { ["Amount"] = body["Cents"]!.GetValue<decimal>() / 100, ["Currency"] = "USD" }));

        Assert.Equal(new AmountAdded(12.34m, "USD"), codec.Decode(Sample.Stored("sample_amount_v1", """{"Cents":1234}""")));
        Assert.Equal(new AmountAdded(5m, "EUR"), codec.Decode(Sample.Stored("sample_amount_v2", """{"Amount":5,"Currency":"EUR"}""")));
        Assert.Equal(new AmountAdded(5m, "as it is"), codec.Decode(Sample.Stored("sample_amount_added", """{"Amount":5,"Note":"as it is"}""")));
    }

    /// <summary>An upcaster reaches for members that a bad body does not have; its own exception would pass every handler of store faults.</summary>
    [Theory]
    [InlineData("{}")]
    [InlineData("""{"Cents":"many"}""")]
    [InlineData("""{"Cents":1,"Cents":2}""")]
    [InlineData("[1]")]
    [InlineData("null")]
    [InlineData("")]
    public void A_body_on_which_its_upcaster_fails_is_undecodable(string body)
    {
        var codec = new EventCodec(Sample.Registry().Upcast("sample_amount_v1", "sample_amount_added", old => new JsonObject { ["Amount"] = old["Cents"]!.GetValue<decimal>(), ["Note"] = null }));
        Assert.Equal(new AmountAdded(1, null), codec.Decode(Sample.Stored("sample_amount_v1", """{"Cents":1}""")));
        Assert.Equal(StoreFault.Undecodable, Assert.Throws<EventStoreException>(() => codec.Decode(Sample.Stored("sample_amount_v1", body))).Fault);
    }

    [Fact]
    public void An_upcast_body_that_still_does_not_fit_is_undecodable()
    {
        foreach (var change in new Func<JsonObject, JsonObject>[] { body => body, _ => null!, _ => new JsonObject { ["amount"] = 1 } })
        {
            var codec = new EventCodec(Sample.Registry().Upcast("sample_amount_v1", "sample_amount_added", change));
            Assert.Equal(StoreFault.Undecodable, Assert.Throws<EventStoreException>(() => codec.Decode(Sample.Stored("sample_amount_v1", """{"Cents":1}"""))).Fault);
        }
    }

    [Fact]
    public void Upcasters_that_lead_nowhere_or_in_a_circle_end_as_an_unknown_name()
    {
        var codec = new EventCodec(Sample.Registry()
            .Upcast("round_a", "round_b", body => body)
            .Upcast("round_b", "round_a", body => body)
            .Upcast("self", "self", body => body)
            .Upcast("to_nowhere", "nowhere", body => body));
        foreach (var name in new[] { "round_a", "round_b", "self", "to_nowhere" })
            Assert.Equal(StoreFault.UnknownType, Assert.Throws<EventStoreException>(() => codec.Decode(Sample.Stored(name, "{}"))).Fault);
    }

    private EventStoreException AssertUndecodable(string type, string body)
    {
        var e = Assert.Throws<EventStoreException>(() => _codec.Decode(Sample.Stored(type, body)));
        Assert.Equal(StoreFault.Undecodable, e.Fault);
        return e;
    }
}
