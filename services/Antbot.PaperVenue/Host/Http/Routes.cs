namespace Antbot.PaperVenue.Http;

/// <summary>Which requests a fault may be ordered for.</summary>
internal enum RouteGroup
{
    Market,
    Order,
    OrderList,
    Cancel,
    Query,
    OpenOrders,
    Account,
    Trades,
    UserStream,
}

internal enum Security
{
    Open,
    Key,
    Signed,

    /// <summary>Signed, with a key that may trade.</summary>
    Trade,
}

/// <summary>A request as its handler sees it: who it is from, what it says.</summary>
internal sealed record Call(Parameters Parameters, Caller Caller, Faults.Fault? Fault)
{
    public int Account => Caller.Account;
}

internal sealed record Route(RouteGroup Group, Security Security, Func<Parameters, int> Weight, Func<Call, ValueTask<byte[]>> Answer)
{
    /// <summary>How many orders it counts for.</summary>
    public int Orders { get; init; }
}

/// <summary>What a client is told of its limits along with the answer.</summary>
internal sealed class Meters
{
    public int? Weight { get; set; }

    public int? OrdersInTenSeconds { get; set; }

    public int? OrdersToday { get; set; }

    public int? RetryAfterSeconds { get; set; }
}

internal readonly record struct Reply(int Status, byte[] Json);
