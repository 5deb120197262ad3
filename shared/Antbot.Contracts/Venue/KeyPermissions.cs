namespace Antbot.Contracts.Venue;

/// <summary>What the venue lets the holder of our key do.</summary>
/// <param name="Transfers">Move money between accounts of one owner.</param>
/// <param name="IsBoundToAddresses">It is taken from addresses that its owner has named alone.</param>
public sealed record KeyPermissions(bool Reads, bool Trades, bool Withdraws, bool Transfers, bool IsBoundToAddresses);
