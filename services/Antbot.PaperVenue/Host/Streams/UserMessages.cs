using Antbot.PaperVenue.Http;

namespace Antbot.PaperVenue.Streams;

/// <summary>What the owner of an account is told.</summary>
internal static class UserMessages
{
    public static byte[] Execution(ExecutionReport r, VenueRules rules) => Json.Write(json =>
    {
        var o = r.Order;
        var cancelled = r.Kind == ExecutionKind.Cancelled && o.CancelId is not null;
        json.WriteStartObject();
        json.Field("e", "executionReport").Field("E", r.Time).Field("s", o.Instrument.Symbol).Field("c", cancelled ? o.CancelId! : o.ClientId)
            .Field("S", o.Side.Text()).Field("o", o.Type.Text()).Field("f", o.TimeInForce.Text())
            .Number("q", o.Quantity).Number("p", o.Price).Number("P", o.StopPrice).Number("F", o.IcebergQuantity).Field("g", o.ListId()).Field("C", cancelled ? o.ClientId : "")
            .Field("x", r.Kind.Text()).Field("X", r.Status.Text()).Field("r", "NONE").Field("i", o.Id)
            .Number("l", r.Fill?.Quantity ?? Fixed8.Zero).Number("z", r.Executed).Number("L", r.Fill?.Price ?? Fixed8.Zero).Number("n", r.Fill?.Fee ?? Fixed8.Zero);
        if (r.Fill is { } fill)
            json.WriteString("N", rules.Assets[fill.FeeAsset]);
        else
            json.WriteNull("N");
        json.Field("T", r.Time).Field("t", r.Fill?.Trade ?? -1).Field("w", r.IsInBook).Field("m", r.Fill?.IsMaker ?? false).Field("O", o.Time)
            .Number("Z", r.QuoteExecuted).Number("Y", r.Fill?.QuoteQuantity ?? Fixed8.Zero).Number("Q", o.QuoteQuantity).Field("V", "NONE");
        if (r.IsWorking)
            json.Field("W", o.WorkingTime);
        if (o.Trails)
            json.Field("d", o.TrailingDelta);
        if (o.TrailingTime >= 0)
            json.Field("D", o.TrailingTime);
        json.WriteEndObject();
    });

    public static byte[] ListStatus(ListReport r) => Json.Write(json =>
    {
        var list = r.List;
        json.WriteStartObject();
        json.Field("e", "listStatus").Field("E", r.Time).Field("s", list.Instrument.Symbol).Field("g", list.Id).Field("c", "OCO").Field("l", OrderAnswers.StatusType(r.IsDone))
            .Field("L", OrderAnswers.OrderStatus(r.IsDone)).Field("r", "NONE").Field("C", list.ClientId).Field("T", r.Time);
        json.WriteStartArray("O");
        foreach (var listed in list.Orders)
        {
            json.WriteStartObject();
            json.Field("s", list.Instrument.Symbol).Field("i", listed.Order).Field("c", listed.ClientId);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    });

    public static byte[] Position(Account account, uint assets, VenueRules rules, long now) => Json.Write(json =>
    {
        json.WriteStartObject();
        json.Field("e", "outboundAccountPosition").Field("E", now).Field("u", account.UpdateTime);
        json.WriteStartArray("B");
        for (var asset = 0; asset < account.Balances.Length; asset++)
        {
            if ((assets & (1u << asset)) == 0)
                continue;
            json.WriteStartObject();
            json.Field("a", rules.Assets[asset]).Number("f", account.Balances[asset].Free).Number("l", account.Balances[asset].Locked);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    });

    /// <summary>A deposit, or a withdrawal below zero.</summary>
    public static byte[] Credit(Credit c, VenueRules rules) => Json.Write(json =>
    {
        json.WriteStartObject();
        json.Field("e", "balanceUpdate").Field("E", c.Time).Field("a", rules.Assets[c.Asset]).Number("d", c.Amount).Field("T", c.Time);
        json.WriteEndObject();
    });

    public static byte[] KeyEnded(string key, long now) => Json.Write(json =>
    {
        json.WriteStartObject();
        json.Field("e", "listenKeyExpired").Field("E", now).Field("listenKey", key);
        json.WriteEndObject();
    });
}
