using System.Text;
using System.Text.Json;
using Antbot.ConsoleService.DeadLetters;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Runtime.Store;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Antbot.Core.Tests.DeadLetters;

/// <summary>What is told of a message whose every byte is somebody else's.</summary>
public sealed class LetterTests
{
    private const string Trade = "0123456789abcdef0123456789abcdef";
    private const string Other = "fedcba9876543210fedcba9876543210";
    private const string Errors = "antbot-risk_error";

    private static readonly EventCodec Codec = new(EventRegistry.From(typeof(DeadLetterKept).Assembly));

    [Fact]
    public void A_message_with_its_envelope_and_its_fault_is_told_whole()
    {
        var body = """{"messageId":"5f3fd1b0-0000-0000-0000-000000000001","messageType":["urn:message:Antbot.Contracts.Messages:AssessRisk"],"message":{"trade":"TRADE"}}""".Replace("TRADE", Trade, StringComparison.Ordinal);
        var kept = Read(body, Properties(
            Text(DeadLetterHeaders.FaultType, "System.InvalidOperationException"), Text(DeadLetterHeaders.FaultMessage, @"a \\ and a \0"), Text(DeadLetterHeaders.FaultStack, "   at Antbot.X.Y()"),
            Text(DeadLetterHeaders.FaultTime, "2026-05-06T07:08:09.1234567Z"), Text(DeadLetterHeaders.Build, "0.1.0"), new MessageHeader(0, DeadLetterHeaders.Attempts, HeaderKind.Int32, "5")));
        Assert.Equal(("AssessRisk", new Guid("5f3fd1b0-0000-0000-0000-000000000001"), "risk", DeadLetterKind.Fault), (kept.MessageType, kept.Message, kept.Endpoint, kept.Kind));
        Assert.Equal([Trade], kept.Trades.Select(t => t.Value));
        Assert.Equal(("System.InvalidOperationException", "a \\ and a \uFFFD", 5, "0.1.0"), (kept.FaultType, kept.FaultMessage, kept.Attempts, kept.Build));
        Assert.Equal(new DateTimeOffset(2026, 5, 6, 7, 8, 9, TimeSpan.Zero).AddTicks(1_234_560), kept.FailedAt);
        Assert.Equal(body, Encoding.UTF8.GetString(kept.Body!));
        Assert.Equal(BlobHash.Of(kept.Body), kept.Content.Sha256);
    }

