using System.Data;
using Antbot.Runtime.Store;
using Npgsql;
using NpgsqlTypes;

namespace Antbot.EventStore.Postgres;

/// <summary>One writing connection and its prepared call. Not for two callers at once.</summary>
internal sealed class PostgresWriter : IBatchWriter
{
    private const string Parameters = "$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,null,null,null,null,null";

    private readonly NpgsqlDataSource _source;
    private readonly string _call;
    private NpgsqlConnection? _connection;
    private NpgsqlCommand? _command;

    public PostgresWriter(NpgsqlDataSource source, string procedure)
    {
        _source = source;
        _call = $"call {procedure}({Parameters})";
    }

    public bool WasSent { get; private set; }

    public async Task<AppendAnswer> AppendAsync(AppendBatch batch, CancellationToken cancellationToken)
    {
        WasSent = false;
        var command = await ReadyAsync(cancellationToken);
        Fill(command.Parameters, batch);
        WasSent = true;
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            throw new EventStoreException(StoreFault.Corrupt, "The append procedure gave no answer: the schema in the database is not this build's.");
        return new AppendAnswer(
            await reader.GetFieldValueAsync<short[]>(0, cancellationToken),
            await reader.GetFieldValueAsync<long[]>(1, cancellationToken),
            await reader.GetFieldValueAsync<int[]>(2, cancellationToken),
            await reader.GetFieldValueAsync<long?[]>(3, cancellationToken),
            reader.GetInt64(4));
    }

    public async ValueTask ResetAsync()
    {
        var (command, connection) = (_command, _connection);
        (_command, _connection) = (null, null);
        if (command is not null)
            await command.DisposeAsync();
        if (connection is not null)
        {
            // What broke once must not come back from the pool; nor may a setting that has changed since it was opened.
            _source.Clear();
            await connection.DisposeAsync();
        }
    }

    public ValueTask DisposeAsync() => ResetAsync();

    private async Task<NpgsqlCommand> ReadyAsync(CancellationToken cancellationToken)
    {
        if (_command is not null && _connection?.State == ConnectionState.Open)
            return _command;
        await ResetAsync();
        _connection = await _source.OpenConnectionAsync(cancellationToken);
        _command = new NpgsqlCommand(_call, _connection);
        AddParameters(_command.Parameters);
        await _command.PrepareAsync(cancellationToken);
        return _command;
    }

    private static void AddParameters(NpgsqlParameterCollection p)
    {
        const NpgsqlDbType array = NpgsqlDbType.Array;
        NpgsqlDbType[] types =
        [
            array | NpgsqlDbType.Varchar, array | NpgsqlDbType.Integer, array | NpgsqlDbType.Bigint, array | NpgsqlDbType.Integer, array | NpgsqlDbType.Integer,
            array | NpgsqlDbType.Integer, array | NpgsqlDbType.Integer, array | NpgsqlDbType.Bigint,
            array | NpgsqlDbType.TimestampTz, array | NpgsqlDbType.Varchar, array | NpgsqlDbType.Varchar, array | NpgsqlDbType.Varchar, array | NpgsqlDbType.Jsonb,
            array | NpgsqlDbType.Uuid, array | NpgsqlDbType.Varchar, array | NpgsqlDbType.Varchar, array | NpgsqlDbType.Jsonb, array | NpgsqlDbType.Bytea,
        ];
        foreach (var type in types)
            p.Add(new NpgsqlParameter { NpgsqlDbType = type });
    }

    private static void Fill(NpgsqlParameterCollection p, AppendBatch batch)
    {
        object[] values =
        [
            batch.Streams, batch.Lane, batch.Expected, batch.Offset, batch.Count,
            batch.GuardAppend, batch.GuardLane, batch.GuardExpected,
            batch.At, batch.Correlation, batch.Causation, batch.Actor, batch.Headers,
            batch.Id, batch.Type, batch.Clr, batch.Data, batch.Content,
        ];
        for (var i = 0; i < values.Length; i++)
            p[i].Value = values[i];
    }
}
