using System.Data;
using Antbot.Contracts;
using Antbot.Runtime.Projections;
using Antbot.Runtime.Store;
using Npgsql;
using NpgsqlTypes;

namespace Antbot.EventStore.Postgres;

/// <summary>Moves streams that are over to an archive. Only the owner of the tables may.</summary>
internal sealed class PostgresArchives(PostgresReader reader, PostgresPool pool)
{
    public Task<IReadOnlyList<StreamHead>> FindStreamsAsync(string prefix, DateTimeOffset before, string after, int limit, CancellationToken cancellationToken)
    {
        StoreChecks.Page(limit);
        // Names in the order of their bytes, whatever the database's own order is.
        return ReadAsync(
            "looking for old streams",
            """
            select s.id, s.version, s.timestamp from public.mt_streams s
            where starts_with(s.id, $1) and s.timestamp < $2 and s.id collate "C" > $3 and s.is_archived is not true order by s.id collate "C" limit $4
            """,
            row => new StreamHead(row.GetString(0), row.GetInt64(1), new DateTimeOffset(row.GetDateTime(2), TimeSpan.Zero)),
            cancellationToken,
            prefix, before.UtcDateTime, after, limit);
    }

    public Task<IReadOnlyList<Follower>> ReadFollowersAsync(CancellationToken cancellationToken) =>
        ReadAsync(
            "reading who follows the history",
            """
            select p.name, coalesce(p.last_seq_id, 0) from public.mt_event_progression p
            union all select s.name, s.version from antbot.snapshots s where starts_with(s.stream_id, $1) order by 1
            """,
            row => new Follower(row.GetString(0), row.GetInt64(1)),
            cancellationToken,
            ProjectionRunner.HomePrefix);

    public async Task<IReadOnlySet<string>> ReadArchivedStreamsAsync(string archive, CancellationToken cancellationToken) =>
        (await ReadAsync(
            "reading what an archive has",
            "select s.stream_id from antbot.archived_streams s join antbot.archives n on n.number = s.archive where n.name = $1",
            row => row.GetString(0),
            cancellationToken,
            archive)).ToHashSet(StringComparer.Ordinal);

    public async Task<long> CountArchivedAsync(CancellationToken cancellationToken) =>
        (await ReadAsync("counting archived events", "select coalesce(sum(events), 0)::bigint from antbot.archives", row => row.GetInt64(0), cancellationToken))[0];

    public Task<IReadOnlyList<string>> TakeOutAsync(TakeOut takeOut, CancellationToken cancellationToken)
    {
        Archiving.Check(takeOut);
        return reader.RunAsync("taking archived streams out", pool.Writers, async connection =>
        {
            await using var command = new NpgsqlCommand("call antbot.take_out($1, $2, $3, $4, $5, $6, $7, $8, null, null, null)", connection);
            object[] values = [takeOut.Archive, takeOut.Record, Streams.Archive(takeOut.Archive).Value, Archiving.RecordType];
            foreach (var value in values)
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            Add(command, NpgsqlDbType.Varchar, takeOut.Streams.Select(s => s.Stream).ToArray());
            Add(command, NpgsqlDbType.Bigint, takeOut.Streams.Select(s => s.Version).ToArray());
            Add(command, NpgsqlDbType.Bigint, takeOut.Events.Select(e => e.Sequence).ToArray());
            Add(command, NpgsqlDbType.Bytea, takeOut.Events.Select(e => e.Content).ToArray());
            await using var row = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, cancellationToken);
            if (!await row.ReadAsync(cancellationToken))
                throw new EventStoreException(StoreFault.Corrupt, "The procedure that takes archived streams out gave no answer: the schema in the database is not this build's.");
            return PostgresRows.Text(row, 1) switch
            {
                null => (IReadOnlyList<string>)await row.GetFieldValueAsync<string[]>(0, cancellationToken),
                "no_record" => throw Archiving.NoRecord(takeOut.Archive),
                "content" => throw Archiving.WrongContent(row.GetInt64(2)),
                _ => throw Archiving.WrongEvents(),
            };
        }, cancellationToken);
    }

    private static void Add(NpgsqlCommand command, NpgsqlDbType type, object values) =>
        command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | type, Value = values });

    private Task<IReadOnlyList<T>> ReadAsync<T>(string doing, string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params object[] values) =>
        reader.RunAsync(doing, pool.Auditors, async connection =>
        {
            await using var command = PostgresReader.Command(connection, sql, values);
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            var found = new List<T>();
            while (await row.ReadAsync(cancellationToken))
                found.Add(read(row));
            return (IReadOnlyList<T>)found;
        }, cancellationToken);
}
