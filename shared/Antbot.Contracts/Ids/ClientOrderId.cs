using System.Globalization;
using System.Text.Json.Serialization;

namespace Antbot.Contracts;

/// <summary>
/// The name under which an order is asked after at the venue: the trade, what the order is for, and which intent.
/// An intent keeps its name over all its attempts.
/// </summary>
[JsonConverter(typeof(TextValueConverter<ClientOrderId>))]
public readonly record struct ClientOrderId : ITextValue<ClientOrderId>
{
    /// <summary>As many intents of one role as two characters can number.</summary>
    public const int IntentsMax = 100 + Letters * Digits;

    private const int Letters = 26;
    private const int Digits = 36;
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

    private readonly string? _value;

    public ClientOrderId(string value) => _value = Fault(value) is { } fault ? throw new ArgumentException(fault, nameof(value)) : value;

    public string Value => _value ?? throw new InvalidOperationException("This client order id was never given a value.");

    /// <summary>
    /// e: entry, s: stop, x: exit. With the number two or three characters, so that the venue's 36 are never exceeded: 0 to 99, then aa,
    /// and so on, for an exit that the venue lets go of again and again is not given up.
    /// </summary>
    public static ClientOrderId Of(TradeId trade, OrderRole role, int intent)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(intent);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(intent, IntentsMax);
        var letter = role switch { OrderRole.Entry => 'e', OrderRole.Stop => 's', OrderRole.Exit => 'x', _ => throw new ArgumentOutOfRangeException(nameof(role), role, "An order is an entry, a stop or an exit.") };
        var number = intent < 100 ? intent.ToString(CultureInfo.InvariantCulture) : $"{Alphabet[(intent - 100) / Digits]}{Alphabet[(intent - 100) % Digits]}";
        return new ClientOrderId($"{letter}{number}-{trade.Value}");
    }

    /// <summary>The trade it belongs to; null where the order is none of ours.</summary>
    public TradeId? Trade => Value.IndexOf('-', StringComparison.Ordinal) is var at and (2 or 3) && Value[0] is 'e' or 's' or 'x' && TradeId.TryParse(Value[(at + 1)..], out var trade) ? trade : null;

    /// <summary>What it is for; null where the order is none of ours.</summary>
    public OrderRole? Role => Trade is null ? null : Value[0] switch { 'e' => OrderRole.Entry, 's' => OrderRole.Stop, _ => OrderRole.Exit };

    public static string? Fault(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length is >= 1 and <= 36 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '/')
            ? null
            : "A client order id has 1 to 36 letters, digits and -_.:/.";
    }

    public static ClientOrderId From(string text) => new(text);

    public override string ToString() => _value ?? "";
}

public enum OrderRole
{
    Entry = 1,
    Stop = 2,
    Exit = 3,
}
