using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Time;

namespace Antbot.ConsoleService.DeadLetters;

/// <summary>What can be told of a message that nobody could work on. Of it everything is somebody else's: it may be of any bytes, and none are refused.</summary>
public static class Letter
{
    /// <summary>A larger body lies beside the event.</summary>
    public const int BodyInEventMax = 64 * 1024;

    /// <summary>As many as a parcel has at most.</summary>
    private const int TradesMax = 1_000;

    private const int BodyReadMax = 8 * 1024 * 1024;
    private const int TypeLengthMax = 200;
    private const int MessageLengthMax = 2_100;
    private const int StackLengthMax = 4_200;
    private const string Unknown = "unknown";
    private const string Parcel = "Parcel";

    /// <summary>They say yes to a wish to enter, without saying it again.</summary>
    private static readonly HashSet<string> Assents = new(StringComparer.Ordinal) { nameof(SignalValidated), nameof(RiskApproved) };

    /// <summary>
    /// The same letter, however often it is taken: of what a message is, without what the broker counts at each delivery. One that died once
    /// more while it lay among the dead letters is still the same.
    /// </summary>
    public static Guid IdOf(string queue, DeadLetterKind kind, MessageProperties properties, string body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            Span<byte> length = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }
        foreach (var header in Lasting(properties.Headers, kind))
        {
            Add(header.Depth.ToString(CultureInfo.InvariantCulture));
            Add(header.Name);
            Add(header.Kind.ToString());
            Add(header.Value);
        }
        return DeterministicId.From("dead-letter", queue, properties.MessageId ?? "", body, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    public static DeadLetterKept Read(string queue, string endpoint, DeadLetterKind kind, MessageProperties properties, ReadOnlyMemory<byte> body)
    {
        ArgumentNullException.ThrowIfNull(properties);
        var content = HashOf(body.Span);
        var told = Told.From(body);
        var type = told.Type.Length > 0 ? Plain(told.Type, TypeLengthMax) : Unknown;
        var (faultType, fault, stack) = (Header(properties, DeadLetterHeaders.FaultType, TypeLengthMax), Header(properties, DeadLetterHeaders.FaultMessage, MessageLengthMax), Header(properties, DeadLetterHeaders.FaultStack, StackLengthMax));
        if (kind == DeadLetterKind.Broker)
            (faultType, fault) = ("", Deaths.Tell(properties.Headers));
        return new DeadLetterKept(
            IdOf(queue, kind, properties, content.Sha256), queue, endpoint, kind,
            Guid.TryParse(properties.MessageId, out var id) ? id : told.Id, type, told.Trades.Count > 0 ? told.Trades : TradeIn(properties),
            faultType, fault, stack,
            int.TryParse(Header(properties, DeadLetterHeaders.Attempts, 10), NumberStyles.None, CultureInfo.InvariantCulture, out var attempts) ? attempts : null,
            TimeIn(properties), Header(properties, DeadLetterHeaders.Build, TypeLengthMax), Fingerprint.Of(endpoint, kind, type, faultType, fault, stack),
            properties, null, body.ToArray(), content);
    }

    /// <summary>Whether it may be sent once more, as far as it says so itself.</summary>
    /// <param name="over">The phase in which its trade has ended, or null.</param>
    /// <param name="wishedUntil">Up to when the signal of its trade was valid, where that is known.</param>
    public static ReplayIntent IntentOf(DeadLetterKept kept, MessageProperties properties, ReadOnlyMemory<byte> body, string? over, DateTimeOffset? wishedUntil = null)
    {
        var told = Told.From(body);
        var isAssent = Assents.Contains(told.Type);
        return new ReplayIntent(IdentityOf(kept, properties, told), kept.Endpoint, isAssent ? wishedUntil : told.ValidUntil, isAssent || told.ValidUntil is not null ? over : null);
    }

    /// <summary>What a wish to enter would have bought; zero for everything else, and null where it cannot be said.</summary>
    public static Money? NotionalOf(ReadOnlyMemory<byte> body) => Told.From(body).Notional;

    /// <summary>Under the id that it bore outside it is sent again; one within the body alone does not go with it everywhere.</summary>
    private static MessageIdentity IdentityOf(DeadLetterKept kept, MessageProperties properties, Told told)
    {
        if (kept.MessageType == Parcel)
            return MessageIdentity.Many;
        if (kept.Message is null || !Guid.TryParse(properties.MessageId, out var outside))
            return MessageIdentity.None;
        return told.Ids.All(id => id == outside) ? MessageIdentity.One : MessageIdentity.Two;
    }

    /// <summary>Which letter it is that was sent once more, and for which time; null for one that never was.</summary>
    public static (Guid Letter, int Replay)? ReplayIn(MessageProperties properties) =>
        Header(properties, DeadLetterHeaders.Replay, 60).Split('/') is [var letter, var replay] && Guid.TryParseExact(letter, "N", out var id)
        && int.TryParse(replay, NumberStyles.None, CultureInfo.InvariantCulture, out var n)
            ? (id, n)
            : null;

    /// <summary>What its header says when it is sent once more.</summary>
    public static string ReplayOf(Guid letter, int replay) => string.Create(CultureInfo.InvariantCulture, $"{letter:N}/{replay}");

    public static ContentHash HashOf(ReadOnlySpan<byte> bytes) => new(Convert.ToHexStringLower(SHA256.HashData(bytes)), bytes.Length);

    /// <summary>By their names, each with what is in it: a broker that counts a delivery gives the others back in another order.</summary>
    private static IEnumerable<MessageHeader> Lasting(IReadOnlyList<MessageHeader> headers, DeadLetterKind kind)
    {
        var whole = new List<(string Name, int From, int Count)>();
        for (var i = 0; i < headers.Count; i++)
        {
            if (headers[i].Depth == 0)
                whole.Add((headers[i].Name, i, 1));
            else if (whole.Count > 0)
                whole[^1] = whole[^1] with { Count = i - whole[^1].From + 1 };
        }
        return whole
            .Where(h => !DeadLetterHeaders.Counters.Contains(h.Name) && (kind == DeadLetterKind.Broker || !DeadLetterHeaders.IsOfDeath(h.Name)))
            .OrderBy(h => h.Name, StringComparer.Ordinal)
            .SelectMany(h => headers.Skip(h.From).Take(h.Count));
    }

    private static string Header(MessageProperties properties, string name, int lengthMax) =>
        properties.Headers.FirstOrDefault(h => h.Depth == 0 && h.Name == name && h.Kind is not (HeaderKind.Bytes or HeaderKind.RawText)) is { } header ? Plain(header.Value, lengthMax) : "";

    private static DateTimeOffset? TimeIn(MessageProperties properties) =>
        DateTimeOffset.TryParse(Header(properties, DeadLetterHeaders.FaultTime, 40), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at)
            ? at.Cut()
            : Deaths.LastOf(properties.Headers);

    /// <summary>Where the body says nothing of a trade: what is about one bears its id.</summary>
    private static IReadOnlyList<TradeId> TradeIn(MessageProperties properties) =>
        Guid.TryParse(properties.CorrelationId, out var correlation) && TradeId.TryParse(correlation.ToString("N"), out var trade) ? [trade] : [];

    /// <summary>For reading: the escaped NUL is a mark that something was there.</summary>
    private static string Plain(string text, int lengthMax)
    {
        var written = new StringBuilder();
        for (var i = 0; i < text.Length && written.Length < lengthMax; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length && text[i + 1] is '0' or '\\')
                written.Append(text[++i] == '0' ? '\uFFFD' : '\\');
            else if (!char.IsSurrogate(text[i]))
                written.Append(text[i] == '\0' ? '\uFFFD' : text[i]);
            else if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
                written.Append(text[i]).Append(text[++i]);
            else
                written.Append('\uFFFD');
        }
        return written.ToString();
    }

