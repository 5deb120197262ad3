using Antbot.Runtime.Venue;
using Npgsql;

namespace Antbot.EventStore.Postgres;

/// <summary>
/// The budget that processes share through their store, over a connection of its own: a draw is one short transaction, and a store that
/// does not answer at once is not waited for.
/// </summary>
public sealed class PostgresVenueBudget : IVenueBudget, IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;

    public PostgresVenueBudget(string connectionString)
    {
        var text = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Pooling = true,
            MinPoolSize = 0,
            // One asks at a time in a process; the second is for the word that the venue has told us to wait.
            MaxPoolSize = 2,
            Timeout = 2,
            CommandTimeout = 2,
            // A server that does not answer is not asked to leave it.
            CancellationTimeout = -1,
            TcpKeepAlive = true,
            Enlist = false,
            MaxAutoPrepare = 4,
            AutoPrepareMinUsages = 2,
            NoResetOnClose = true,
            ApplicationName = "antbot venue budget",
        };
        text.Options = $"{text.Options} -c statement_timeout=2000 -c jit=off".Trim();
        _source = NpgsqlDataSource.Create(text);
    }

    public async Task<BudgetAnswer> DrawAsync(string venue, IReadOnlyList<BudgetDraw> draws, CancellationToken cancellationToken = default)
    {
        try
        {
            await using var command = _source.CreateCommand("select r_granted, r_used, r_blocked_ms from antbot.draw_venue_budget($1, $2, $3, $4, $5, $6, $7, $8)");
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = venue });
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. draws.Select(d => d.Scope)] });
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. draws.Select(d => d.Kind)] });
            foreach (var field in new Func<BudgetDraw, long>[] { d => d.Slot, d => d.Need, d => d.Wanted, d => d.Cap, d => d.Seen })
                command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. draws.Select(field)] });
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            await row.ReadAsync(cancellationToken);
            return new BudgetAnswer(row.GetFieldValue<long[]>(0), row.GetFieldValue<long[]>(1), TimeSpan.FromMilliseconds(row.GetInt64(2)));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw PostgresFaults.Translate(e, "drawing on the venue's budget");
        }
    }

    public async Task BlockAsync(string venue, TimeSpan wait, CancellationToken cancellationToken = default)
    {
        try
        {
            await using var command = _source.CreateCommand("select antbot.block_venue($1, $2)");
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = venue });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = (long)Math.Ceiling(wait.TotalMilliseconds) });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw PostgresFaults.Translate(e, "telling the others that the venue wants us to wait");
        }
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
