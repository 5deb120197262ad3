using System.Text;
using System.Text.Json;
using Antbot.ConsoleService.DeadLetters;
using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Core.Tests.Coordinator;
using Xunit;

namespace Antbot.Core.Tests.DeadLetters;

/// <summary>What becomes of the bytes of a letter whose message is changed, and what may not become of it.</summary>
public sealed class LetterEditTests
{
    private const string Trade = "0123456789abcdef0123456789abcdef";
    private const string Envelope = """{"messageId":"5e2f0000-0000-0000-0000-000000000001","messageType":["urn:message:X:CloseTrade"],"message":{"a":1.50,"b":"é"},"host":{"c":[1]}}""";

    private static readonly TradeId Own = TradeId.From(Trade);

    [Fact]
    public void All_but_the_message_stays_and_every_fault_of_it_is_asked_for_of_the_whole()
    {
        var edit = Edit(Envelope, """[{"op":"add","path":"/d","value":true}]""", out var whole, out var asked);
        Assert.Equal("""{"messageId":"5e2f0000-0000-0000-0000-000000000001","messageType":["urn:message:X:CloseTrade"],"message":{"a":1.50,"b":"é","d":true},"host":{"c":[1]}}""", System.Text.RegularExpressions.Regex.Unescape(Encoding.UTF8.GetString(whole)));
        Assert.Equal("""urn:message:X:CloseTrade {"a":1.50,"b":"é"} {"a":1.50,"b":"é","d":true}""", System.Text.RegularExpressions.Regex.Unescape(asked));
        Assert.Equal((Letter.HashOf(Encoding.UTF8.GetBytes(Envelope)), Letter.HashOf(whole)), (edit.Before, edit.After));
        Assert.Equal(whole, edit.Body);
        Assert.Empty(edit.Faults);
        // The same bytes each time: their hash is what is sent.
        _ = Edit(Envelope, """[{"op":"add","path":"/d","value":true}]""", out var again, out _);
        Assert.Equal(whole, again);
    }

    [Theory]
    [InlineData("no json", "It is no JSON")]
    [InlineData("{}", "It is no envelope")]
    [InlineData("""{"messageType":[],"message":{}}""", "It is no envelope")]
    [InlineData("""{"messageType":["x"],"message":{"a":1},"message":{"a":2}}""", "It is no JSON")]
    [InlineData("""{"messageType":["x"],"message":{"d":true}}""", "It changes nothing.")]
    [InlineData("""{"messageType":["x"],"message":[]}""", "there is no place 'd'")]
    public void What_cannot_be_changed_is_not_and_says_why(string body, string why)
    {
        var edit = Edit(body, """[{"op":"add","path":"/d","value":true}]""", out var whole, out _);
        Assert.Contains(why, Assert.Single(edit.Faults), StringComparison.Ordinal);
        Assert.Equal((0, edit.Before), (whole.Length, edit.After));
        Assert.Null(edit.Body);
    }

    [Fact]
    public void A_large_one_lies_beside_the_event_and_one_that_is_too_large_is_left()
    {
        var edit = Edit($$"""{"messageType":["x"],"message":{"a":"{{new string('x', Letter.BodyInEventMax)}}"} }""", """[{"op":"add","path":"/d","value":true}]""", out var whole, out _);
        Assert.Equal((null, whole.Length), (edit.Body, (int)edit.After.Bytes));
        Assert.Contains("bytes", Assert.Single(Edit($$"""{"messageType":["x"],"message":{"a":"{{new string('x', LetterEdit.BytesMax)}}"} }""", """[{"op":"add","path":"/d","value":true}]""", out _, out _).Faults), StringComparison.Ordinal);
    }

