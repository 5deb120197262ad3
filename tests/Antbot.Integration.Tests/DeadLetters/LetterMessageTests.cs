using System.Text;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Messaging;
using Xunit;

namespace Antbot.Integration.Tests.DeadLetters;

/// <summary>A message within a letter is read as whoever it goes to reads it, and all that is wrong with it is told at once.</summary>
public sealed class LetterMessageTests
{
    private const string Signal = """
        {"trade":"0123456789abcdef0123456789abcdef","account":"main","source":"strategy:test","symbol":"BTCUSDT","side":1,"kind":1,"reference":100,"limit":null,"stop":95,"takeProfit":110,
         "notional":250,"confidence":0.7,"raisedAt":"2026-01-02T03:04:05Z","validUntil":"2026-01-02T03:04:35Z"}
        """;

    [Fact]
    public void What_a_service_writes_has_no_fault_and_is_read_as_it_was()
    {
        var trade = TradeId.From("0123456789abcdef0123456789abcdef");
        var signal = Read<AssessRisk>($$"""{"signal":{{Signal}},"confidence":0.7}""").Signal;
        ITradeMessage[] messages =
        [
            new SignalRaised(signal), new ValidateSignal(signal), new AssessRisk(signal, 0.7m), new ExecuteTrade(signal, new Money(1), 2), new SignalRejected(trade, [new Verdict("a", true, "b")]), new RiskApproved(trade, new Money(5), []),
            new CloseTrade(trade, signal.Account, "now"), new SettleOrder(trade, ClientOrderId.Of(trade, OrderRole.Entry, 0), Guid.NewGuid(), false, "anna", "so"),
            new TradeClosed(trade, signal.Account, signal.Symbol, new Quantity(1), new Price(1), new Price(2), new Money(-1), Money.Zero, "x", [ClientOrderId.Of(trade, OrderRole.Exit, 0)]),
            new AdoptPosition(signal, new FoundOrder(ClientOrderId.Of(trade, OrderRole.Entry, 0), "7", DateTimeOffset.UnixEpoch), new Quantity(1), "x"),
        ];
        foreach (var message in messages)
        {
            var written = JsonSerializer.Serialize(message, message.GetType(), MessageJson.Options);
            Assert.Empty(LetterMessage.FaultsOf(message.GetType(), JsonElement.Parse(written)));
            var body = $$"""{"messageType":["{{MassTransit.MessageUrn.ForTypeString(message.GetType())}}"],"message":{{written}} }""";
            Assert.Equal(written, JsonSerializer.Serialize(LetterMessage.Read(Encoding.UTF8.GetBytes(body), out var fault), message.GetType(), MessageJson.Options));
            Assert.Null(fault);
        }
    }

    [Fact]
    public void Every_fault_is_told_with_its_place()
    {
        var faults = LetterMessage.FaultsOf(typeof(AssessRisk), JsonElement.Parse("""
            {"signal":{"trade":"x","account":"main","source":"strategy:test","symbol":"BTCUSDT","side":9,"kind":1,"reference":-1,"limit":null,"stop":95,"takeProfit":110,
             "notional":"250","raisedAt":null,"validUntil":"soon","colour":"red"},"confidence":"high"}
            """));
        foreach (var place in new[] { "/signal/trade: ", "/signal/side: ", "/signal/reference: ", "/signal/notional: ", "/signal/raisedAt: it must not be null", "/signal/validUntil: ", "/signal/colour: nobody reads", "/confidence: ", "/signal/confidence: it is missing" })
            Assert.Single(faults, f => f.StartsWith(place, StringComparison.Ordinal));
        Assert.Equal(9, faults.Count);
        Assert.Contains("/verdicts/1/passed: ", Assert.Single(LetterMessage.FaultsOf(typeof(SignalRejected), JsonElement.Parse(
            """{"trade":"0123456789abcdef0123456789abcdef","verdicts":[{"rule":"a","passed":true,"saw":""},{"rule":"a","passed":"no","saw":""}]}"""))), StringComparison.Ordinal);
        Assert.NotEmpty(LetterMessage.FaultsOf(typeof(SignalRejected), JsonElement.Parse("[]")));
        Assert.NotEmpty(LetterMessage.FaultsOf(typeof(SignalRejected), JsonElement.Parse("null")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("no json")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"messageType":[],"message":{}}""")]
    [InlineData("""{"messageType":[7],"message":{}}""")]
    [InlineData("""{"messageType":["urn:message:Antbot.Contracts.Messages:CloseTrade"]}""")]
    [InlineData("""{"messageType":["urn:message:Antbot.Contracts.Messages:CloseTrade"],"message":null}""")]
    [InlineData("""{"messageType":["urn:message:Antbot.Contracts.Messages:CloseTrade"],"message":{"trade":"x"}}""")]
    [InlineData("""{"messageType":["urn:message:Antbot.Contracts.Messages:Verdict"],"message":{}}""")]
    public void What_cannot_be_read_is_told_and_nothing_is_thrown(string body)
    {
        Assert.Null(LetterMessage.Read(Encoding.UTF8.GetBytes(body), out var fault));
        Assert.NotEmpty(fault!);
    }

    private static T Read<T>(string message) => (T)LetterMessage.Read(typeof(T), JsonElement.Parse(message));
}
