using Antbot.EventStore.Postgres;
using Npgsql;

namespace Antbot.Benchmarks.Store;

/// <summary>
/// The same append without the ledger, in a database of its own, to see what the ledger costs: no links are hashed and no
/// ledger rows are written or looked up. It exists only here.
/// </summary>
internal static class LedgerFree
{
    public static async Task InstallAsync(string connectionString, CancellationToken cancellationToken)
    {
        // The newest of the migrations that define it, or the comparison would be with another function.
        var function = PostgresSchema.Script("007_in_order.sql");
        function = Cut(function, "        link := sha256(", ";");
        function = Cut(function, "    insert into antbot.ledger", ";");
        function = Replace(function, "select x.position, x.hash into pos, link from antbot.ledger x order by x.position desc limit 1;", "select 0, '\\x00'::bytea into pos, link;");
        // Its own question, whether the decision was made before, it asks the events instead: by stream, which has an index.
        function = Replace(function, "left join antbot.ledger x on x.event_id = p_id[u.o]", "left join (select null::uuid as event_id) x on x.event_id = p_id[u.o]");
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(function, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static string Cut(string text, string from, string to)
    {
        var begin = text.IndexOf(from, StringComparison.Ordinal);
        if (begin < 0)
            throw new InvalidOperationException($"The append function no longer holds '{from}'.");
        return text.Remove(begin, text.IndexOf(to, begin, StringComparison.Ordinal) + to.Length - begin);
    }

    private static string Replace(string text, string from, string to) => text.Contains(from, StringComparison.Ordinal)
        ? text.Replace(from, to, StringComparison.Ordinal)
        : throw new InvalidOperationException($"The append function no longer holds '{from}'.");
}
