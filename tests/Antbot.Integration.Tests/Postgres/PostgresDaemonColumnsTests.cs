using Antbot.EventStore.Contract;
using Antbot.EventStore.Postgres;
using Antbot.Runtime.Store;
using Npgsql;
using Xunit;

namespace Antbot.Integration.Tests.Postgres;

/// <summary>
/// Subscriptions on a table that a later Marten has widened by its daemon's columns: they share the table, and neither disturbs the other.
/// </summary>
public sealed class PostgresDaemonColumnsTests(PostgresFixture fixture) : SubscriptionContract
{
    private const string Widen = """
        alter table public.mt_event_progression
          add column mode varchar default 'none', add column rebuild_threshold integer default 0, add column assigned_node integer default 0,
          add column heartbeat timestamptz, add column agent_status varchar(20), add column pause_reason text, add column running_on_node integer,
          add column warning_behind_threshold bigint, add column critical_behind_threshold bigint, add column failure_category varchar(50),
          add column failure_event_sequence bigint, add column failure_event_type varchar(500), add column failure_event_tenant_id varchar(500)
        """;

    private readonly PostgresStores _stores = new(fixture);

    protected override async Task<IEventStore> OpenEmptyAsync()
    {
        var store = await _stores.OpenEmptyAsync();
        await ExecuteAsync(Widen);
        return store;
    }

    protected override Task<IEventStore> OpenAgainAsync() => _stores.OpenAgainAsync();

    protected override ValueTask CleanUpAsync() => _stores.DropAsync();

    [Fact]
    public async Task A_daemons_row_stays_as_it_is_and_ours_has_what_the_columns_default_to()
    {
        await ExecuteAsync("insert into public.mt_event_progression (name, last_seq_id, mode, assigned_node, heartbeat, agent_status) values ('Orders:All', 7, 'continuous', 3, '2026-01-02Z', 'Running')");
        await Store.SaveCheckpointAsync("ours", 5, Cancel);
        await Store.SaveCheckpointAsync("ours", 6, Cancel);

        Assert.Equal(6, await Store.LoadCheckpointAsync("ours", Cancel));
        Assert.Equal(7, await Store.LoadCheckpointAsync("Orders:All", Cancel));
        Assert.Equal(
            ["Orders:All 7 continuous 3 Running 2026-01-02", "ours 6 none 0 - -"],
            await ReadAsync("select concat_ws(' ', name, last_seq_id, mode, assigned_node, coalesce(agent_status, '-'), coalesce((heartbeat at time zone 'UTC')::date::text, '-')) from public.mt_event_progression order by name"));
    }

    /// <summary>Prevents a plan that was made before the columns came from failing after they have.</summary>
    [Fact]
    public async Task Columns_that_come_and_go_while_a_subscription_runs_do_not_disturb_it()
    {
        var seen = 0L;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var subscription = new DurableSubscription(
            Store,
            "runs on",
            (page, _) =>
            {
                Interlocked.Add(ref seen, page.Count);
                return Task.CompletedTask;
            },
            TimeProvider.System,
            new SubscriptionOptions { Poll = TimeSpan.FromMilliseconds(100) });
        var running = subscription.RunAsync(stop.Token);
        var last = 0L;
        for (var round = 0; round < 6; round++)
        {
            await ExecuteAsync(round % 2 == 0 ? "alter table public.mt_event_progression drop column heartbeat, drop column mode" : "alter table public.mt_event_progression add column heartbeat timestamptz, add column mode varchar default 'none'");
            last = (await AppendAsync(Some.Append(Some.Stream(), Some.Events(5))))[^1].Sequence;
            await Eventually(() => subscription.Position >= last);
        }
        await stop.CancelAsync();
        await running;

        Assert.Equal(30, seen);
        Assert.Equal(last, await Store.LoadCheckpointAsync("runs on", Cancel));
        Assert.Equal(0, await PostgresSchema.EnsureAsync(_stores.ConnectionString, Cancel));
    }

    private static async Task Eventually(Func<bool> holds)
    {
        for (var tries = 0; !holds(); tries++)
        {
            Assert.True(tries < 600, "It has not come about within 30 s.");
            await Task.Delay(50, Cancel);
        }
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(_stores.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancel);
    }

    private async Task<List<string>> ReadAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(_stores.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await using var row = await command.ExecuteReaderAsync(Cancel);
        var rows = new List<string>();
        while (await row.ReadAsync(Cancel))
            rows.Add(row.GetString(0));
        return rows;
    }
}
