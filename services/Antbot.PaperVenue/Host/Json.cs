using System.Buffers;
using System.Text.Json;

namespace Antbot.PaperVenue;

/// <summary>Writes answers and messages.</summary>
internal static class Json
{
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? s_buffer;

    [ThreadStatic]
    private static Utf8JsonWriter? s_writer;

    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = s_buffer ??= new ArrayBufferWriter<byte>(4_096);
        var writer = s_writer ??= new Utf8JsonWriter(buffer);
        buffer.ResetWrittenCount();
        writer.Reset(buffer);
        write(writer);
        writer.Flush();
        var bytes = buffer.WrittenSpan.ToArray();
        // One answer of a thousand candles does not keep its room for ever.
        if (buffer.Capacity > 1 << 20)
            (s_buffer, s_writer) = (null, null);
        return bytes;
    }

    public static Utf8JsonWriter Number(this Utf8JsonWriter json, string name, Fixed8 value)
    {
        json.WritePropertyName(name);
        return json.Number(value);
    }

    /// <summary>As text, so that no reader rounds it.</summary>
    public static Utf8JsonWriter Number(this Utf8JsonWriter json, Fixed8 value)
    {
        Span<byte> utf8 = stackalloc byte[Fixed8.MaxLength];
        json.WriteStringValue(utf8[..value.Format(utf8)]);
        return json;
    }

    public static Utf8JsonWriter Field(this Utf8JsonWriter json, string name, string value)
    {
        json.WriteString(name, value);
        return json;
    }

    public static Utf8JsonWriter Field(this Utf8JsonWriter json, string name, long value)
    {
        json.WriteNumber(name, value);
        return json;
    }

    public static Utf8JsonWriter Field(this Utf8JsonWriter json, string name, bool value)
    {
        json.WriteBoolean(name, value);
        return json;
    }

    /// <summary>What the API calls things.</summary>
    public static string Text(this Side side) => side == Side.Buy ? "BUY" : "SELL";

    public static string Text(this OrderType type) => type switch
    {
        OrderType.Limit => "LIMIT",
        OrderType.LimitMaker => "LIMIT_MAKER",
        OrderType.Market => "MARKET",
        OrderType.StopLoss => "STOP_LOSS",
        OrderType.StopLossLimit => "STOP_LOSS_LIMIT",
        OrderType.TakeProfit => "TAKE_PROFIT",
        OrderType.TakeProfitLimit => "TAKE_PROFIT_LIMIT",
    };

    public static string Text(this TimeInForce timeInForce) => timeInForce switch
    {
        TimeInForce.GoodTillCancelled => "GTC",
        TimeInForce.ImmediateOrCancel => "IOC",
        TimeInForce.FillOrKill => "FOK",
    };

    public static string Text(this OrderStatus status) => status switch
    {
        OrderStatus.New => "NEW",
        OrderStatus.PartiallyFilled => "PARTIALLY_FILLED",
        OrderStatus.Filled => "FILLED",
        OrderStatus.Cancelled => "CANCELED",
        OrderStatus.Expired => "EXPIRED",
    };

    public static string Text(this ExecutionKind kind) => kind switch
    {
        ExecutionKind.New => "NEW",
        ExecutionKind.Trade => "TRADE",
        ExecutionKind.Cancelled => "CANCELED",
        ExecutionKind.Expired => "EXPIRED",
    };
}
