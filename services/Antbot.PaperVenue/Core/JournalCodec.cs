using System.Buffers;
using System.Text;

namespace Antbot.PaperVenue;

/// <summary>A record is not one that this version writes. The bytes were checked before, so it is another version's.</summary>
public sealed class UnknownRecordException(string message) : Exception(message);

/// <summary>Events as bytes: a tag, then each field as a number of variable length or a counted text.</summary>
public static class JournalCodec
{
    private enum Tag : byte
    {
        AccountOpened = 1,
        Deposited,
        OrderAccepted,
        OrderTriggered,
        Traded,
        OrderClosed,
        TradeNumbersReserved,
        MarketDirected,
        OrderHeld,
        TradeBusted,
        ScenarioChosen,
        OrderListAccepted,
        OrderInFull,
        PriceTrailed,
    }

    public static void Write(IBufferWriter<byte> output, VenueEvent e)
    {
        var record = new RecordWriter(output);
        switch (e)
        {
            case AccountOpened a:
                record.Add((byte)Tag.AccountOpened).Add(a.Time).Add(a.Account).Add(a.Name);
                break;
            case Deposited d:
                record.Add((byte)Tag.Deposited).Add(d.Time).Add(d.Account).Add(d.Asset).Add(d.Amount);
                break;
            case OrderAccepted a:
                var isPlain = a.List == 0 && a.TrailingDelta == 0 && a.IcebergQuantity.IsZero;
                record.Add((byte)(!isPlain ? Tag.OrderInFull : a.IsHeld ? Tag.OrderHeld : Tag.OrderAccepted))
                    .Add(a.Time).Add(a.Order).Add(a.Account).Add(a.Instrument).Add((byte)a.Side).Add((byte)a.Type).Add((byte)a.TimeInForce)
                    .Add(a.Price).Add(a.StopPrice).Add(a.Quantity).Add(a.QuoteQuantity).Add(a.ClientId);
                if (!isPlain)
                    record.Add((byte)(a.IsHeld ? 1 : 0)).Add(a.List).Add(a.TrailingDelta).Add(a.IcebergQuantity);
                break;
            case OrderListAccepted l:
                record.Add((byte)Tag.OrderListAccepted).Add(l.Time).Add(l.List).Add(l.Account).Add(l.Instrument).Add(l.ClientId);
                break;
            case OrderTriggered t:
                record.Add((byte)Tag.OrderTriggered).Add(t.Time).Add(t.Order);
                break;
            case PriceTrailed p:
                record.Add((byte)Tag.PriceTrailed).Add(p.Time).Add(p.Instrument).Add(p.Price);
                break;
            case Traded t:
                record.Add((byte)Tag.Traded).Add(t.Time).Add(t.Trade).Add(t.Instrument).Add(t.Price).Add(t.Quantity).Add((byte)t.TakerSide)
                    .Add(t.TakerOrder).Add(t.MakerOrder).Add(t.TakerFee).Add(t.MakerFee);
                break;
            case OrderClosed c:
                record.Add((byte)Tag.OrderClosed).Add(c.Time).Add(c.Order).Add((byte)c.Status).Add(c.CancelId ?? "");
                break;
            case TradeBusted b:
                record.Add((byte)Tag.TradeBusted).Add(b.Time).Add(b.Trade).Add(b.Order);
                break;
            case ScenarioChosen s:
                record.Add((byte)Tag.ScenarioChosen).Add(s.Time).Add((byte)s.Scenario).Add(s.Length).Add(s.File);
                break;
            case TradeNumbersReserved r:
                record.Add((byte)Tag.TradeNumbersReserved).Add(r.Below);
                break;
            case MarketDirected m:
                record.Add((byte)Tag.MarketDirected).Add(m.Time).Add(m.Instrument).Add(m.HeldAt).Add(m.Shift);
                break;
            default:
                throw new ArgumentException($"There is no event {e.GetType().Name}.", nameof(e));
        }
    }

