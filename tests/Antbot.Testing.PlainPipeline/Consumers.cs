using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Messages;
using MassTransit;
using Npgsql;
using NpgsqlTypes;

namespace Antbot.Testing.PlainPipeline;

public sealed class ValidateConsumer(NpgsqlDataSource source) : IConsumer<ValidateSignal>
{
    private static readonly string[] Rules = ["symbol_known", "fresh", "bounds", "stop", "notional", "confidence", "no_duplicate"];

    public async Task Consume(ConsumeContext<ValidateSignal> context)
    {
        var signal = context.Message.Signal;
        Verdict[] verdicts = [.. Rules.Select(rule => new Verdict(rule, Passed: true, $"{signal.Notional} of {signal.Symbol} at {signal.Reference}"))];
        await using var transaction = await PlainTransaction.BeginAsync(source);
        await transaction.RunAsync(
            "insert into plain_validations (message_id, trade, verdicts) values ($1, $2, $3) on conflict do nothing", context.MessageId!.Value, signal.Trade.Guid, Json.Of(verdicts));
        await transaction.CommitAsync();
        await context.Publish(new SignalValidated(signal.Trade, signal.Confidence, verdicts));
    }
}

public sealed class RiskConsumer(NpgsqlDataSource source) : IConsumer<AssessRisk>, IConsumer<TradeOpened>, IConsumer<TradeClosed>
{
    private static readonly string[] Rules = ["max_notional", "max_exposure", "max_trades", "daily_loss", "still_valid", "not_barred"];

    public async Task Consume(ConsumeContext<AssessRisk> context)
    {
        var signal = context.Message.Signal;
        Verdict[] verdicts = [.. Rules.Select(rule => new Verdict(rule, Passed: true, $"{signal.Notional} for {signal.Trade}"))];
        await using var transaction = await PlainTransaction.BeginAsync(source);
        // The account's row is the one place where reservations meet.
        await transaction.RunAsync("update plain_accounts set reserved = reserved + $1, trades = trades + 1 where id = $2 and reserved + $1 <= 1000000000", signal.Notional.Value, signal.Account.Value);
        await transaction.RunAsync("insert into plain_reservations (trade, amount, state, verdicts) values ($1, $2, 'reserved', $3)", signal.Trade.Guid, signal.Notional.Value, Json.Of(verdicts));
        await transaction.CommitAsync();
        await context.Publish(new RiskApproved(signal.Trade, signal.Notional, verdicts));
    }

    public async Task Consume(ConsumeContext<TradeOpened> context)
    {
        var message = context.Message;
        await using var transaction = await PlainTransaction.BeginAsync(source);
        await transaction.RunAsync(
            "update plain_accounts set reserved = reserved - (select amount from plain_reservations where trade = $1), open = open + $2 where id = $3", message.Trade.Guid, message.Cost.Value, message.Account.Value);
        await transaction.RunAsync("update plain_reservations set state = 'open', cost = $2 where trade = $1", message.Trade.Guid, message.Cost.Value);
        await transaction.CommitAsync();
    }

    public async Task Consume(ConsumeContext<TradeClosed> context)
    {
        var message = context.Message;
        await using var transaction = await PlainTransaction.BeginAsync(source);
        await transaction.RunAsync(
            "update plain_accounts set open = open - (select coalesce(cost, 0) from plain_reservations where trade = $1), trades = trades - 1, realised = realised + $2 where id = $3",
            message.Trade.Guid, message.Realised.Value, message.Account.Value);
        await transaction.RunAsync("update plain_reservations set state = 'closed' where trade = $1", message.Trade.Guid);
        await transaction.CommitAsync();
    }
}