    [Fact]
    public void It_stays_about_the_trade_and_the_account_that_it_was_about()
    {
        var close = new CloseTrade(Own, new AccountId("main"), "now");
        Assert.Empty(EditBounds.FaultsOf(Parse($$"""{"trade":"{{Trade}}","account":"main"}"""), close, null));
        Assert.Contains("does not become one about", Assert.Single(EditBounds.FaultsOf(Parse("""{"trade":"ffffffffffffffffffffffffffffffff","account":"main"}"""), close, Own)), StringComparison.Ordinal);
        Assert.Contains("'other'", Assert.Single(EditBounds.FaultsOf(Parse($$"""{"TRADE":"{{Trade}}","Account":"other"}"""), close, null)), StringComparison.Ordinal);
        // Where the message does not say it, the letter does; where nobody does, it is nobody's to say.
        Assert.Empty(EditBounds.FaultsOf(Parse("""{"trade":7,"account":"main"}"""), close, Own));
        Assert.NotEmpty(EditBounds.FaultsOf(Parse("""{"account":"main"}"""), close, TradeId.From("ffffffffffffffffffffffffffffffff")));
        Assert.Contains("cannot be said", Assert.Single(EditBounds.FaultsOf(Parse("""{"account":"main"}"""), close, null)), StringComparison.Ordinal);
    }

    [Fact]
    public void An_operators_own_word_is_not_put_otherwise() =>
        Assert.Contains("operator's own word", Assert.Single(EditBounds.FaultsOf(Parse($$"""{"trade":"{{Trade}}"}"""), new SettleOrder(Own, ClientOrderId.Of(Own, OrderRole.Entry, 0), Guid.Empty, true, "anna", "so"), Own)), StringComparison.Ordinal);

    [Fact]
    public void A_wish_is_not_valid_for_longer_and_what_was_granted_is_not_made_more()
    {
        var signal = Some.Signal with { Trade = Own };
        string Was(DateTimeOffset until, decimal reserved, string symbol, int side, string inSymbol = "null") => $$"""
            {"signal":{"trade":"{{Trade}}","account":"{{signal.Account}}","symbol":"{{symbol}}","side":{{side}},"validUntil":"{{until:O}}"},"reserved":{{reserved}},"inSymbol":{{inSymbol}} }
            """;
        string[] Faults(string was, ITradeMessage message) => [.. EditBounds.FaultsOf(Parse(was), message, null)];
        var (until, symbol, side) = (signal.ValidUntil, signal.Symbol.Value, (int)signal.Side);
        var execute = new ExecuteTrade(signal, new Money(100));
        Assert.Empty(Faults(Was(until, 100, symbol, side), execute));
        Assert.Empty(Faults(Was(until.AddSeconds(1), 101, symbol, side), execute));
        Assert.Contains("is not for longer", Assert.Single(Faults(Was(until.AddSeconds(-1), 100, symbol, side), execute)), StringComparison.Ordinal);
        Assert.Contains("is not for longer", Assert.Single(Faults(Was(until.AddSeconds(-1), 100, symbol, side), new ValidateSignal(signal))), StringComparison.Ordinal);
        Assert.Contains("has granted 99", Assert.Single(Faults(Was(until, 99, symbol, side), execute)), StringComparison.Ordinal);
        Assert.Contains("in OTHER", Assert.Single(Faults(Was(until, 100, "OTHER", side), execute)), StringComparison.Ordinal);
        Assert.Contains("another side", Assert.Single(Faults(Was(until, 100, symbol, 3 - side), execute)), StringComparison.Ordinal);
        Assert.Contains("how manieth", Assert.Single(Faults(Was(until, 100, symbol, side, "3"), execute)), StringComparison.Ordinal);
        Assert.Contains("has granted 99", Assert.Single(Faults($$"""{"trade":"{{Trade}}","reserved":99}""", new RiskApproved(Own, new Money(100), []))), StringComparison.Ordinal);
        Assert.Contains("cannot be read", Assert.Single(Faults($$"""{"trade":"{{Trade}}","reserved":"99"}""", new RiskApproved(Own, new Money(1), []))), StringComparison.Ordinal);
        // Risk is still to be asked about these.
        Assert.Empty(Faults(Was(until, 1, "OTHER", 3 - side), new AssessRisk(signal, 0.7m)));
    }

    private static LetterEdit Edit(string body, string patch, out byte[] whole, out string asked)
    {
        var told = "";
        var edit = LetterEdit.Of(Encoding.UTF8.GetBytes(body), Parse(patch), (urn, before, after) =>
        {
            told = $"{urn} {before.GetRawText()} {after.GetRawText()}";
            return [];
        }, out whole);
        asked = told;
        return edit;
    }

    private static JsonElement Parse(string json) => JsonElement.Parse(json);
}
