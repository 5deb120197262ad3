using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;

namespace Antbot.ConsoleService;

// What is recorded in `audit-{date}`: who had what done, from where, and why.

/// <param name="Command">halt, resume, reduce, mode, maintenance.</param>
/// <param name="Target">What it was to become, or what it is about.</param>
/// <param name="ControlVersion">The version of `control` that it led to.</param>
[StoredName("operator_command_recorded")]
public sealed record OperatorCommandRecorded(string Command, string Target, string Reason, string By, long ControlVersion);

/// <summary>An operator wants what a trade holds to be sold.</summary>
[StoredName("trade_close_ordered")]
public sealed record TradeCloseOrdered(TradeId Trade, AccountId Account, string Reason, string By);

/// <summary>An operator wants an order in doubt settled as never placed, or confirms another's wish.</summary>
/// <param name="By">Who bears the token that it was asked with.</param>
[StoredName("order_settlement_ordered")]
public sealed record OrderSettlementOrdered(TradeId Trade, ClientOrderId Order, Guid Request, bool Confirms, string Reason, string By);

public static class OperatorCommands
{
    public static IReadOnlyList<object> React(object @event) => @event switch
    {
        TradeCloseOrdered e => [new CloseTrade(e.Trade, e.Account, $"{e.By}: {e.Reason}")],
        OrderSettlementOrdered e => [new SettleOrder(e.Trade, e.Order, e.Request, e.Confirms, e.By, e.Reason)],
        _ => [],
    };
}
