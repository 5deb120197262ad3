using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Control;
using Antbot.Runtime.Health;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Venue;

namespace Antbot.Execution;

public sealed class ExecuteTradeHandler(TradeRunner runner, RuleBook rules, SymbolRoom room, Prices prices, IVenue venue, ExecutionOptions options) : IMessageHandler<ExecuteTrade>
{
    private static readonly TimeSpan RulesWithin = TimeSpan.FromSeconds(3);

    public async Task HandleAsync(ExecuteTrade message, Input input, CancellationToken cancellationToken)
    {
        var signal = message.Signal;
        var known = await rules.FindAsync(signal.Symbol, RulesWithin, cancellationToken);
        // One account's orders placed with another's keys would be money moved, and reconciled by nobody.
        var found = signal.Account == venue.Account ? await room.FindAsync(message, known, cancellationToken) : new Room($"the keys here are those of the account {venue.Account}", null);
        await runner.HandleAsync(
            message.Trade, input with { Begins = true }, Recall.Everything,
            (_, stamp) => new Enter(
                signal, message.Reserved, known, prices.Fresh(signal.Symbol) is { } price ? signal.Side == Side.Buy ? price.Ask : price.Bid : null, options.Policy,
                stamp with { EntryBar = found.Bar ?? stamp.EntryBar, EntryHold = stamp.EntryHold ?? found.Hold }, message.InSymbol),
            cancellationToken);
    }
}

public sealed class CancelTradeHandler(TradeRunner runner) : IMessageHandler<CancelTrade>
{
    public Task HandleAsync(CancelTrade message, Input input, CancellationToken cancellationToken) =>
        runner.HandleAsync(message.Trade, input, Recall.WayOut, (_, stamp) => ExecutionInput.Of(message, stamp)!, cancellationToken);
}

public sealed class CloseTradeHandler(TradeRunner runner) : IMessageHandler<CloseTrade>
{
    public Task HandleAsync(CloseTrade message, Input input, CancellationToken cancellationToken) =>
        runner.HandleAsync(message.Trade, input, Recall.WayOut, (_, stamp) => ExecutionInput.Of(message, stamp)!, cancellationToken);
}

public sealed class CorrectOrderHandler(TradeRunner runner) : IMessageHandler<CorrectOrder>
{
    public Task HandleAsync(CorrectOrder message, Input input, CancellationToken cancellationToken) =>
        runner.HandleAsync(message.Trade, input, Recall.Own, (_, stamp) => ExecutionInput.Of(message, stamp)!, cancellationToken);
}

public sealed class AdoptPositionHandler(TradeRunner runner, RuleBook rules, IVenue venue, ControlWatch control, ExecutionOptions options) : IMessageHandler<AdoptPosition>
{
    private static readonly TimeSpan RulesWithin = TimeSpan.FromSeconds(3);

    public async Task HandleAsync(AdoptPosition message, Input input, CancellationToken cancellationToken)
    {
        var signal = message.Signal;
        // A stop is an exit, and exits are held back by nothing: what must not be sent here must not become ours.
        var mode = (control.Known.Version < 0 ? await control.RefreshAsync(cancellationToken) : control.Known).State.Mode;
        var bar = signal.Account != venue.Account ? $"the keys here are those of the account {venue.Account}"
            : venue.IsPaper ? null
            : mode == TradingMode.Dry ? $"dry: {venue.Name} is no paper venue"
            : venue.LiveBar;
        // Without them no stop can be placed: it comes again until they are known.
        var known = await rules.FindAsync(signal.Symbol, RulesWithin, cancellationToken)
            ?? throw new DependencyDownException("venue", $"what the venue asks of orders in {signal.Symbol} is not known yet");
        await runner.HandleAsync(
            message.Trade, input with { Begins = true }, Recall.Everything,
            (_, stamp) => new Adopt(signal, message.Order, message.Quantity, known, options.Policy, message.Evidence, bar, stamp), cancellationToken);
    }
}

public sealed class WriteOffPositionHandler(TradeRunner runner) : IMessageHandler<WriteOffPosition>
{
    public Task HandleAsync(WriteOffPosition message, Input input, CancellationToken cancellationToken) =>
        runner.HandleAsync(message.Trade, input, Recall.Own, (_, stamp) => ExecutionInput.Of(message, stamp)!, cancellationToken);
}

public sealed class SettleOrderHandler(TradeRunner runner) : IMessageHandler<SettleOrder>
{
    public Task HandleAsync(SettleOrder message, Input input, CancellationToken cancellationToken) => runner.SettleAsync(message, input, cancellationToken);
}