public sealed class ExecuteConsumer(NpgsqlDataSource source, PlainVenue venue, PositionCloser closer) : IConsumer<ExecuteTrade>
{
    public async Task Consume(ConsumeContext<ExecuteTrade> context)
    {
        var signal = context.Message.Signal;
        var entry = ClientOrderId.Of(signal.Trade, OrderRole.Entry, 0);
        var stop = ClientOrderId.Of(signal.Trade, OrderRole.Stop, 0);
        await using var transaction = await PlainTransaction.BeginAsync(source);
        await transaction.RunAsync("insert into plain_orders (trade, signal) values ($1, $2)", signal.Trade.Guid, Json.Of(signal));
        var placed = await venue.BuyAsync(signal.Symbol, entry, context.Message.Reserved, signal.Reference);
        // A fee in the asset itself was never received.
        var held = placed.Executed - placed.BaseFee;
        await venue.PlaceStopAsync(signal.Symbol, stop, held, placed.Average);
        var opened = new TradeOpened(
            signal.Trade, signal.Account, signal.Symbol, Side.Buy, new Quantity(placed.Executed), new Price(placed.Average), new Money(placed.Cost), new Money(placed.BaseFee * placed.Average), [entry]);
        await transaction.RunAsync("update plain_orders set accepted_at = $2, opened = $3 where trade = $1", signal.Trade.Guid, placed.At.UtcDateTime, Json.Of(opened));
        await transaction.CommitAsync();
        await context.Publish(new EntryAccepted(signal.Trade, entry, placed.OrderId, placed.At));
        await context.Publish(opened);
        closer.Add(opened, held);
    }
}

/// <summary>Closes a position when it has been held for a second, as the platform is told to in the same measurement.</summary>
public sealed class PositionCloser(NpgsqlDataSource source, PlainVenue venue, IBus bus)
{
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(1);

    public void Add(TradeOpened opened, decimal held) => _ = CloseAsync(opened, held);

    private async Task CloseAsync(TradeOpened opened, decimal held)
    {
        try
        {
            await Task.Delay(Hold);
            var stop = ClientOrderId.Of(opened.Trade, OrderRole.Stop, 0);
            var exit = ClientOrderId.Of(opened.Trade, OrderRole.Exit, 0);
            await using var transaction = await PlainTransaction.BeginAsync(source);
            await venue.CancelAsync(opened.Symbol, stop);
            var sold = await venue.SellAsync(opened.Symbol, exit, held);
            var closed = new TradeClosed(
                opened.Trade, opened.Account, opened.Symbol, opened.Quantity, opened.Average, new Price(sold.Average), new Money(sold.Cost - opened.Cost.Value), opened.Fees, "held for a second",
                [.. opened.Orders, stop, exit]);
            await transaction.RunAsync("update plain_orders set closed = $2 where trade = $1", opened.Trade.Guid, Json.Of(closed));
            await transaction.CommitAsync();
            await bus.Publish(new TradeClosing(opened.Trade, opened.Account, closed.Reason));
            await bus.Publish(closed);
        }
        catch (Exception e)
        {
            // The run that misses this trade fails, and this says why.
            await Console.Error.WriteLineAsync($"{opened.Trade} could not be closed: {e}");
        }
    }
}

public sealed class VerifyConsumer(NpgsqlDataSource source, PlainVenue venue) : IConsumer<VerifyTrade>
{
    public async Task Consume(ConsumeContext<VerifyTrade> context)
    {
        var message = context.Message;
        var seen = await Task.WhenAll(message.Orders.Select(order => venue.FindAsync(message.Symbol, order)));
        var evidence = string.Join("; ", seen);
        await using var transaction = await PlainTransaction.BeginAsync(source);
        await transaction.RunAsync(
            "insert into plain_verifications (message_id, trade, closed, evidence) values ($1, $2, $3, $4) on conflict do nothing", context.MessageId!.Value, message.Trade.Guid, message.Closed, evidence);
        await transaction.CommitAsync();
        await context.Publish(new TradeReconciled(message.Trade, message.Closed, evidence));
    }
}

internal static class Json
{
    public static NpgsqlParameter Of<T>(T value) => new() { Value = JsonSerializer.Serialize(value), NpgsqlDbType = NpgsqlDbType.Jsonb };
}

internal sealed class PlainTransaction(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
{
    public static async Task<PlainTransaction> BeginAsync(NpgsqlDataSource source)
    {
        var connection = await source.OpenConnectionAsync();
        return new PlainTransaction(connection, await connection.BeginTransactionAsync());
    }

    public async Task RunAsync(string sql, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value });
        await command.ExecuteNonQueryAsync();
    }

    public Task CommitAsync() => transaction.CommitAsync();

    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }
}
