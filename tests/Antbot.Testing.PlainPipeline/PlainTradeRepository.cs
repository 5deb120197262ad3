using System.Text.Json;
using Antbot.Contracts.Messages;
using MassTransit;
using MassTransit.Context;
using Npgsql;
using NpgsqlTypes;

namespace Antbot.Testing.PlainPipeline;

/// <summary>A trade's row under its lock for the length of a message: read, changed, written with its next version, committed.</summary>
public sealed class PlainTradeRepository(NpgsqlDataSource source) : ISagaRepository<PlainTrade>
{
    private const string Read = "select state, signal, opened, done, row_version from plain_trades where id = $1 for update";
    private const string Insert = "insert into plain_trades (state, signal, opened, done, id, row_version) values ($1, $2, $3, $4, $5, 1)";
    private const string Update = "update plain_trades set state = $1, signal = $2, opened = $3, done = $4, done_at = case when $4 then clock_timestamp() end, row_version = row_version + 1 where id = $5 and row_version = $6";

    public async Task Send<T>(ConsumeContext<T> context, ISagaPolicy<PlainTrade, T> policy, IPipe<SagaConsumeContext<PlainTrade, T>> next)
        where T : class
    {
        await using var connection = await source.OpenConnectionAsync(context.CancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(context.CancellationToken);
        var trade = await ReadAsync(connection, context.CorrelationId!.Value) ?? new PlainTrade { CorrelationId = context.CorrelationId.Value, CurrentState = "Initial" };
        await policy.Existing(new DefaultSagaConsumeContext<PlainTrade, T>(context, trade), next);
        await WriteAsync(connection, trade);
        await transaction.CommitAsync(context.CancellationToken);
    }

    public Task SendQuery<T>(ConsumeContext<T> context, ISagaQuery<PlainTrade> query, ISagaPolicy<PlainTrade, T> policy, IPipe<SagaConsumeContext<PlainTrade, T>> next)
        where T : class => throw new NotSupportedException("Trades are found by their id.");

    public void Probe(ProbeContext context) => context.CreateScope("plain");

    private static async Task<PlainTrade?> ReadAsync(NpgsqlConnection connection, Guid id)
    {
        await using var command = new NpgsqlCommand(Read, connection) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = id } } };
        await using var row = await command.ExecuteReaderAsync();
        if (!await row.ReadAsync())
            return null;
        return new PlainTrade
        {
            CorrelationId = id,
            CurrentState = row.GetString(0),
            Signal = JsonSerializer.Deserialize<Signal>(row.GetString(1)),
            Opened = row.IsDBNull(2) ? null : JsonSerializer.Deserialize<TradeOpened>(row.GetString(2)),
            Done = row.GetBoolean(3),
            RowVersion = row.GetInt32(4),
        };
    }

    private static async Task WriteAsync(NpgsqlConnection connection, PlainTrade trade)
    {
        await using var command = new NpgsqlCommand(trade.RowVersion == 0 ? Insert : Update, connection)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = trade.CurrentState },
                new NpgsqlParameter<string> { TypedValue = JsonSerializer.Serialize(trade.Signal), NpgsqlDbType = NpgsqlDbType.Jsonb },
                new NpgsqlParameter { Value = trade.Opened is { } opened ? JsonSerializer.Serialize(opened) : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb },
                new NpgsqlParameter<bool> { TypedValue = trade.Done },
                new NpgsqlParameter<Guid> { TypedValue = trade.CorrelationId },
            },
        };
        if (trade.RowVersion > 0)
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = trade.RowVersion });
        if (await command.ExecuteNonQueryAsync() != 1)
            throw new InvalidOperationException($"The row of trade {trade.CorrelationId} has moved on.");
    }
}