    /// <summary>What a body says of itself, where it can be read: MassTransit's envelope around a message, or around a parcel of them.</summary>
    /// <param name="Ids">All that the envelope says: whoever reads it does not tell small letters from large ones.</param>
    /// <param name="ValidUntil">Of a wish to enter.</param>
    /// <param name="Notional">Of a wish to enter; null where there is one, and it says nothing of the kind.</param>
    private sealed record Told(IReadOnlyList<Guid> Ids, string Type, IReadOnlyList<TradeId> Trades, DateTimeOffset? ValidUntil, Money? Notional)
    {
        private static readonly Told Nothing = new([], "", [], null, Money.Zero);

        public Guid? Id => Ids.Count > 0 ? Ids[^1] : null;

        public static Told From(ReadOnlyMemory<byte> body)
        {
            if (body.Length is 0 or > BodyReadMax)
                return Nothing;
            try
            {
                using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 64 });
                var envelope = document.RootElement;
                var type = Member(envelope, "messageType") is { ValueKind: JsonValueKind.Array } types && types.GetArrayLength() > 0 ? Text(types[0]) : "";
                type = type[(type.LastIndexOf(':') + 1)..];
                var message = Member(envelope, "message");
                var trades = type == Parcel && Member(message, "messages") is { ValueKind: JsonValueKind.Array } many
                    ? many.EnumerateArray().Take(TradesMax).Select(m => TradeOf(m, Member(m, "body")))
                    : [TradeOf(envelope, message)];
                return new Told(IdsIn(envelope), type, [.. trades.OfType<TradeId>().Distinct()], Time(Member(Member(message, "signal"), "validUntil")), NotionalIn(Member(message, "signal")));
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                return Nothing;
            }
        }

        private static Money? NotionalIn(JsonElement? signal) => signal is null ? Money.Zero
            : Member(signal, "notional") is { ValueKind: JsonValueKind.Number } number && number.TryGetDecimal(out var notional) && Money.Fault(notional) is null && notional >= 0 ? new Money(notional)
            : null;

        private static List<Guid> IdsIn(JsonElement envelope) => envelope.ValueKind != JsonValueKind.Object ? [] :
        [
            .. envelope.EnumerateObject().Where(m => m.Name.Equals("messageId", StringComparison.OrdinalIgnoreCase)).Select(m => Guid.TryParse(Text(m.Value), out var id) ? id : (Guid?)null).OfType<Guid>(),
        ];

        private static TradeId? TradeOf(JsonElement envelope, JsonElement? message)
        {
            foreach (var said in new[] { Text(Member(message, "trade")), Text(Member(Member(message, "signal"), "trade")) })
            {
                if (TradeId.TryParse(said, out var trade))
                    return trade;
            }
            return Guid.TryParse(Text(Member(envelope, "correlationId")), out var correlation) && TradeId.TryParse(correlation.ToString("N"), out var followed) ? followed : null;
        }

        private static JsonElement? Member(JsonElement? of, string name) => of is { ValueKind: JsonValueKind.Object } o && o.TryGetProperty(name, out var value) ? value : null;

        private static DateTimeOffset? Time(JsonElement? element) => element is { ValueKind: JsonValueKind.String } text && text.TryGetDateTimeOffset(out var at) ? at.ToUniversalTime() : null;

        private static string Text(JsonElement? element) => element is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";
    }

    /// <summary>What the broker says of a message's deaths, the last first.</summary>
    private static class Deaths
    {
        public static string Tell(IReadOnlyList<MessageHeader> headers)
        {
            var last = LastIn(headers);
            return last.Count == 0
                ? "The broker gave it up and does not say why."
                : Plain($"The broker gave it up: {last.GetValueOrDefault("reason", "?")} in the queue {last.GetValueOrDefault("queue", "?")}.", MessageLengthMax);
        }

        public static DateTimeOffset? LastOf(IReadOnlyList<MessageHeader> headers) =>
            LastIn(headers).TryGetValue("time", out var time) && long.TryParse(time, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)
                && seconds >= 0 && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
                ? DateTimeOffset.FromUnixTimeSeconds(seconds)
                : null;

        private static Dictionary<string, string> LastIn(IReadOnlyList<MessageHeader> headers)
        {
            var last = new Dictionary<string, string>(StringComparer.Ordinal);
            var within = headers.SkipWhile(h => h.Depth != 0 || !h.Name.Equals(DeadLetterHeaders.Deaths, StringComparison.OrdinalIgnoreCase)).Skip(2).TakeWhile(h => h.Depth >= 2);
            foreach (var member in within.Where(h => h.Depth == 2))
                last.TryAdd(member.Name, member.Value);
            return last;
        }
    }
}
