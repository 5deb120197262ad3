using Antbot.Contracts;

namespace Antbot.Integration.Tests.Venues.Conformance;

/// <summary>
/// A venue that an adapter is tried on, seen through its front. It trades BTCUSDT at about 65,000 with a price tick of 0.01, lots of
/// 0.00001 and orders of 5 and more, and the account begins with 100,000 USDT and 10 BTC.
/// </summary>
internal interface IVenueStage : IAsyncDisposable
{
    VenueFront Front { get; }

    string Key { get; }

    string Secret { get; }

    Task SetClockOffAsync(TimeSpan by);

    /// <summary>An order of ours, resting at 65,001, is filled in so many parts by others.</summary>
    Task FillInPartsAsync(ClientOrderId order, int parts);

    /// <summary>A key of the same account with other permissions.</summary>
    Task<(string Key, string Secret)> NewKeyAsync(bool mayWithdraw);
}