    public static VenueEvent Read(ref RecordReader record)
    {
        var tag = (Tag)record.Byte();
        return tag switch
        {
            Tag.AccountOpened => new AccountOpened(record.Long(), record.Int(), record.Text()),
            Tag.Deposited => new Deposited(record.Long(), record.Int(), record.Int(), record.Fixed()),
            Tag.OrderAccepted => ReadAccepted(ref record),
            Tag.OrderHeld => ReadAccepted(ref record) with { IsHeld = true },
            Tag.OrderInFull => ReadAccepted(ref record) with { IsHeld = record.Byte() == 1, List = record.Long(), TrailingDelta = record.Int(), IcebergQuantity = record.Fixed() },
            Tag.OrderListAccepted => new OrderListAccepted(record.Long(), record.Long(), record.Int(), record.Int(), record.Text()),
            Tag.TradeBusted => new TradeBusted(record.Long(), record.Long(), record.Long()),
            Tag.ScenarioChosen => new ScenarioChosen(record.Long(), (Scenario)record.Byte(), record.Long(), record.Text()),
            Tag.OrderTriggered => new OrderTriggered(record.Long(), record.Long()),
            Tag.PriceTrailed => new PriceTrailed(record.Long(), record.Int(), record.Fixed()),
            Tag.Traded => new Traded(
                record.Long(), record.Long(), record.Int(), record.Fixed(), record.Fixed(), (Side)record.Byte(),
                record.Long(), record.Long(), record.Fixed(), record.Fixed()),
            Tag.OrderClosed => new OrderClosed(record.Long(), record.Long(), (OrderStatus)record.Byte(), record.Text() is { Length: > 0 } id ? id : null),
            Tag.TradeNumbersReserved => new TradeNumbersReserved(record.Long()),
            Tag.MarketDirected => new MarketDirected(record.Long(), record.Int(), record.Fixed(), record.Fixed()),
            _ => throw new UnknownRecordException($"A record of kind {(byte)tag} is unknown here; a later version wrote it."),
        };
    }

    private static OrderAccepted ReadAccepted(ref RecordReader record) => new(
        record.Long(), record.Long(), record.Int(), record.Int(), (Side)record.Byte(), (OrderType)record.Byte(), (TimeInForce)record.Byte(),
        record.Fixed(), record.Fixed(), record.Fixed(), record.Fixed(), record.Text());
}

/// <summary>Appends fields to a buffer.</summary>
public readonly struct RecordWriter(IBufferWriter<byte> output)
{
    public RecordWriter Add(byte value)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
        return this;
    }

    public RecordWriter Add(long value)
    {
        // Seven bits a byte, the sign folded into the lowest.
        var rest = (ulong)((value << 1) ^ (value >> 63));
        var span = output.GetSpan(10);
        var length = 0;
        while (rest >= 0x80)
        {
            span[length++] = (byte)(rest | 0x80);
            rest >>= 7;
        }
        span[length++] = (byte)rest;
        output.Advance(length);
        return this;
    }

    public RecordWriter Add(Fixed8 value) => Add(value.Units);

    public RecordWriter Add(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        Add((long)length);
        output.Advance(Encoding.UTF8.GetBytes(text, output.GetSpan(length)));
        return this;
    }
}

/// <summary>Takes them out again; anything that does not fit is another version's.</summary>
public ref struct RecordReader(ReadOnlySpan<byte> bytes)
{
    private const int MaxText = 1 << 16;

    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool AtEnd => _rest.IsEmpty;

    public byte Byte()
    {
        var value = Need(1)[0];
        _rest = _rest[1..];
        return value;
    }

    public long Long()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var b = Byte();
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                return (long)(value >> 1) ^ -(long)(value & 1);
        }
        throw new UnknownRecordException("A number is longer than any that is written here.");
    }

    public int Int() => checked((int)Long());

    public Fixed8 Fixed() => new(Long());

    public string Text()
    {
        var length = Long();
        if (length is < 0 or > MaxText)
            throw new UnknownRecordException("A text is longer than any that is written here.");
        var text = Encoding.UTF8.GetString(Need((int)length)[..(int)length]);
        _rest = _rest[(int)length..];
        return text;
    }

    private readonly ReadOnlySpan<byte> Need(int length) =>
        _rest.Length >= length ? _rest : throw new UnknownRecordException("A record ends too early.");
}
