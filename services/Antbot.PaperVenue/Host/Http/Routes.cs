namespace Antbot.PaperVenue.Http;

/// <summary>Which requests a fault may be ordered for.</summary>
internal enum RouteGroup
{
    Market,
    Order,
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
}

/// <summary>A request as its handler sees it: who it is from, what it says.</summary>
internal sealed record Call(Parameters Parameters, int Account, Faults.Fault? Fault);

internal sealed record Route(RouteGroup Group, Security Security, Func<Parameters, int> Weight, Func<Call, ValueTask<byte[]>> Answer);
