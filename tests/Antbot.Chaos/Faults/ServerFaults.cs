using System.Globalization;
using Antbot.Chaos.Running;
using Npgsql;

namespace Antbot.Chaos.Faults;

/// <summary>What happens to the database and the broker.</summary>
internal static class ServerFaults
{
    private const int PageBytes = 8_192;

    /// <summary>Of its log, each of 16 MB: more than fit on the small disk.</summary>
    private const int SegmentsMax = 50;

    /// <summary>As long as it takes somebody to notice.</summary>
    private const double AwaySeconds = 3;

    public static async Task KillRabbitAsync(Scene scene)
    {
        await scene.Services.Rabbit.KillAsync(scene.Cancel);
        await scene.WaitAsync(AwaySeconds);
        await scene.Services.Rabbit.StartAgainAsync(scene.Cancel);
    }

    public static async Task RestartRabbitAsync(Scene scene)
    {
        await scene.Services.Rabbit.StopAsync(scene.Cancel);
        await scene.WaitAsync(AwaySeconds);
        await scene.Services.Rabbit.StartAgainAsync(scene.Cancel);
    }

    public static async Task AlarmRabbitAsync(Scene scene, IReadOnlyList<string> raise, IReadOnlyList<string> end)
    {
        await scene.Services.Rabbit.ControlAsync(raise, scene.Cancel);
        try
        {
            await scene.StandstillAsync(() => ValidatedAsync(scene), 20, "what needs messages");
        }
        finally
        {
            await scene.Services.Rabbit.ControlAsync(end, CancellationToken.None);
        }
    }

    public static async Task LoseRabbitDataAsync(Scene scene)
    {
        await scene.AcceptedAsync(10);
        await scene.Services.Rabbit.KillAsync(scene.Cancel);
        await scene.Services.Rabbit.LoseDataAsync(scene.Cancel);
        await scene.Services.Rabbit.StartAgainAsync(scene.Cancel);
        await scene.Services.MakeVirtualHostAsync(scene.Cancel);
        await scene.AcceptedAsync(10);
        scene.Note("every queue and message was lost");
    }

    public static async Task RestartPostgresAsync(Scene scene, Func<CancellationToken, Task> end)
    {
        await end(scene.Cancel);
        await scene.WaitAsync(AwaySeconds);
        await scene.Services.Postgres.StartAgainAsync(scene.Cancel);
    }

    /// <summary>The page that is written to is the last one; the one before it is whole and often read.</summary>
    public static async Task CorruptPageAsync(Scene scene)
    {
        var postgres = scene.Services.Postgres;
        var (file, pages) = await FileOfAsync(scene, "mt_events");
        if (pages < 3)
            throw new ChaosException($"The history has only {pages} pages.");
        await postgres.StopAsync(scene.Cancel);
        var (at, good) = ((pages - 2) * PageBytes, new byte[PageBytes]);
        await using (var data = new FileStream(file, FileMode.Open, FileAccess.ReadWrite))
        {
            data.Position = at;
            await data.ReadExactlyAsync(good, scene.Cancel);
            data.Position = at;
            await data.WriteAsync(good.Select(b => (byte)~b).ToArray(), scene.Cancel);
        }
        await postgres.StartAgainAsync(scene.Cancel);
        var refused = false;
        try
        {
            await scene.Services.ReadStoreAsync(scene.Cancel);
        }
        catch (PostgresException e)
        {
            refused = true;
            scene.Note($"the database said: {e.MessageText}");
        }
        await scene.WaitAsync(10);
        await postgres.StopAsync(scene.Cancel);
        await using (var data = new FileStream(file, FileMode.Open, FileAccess.ReadWrite))
        {
            data.Position = at;
            await data.WriteAsync(good, scene.Cancel);
        }
        await postgres.StartAgainAsync(scene.Cancel);
        if (!refused)
            throw new ChaosException("Nobody noticed the page.");
    }

    public static async Task FillPostgresDiskAsync(Scene scene)
    {
        await ServicesSqlAsync(scene, "create table ballast (bytes text)");
        var megabytes = 0;
        try
        {
            for (; megabytes < 1_000; megabytes++)
                await ServicesSqlAsync(scene, "insert into ballast select repeat('x', 1900) from generate_series(1, 500)");
            throw new ChaosException("The small disk did not fill up.");
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DiskFull)
        {
            scene.Note($"the disk was full after {megabytes} MB");
        }
        await scene.StandstillAsync(() => Task.FromResult<long>(scene.Load.AcceptedCount), 15, "what is accepted");
        await ServicesSqlAsync(scene, "drop table ballast");
    }

    /// <summary>Without its log the database falls over, and comes up again only when there is room for it.</summary>
    public static async Task FillPostgresLogDiskAsync(Scene scene)
    {
        var postgres = scene.Services.Postgres;
        var bytes = await scene.Services.OnSmallDiskAsync("""dd if=/dev/zero "of=$2/ballast" bs=4k 2>&-; stat -c %s "$2/ballast" """, scene.Cancel);
        var segments = 0;
        try
        {
            for (; segments < SegmentsMax; segments++)
                await ServicesSqlAsync(scene, "create table if not exists ballast (bytes text); insert into ballast values ('x'); select pg_switch_wal()");
            throw new ChaosException("The disk of the log did not fill up.");
        }
        catch (Exception e) when (e is NpgsqlException)
        {
            scene.Note($"the disk was full after {long.Parse(bytes, CultureInfo.InvariantCulture) >> 20} MB and {segments} segments of the log: {e.Message}");
        }
        await scene.StandstillAsync(() => Task.FromResult<long>(scene.Load.AcceptedCount), 15, "what is accepted");
        var hasFallen = !await postgres.IsRunningAsync(scene.Cancel);
        scene.Note(hasFallen ? "the database had ended" : "the database still ran");
        await scene.Services.OnSmallDiskAsync("""rm "$2/ballast" """, scene.Cancel);
        if (hasFallen)
            await postgres.StartAgainAsync(scene.Cancel);
        await scene.UntilAsync(async () => await TryDropBallastAsync(scene), "the database takes writes again");
    }

    private static async Task<bool> TryDropBallastAsync(Scene scene)
    {
        try
        {
            await ServicesSqlAsync(scene, "drop table if exists ballast");
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    /// <summary>Past the first message of a trade's life.</summary>
    private static async Task<long> ValidatedAsync(Scene scene)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(scene.Services.StoreAddress) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(scene.Cancel);
        await using var command = new NpgsqlCommand("select count(*) from mt_events where type = 'trade_validated'", connection);
        return (long)(await command.ExecuteScalarAsync(scene.Cancel))!;
    }

    private static Task ServicesSqlAsync(Scene scene, string sql) => ServicesTarget.SqlAsync(scene.Services.StoreAddress, sql, scene.Cancel);

    private static async Task<(string File, long Pages)> FileOfAsync(Scene scene, string table)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(scene.Services.StoreAddress) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(scene.Cancel);
        await using var command = new NpgsqlCommand($"select current_setting('data_directory') || '/' || pg_relation_filepath('{table}'), pg_relation_size('{table}') / {PageBytes}", connection);
        await using var row = await command.ExecuteReaderAsync(scene.Cancel);
        await row.ReadAsync(scene.Cancel);
        return (row.GetString(0), row.GetInt64(1));
    }
}