    [Fact]
    public void A_parcel_that_the_broker_gave_up_names_every_trade_in_it()
    {
        var body = """{"messageType":["urn:message:Antbot.Messaging:Parcel"],"message":{"messages":[{"body":{"trade":"TRADE"}},{"correlationId":"OTHER","body":{}},{"body":{"signal":{"trade":"TRADE"}}}]}}"""
            .Replace("TRADE", Trade, StringComparison.Ordinal).Replace("OTHER", Guid.Parse(Other).ToString(), StringComparison.Ordinal);
        var kept = Letter.Read("antbot-dead", "risk", DeadLetterKind.Broker, Properties(
            Line(0, "x-death", HeaderKind.List), Line(1, "", HeaderKind.Table), Line(2, "reason", HeaderKind.Text, "delivery_limit"), Line(2, "queue", HeaderKind.Text, "antbot-risk"), Line(2, "time", HeaderKind.Timestamp, "1700000000"),
            Line(1, "", HeaderKind.Table), Line(2, "reason", HeaderKind.Text, "rejected")), Encoding.UTF8.GetBytes(body));
        Assert.Equal([Trade, Other], kept.Trades.Select(t => t.Value));
        Assert.Equal("The broker gave it up: delivery_limit in the queue antbot-risk.", kept.FaultMessage);
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000), kept.FailedAt);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[1, 2, 3]")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"messageType":[5],"message":7,"messageId":[]}""")]
    [InlineData("""{"messageType":[],"message":{"messages":{}}}""")]
    [InlineData("""{"messageType":["Parcel"],"message":{"messages":[null,5,{"body":null},[]]}}""")]
    [InlineData("\u0000\uFFFF")]
    public void Whatever_it_is_it_is_kept(string body)
    {
        var kept = Read(body, Properties());
        Assert.Equal(body, Encoding.UTF8.GetString(kept.Body!));
        Assert.Empty(kept.Trades);
    }

    [Fact]
    public void What_the_broker_counts_makes_no_other_letter_and_everything_else_does()
    {
        var first = Read("a", Properties(Text("x", "1"))).Letter;
        Assert.Equal(first, Read("a", Properties(Text("x", "1"), Line(0, "x-delivery-count", HeaderKind.Int64, "7"))).Letter);
        Assert.Equal(Read("a", Properties(Text("x", "1"), Text("y", "2"))).Letter, Read("a", Properties(Text("y", "2"), Text("x", "1"))).Letter);
        // It lay among the dead letters for so long that the broker gave it up there as well.
        Assert.Equal(first, Read("a", Properties(Line(0, "x-death", HeaderKind.List), Line(1, "", HeaderKind.Table), Line(2, "count", HeaderKind.Int64, "1"), Text("x", "1"), Text("x-first-death-queue", Errors))).Letter);

        Guid[] others =
        [
            first, Read("b", Properties(Text("x", "1"))).Letter, Read("a", Properties(Text("x", "2"))).Letter, Read("a", Properties(new MessageHeader(0, "x", HeaderKind.Bytes, "1"))).Letter,
            Read("a", Properties(new MessageHeader(1, "x", HeaderKind.Text, "1"))).Letter, Read("a", Properties(Text("x", "1")) with { MessageId = "m" }).Letter,
            Letter.Read("antbot-execution_error", "execution", DeadLetterKind.Fault, Properties(Text("x", "1")), "a"u8.ToArray()).Letter,
        ];
        Assert.Equal(others.Length, others.Distinct().Count());
    }

    [Fact]
    public void A_wish_to_enter_says_until_when_and_a_header_says_which_letter_it_was()
    {
        var body = Encoding.UTF8.GetBytes("""{"messageType":["urn:message:X:AssessRisk"],"message":{"signal":{"validUntil":"2026-01-02T03:04:05Z"}}}""");
        var properties = Properties() with { MessageId = "5f3fd1b0-0000-0000-0000-000000000001" };
        var wish = Letter.IntentOf(Letter.Read(Errors, "risk", DeadLetterKind.Fault, properties, body), properties, body, "Closed");
        Assert.Equal(new ReplayIntent(MessageIdentity.One, "risk", new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), "Closed"), wish);
        // What is no wish to enter is welcome when its trade is over, too.
        Assert.Null(Letter.IntentOf(Read("""{"message":{}}""", properties), properties, "{}"u8.ToArray(), "Closed").Over);

        var letter = new Guid(7, 0, 0, new byte[8]);
        Assert.Equal((letter, 12), Letter.ReplayIn(Properties(Text(DeadLetterHeaders.Replay, Letter.ReplayOf(letter, 12)))));
        foreach (var other in new[] { "", "x/1", $"{letter:N}", $"{letter:N}/-1", $"{letter:N}/1/2", $"{letter:N}/99999999999" })
            Assert.Null(Letter.ReplayIn(Properties(Text(DeadLetterHeaders.Replay, other))));
    }

    /// <summary>An endpoint goes by the envelope and reads its names in small letters and in large ones; another one goes by what the message bears outside.</summary>
    [Theory]
    [InlineData("{}", MessageIdentity.One)]
    [InlineData("""{"messageId":"5f3fd1b0-0000-0000-0000-000000000001"}""", MessageIdentity.One)]
    [InlineData("""{"messageId":"5F3FD1B0000000000000000000000001"}""", MessageIdentity.One)]
    [InlineData("""{"messageId":"5f3fd1b0-0000-0000-0000-000000000002"}""", MessageIdentity.Two)]
    [InlineData("""{"MessageID":"5f3fd1b0-0000-0000-0000-000000000002","messageId":"5f3fd1b0-0000-0000-0000-000000000001"}""", MessageIdentity.Two)]
    [InlineData("""{"messageType":["urn:message:Antbot.Messaging:Parcel"]}""", MessageIdentity.Many)]
    public void Which_message_it_is_is_said_by_one_id_and_no_more(string body, MessageIdentity identity)
    {
        var properties = Properties() with { MessageId = "5f3fd1b0-0000-0000-0000-000000000001" };
        var bytes = Encoding.UTF8.GetBytes(body);
        Assert.Equal(identity, Letter.IntentOf(Read(body, properties), properties, bytes, null).Identity);
        Assert.Equal(identity == MessageIdentity.Many ? identity : MessageIdentity.None, Letter.IntentOf(Read(body, Properties()), Properties(), bytes, null).Identity);
    }

    /// <summary>Any bytes, any texts: it is read, the same each time, and what is stored reads back.</summary>
    [Fact]
    public void Any_bytes_and_any_headers_become_a_letter_that_reads_back() => Check.QuickThrowOnFailure(Prop.ForAll(
        ArbMap.Default.ArbFor<byte[]>(), ArbMap.Default.ArbFor<string?[]>(),
        (body, texts) =>
        {
            var headers = texts.Select(t => t ?? "").Where(t => t.All(c => !char.IsSurrogate(c))).Select((t, i) => Text(i % 2 == 0 ? DeadLetterHeaders.FaultMessage : t, t.Replace("\0", "\\0"))).ToArray();
            var kept = Letter.Read(Errors, "risk", DeadLetterKind.Fault, Properties(headers), body);
            var encoded = Codec.Encode(kept);
            var read = (DeadLetterKept)Codec.Decode(new StoredEvent
            {
                Sequence = 1, Position = 1, EventId = kept.Letter, Stream = "x", Version = 1, Type = encoded.Type, ClrType = encoded.ClrType, Data = encoded.Data, Timestamp = DateTimeOffset.UnixEpoch,
            });
            return read.Body!.SequenceEqual(body) && JsonSerializer.Serialize(read) == JsonSerializer.Serialize(kept) && kept.Letter == Letter.Read(Errors, "risk", DeadLetterKind.Fault, Properties(headers), body).Letter;
        }));

    private static DeadLetterKept Read(string body, MessageProperties properties) => Letter.Read(Errors, "risk", DeadLetterKind.Fault, properties, Encoding.UTF8.GetBytes(body));

    private static MessageProperties Properties(params MessageHeader[] headers) => new(null, null, null, null, null, null, null, null, null, null, null, null, null, headers);

    private static MessageHeader Text(string name, string value) => new(0, name, HeaderKind.Text, value);

    private static MessageHeader Line(int depth, string name, HeaderKind kind, string value = "") => new(depth, name, kind, value);
}
