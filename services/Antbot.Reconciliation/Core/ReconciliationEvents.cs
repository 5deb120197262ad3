using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;

namespace Antbot.Reconciliation;

// What is recorded in `reconciliation-{account}`: how each trade and the account as a whole compared with the venue.

/// <summary>An order as the venue answered for it: its own numbers.</summary>
/// <param name="Known">False where the venue said that it does not know the order; the numbers are then zero.</param>
/// <param name="BaseFees">What the venue kept of the base asset as fees; asked for only where something seems to be left over.</param>
public sealed record SeenOrder(
    ClientOrderId Order, bool Known, string VenueOrderId, Side Side, VenueOrderStatus? Status, Quantity Quantity, Quantity Executed, Money Cost, Quantity BaseFees, DateTimeOffset? At);

/// <summary>The orders of a trade are at the venue what we think they are.</summary>
/// <param name="Record">Our own record of them, where it was read.</param>
/// <param name="Unsellable">What is less than this was not held to be left.</param>
/// <param name="Adopted">What came to the trade without an order of ours.</param>
/// <param name="WrittenOff">What left it without one.</param>
[StoredName("trade_verified")]
public sealed record TradeVerified(
    VerifyTrade Verify, IReadOnlyList<SeenOrder> Orders, Quantity Entered, Quantity Left, string Evidence, IReadOnlyList<RecordedOrder>? Record = null, decimal Unsellable = 0,
    Quantity Adopted = default, Quantity WrittenOff = default);

/// <summary>The venue could not be asked, or its answers contradict one another: it is asked again until it can be said.</summary>
/// <param name="Message">The message that asked; what comes of it is found by it.</param>
[StoredName("verification_pending")]
public sealed record VerificationPending(VerifyTrade Verify, Guid Message, string Reason);

/// <summary>What one order's record gets wrong.</summary>
public sealed record Correction(ClientOrderId Order, string What);

/// <param name="Record">Our own record of the orders, where it was read.</param>
/// <param name="Unsellable">What is less than this was not held to be left.</param>
/// <param name="Adopted">What came to the trade without an order of ours.</param>
/// <param name="WrittenOff">What left it without one.</param>
[StoredName("trade_drifted")]
public sealed record TradeDrifted(
    VerifyTrade Verify, Guid Message, IReadOnlyList<SeenOrder> Orders, string What, string Evidence, IReadOnlyList<Correction> Corrections, IReadOnlyList<RecordedOrder>? Record = null, decimal Unsellable = 0,
    Quantity Adopted = default, Quantity WrittenOff = default);
