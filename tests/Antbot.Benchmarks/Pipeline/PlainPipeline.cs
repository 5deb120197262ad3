using Npgsql;

namespace Antbot.Benchmarks.Pipeline;

/// <summary>The plain MassTransit way: see <c>tests/Antbot.Testing.PlainPipeline</c>.</summary>
internal sealed class PlainPipeline : IPipeline
{
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(90);

    private readonly List<BenchProcess> _services = [];
    private readonly Servers _servers;
    private readonly VenueProcess _venue;
    private readonly NpgsqlDataSource _source;

    private PlainPipeline(Servers servers, VenueProcess venue, NpgsqlDataSource source) => (_servers, _venue, _source) = (servers, venue, source);

    public SignalClient Client { get; private set; } = null!;

    public IReadOnlyList<BenchProcess> Processes => [.. _services, _venue.Process, .. _servers.Processes];

    public static async Task<PlainPipeline> StartAsync(Servers servers, CancellationToken cancellationToken)
    {
        var venue = await VenueProcess.StartAsync(Path.Combine(servers.Folder, "plain"), cancellationToken);
        var database = (await servers.Postgres.CreateDatabaseAsync(cancellationToken: cancellationToken)).ConnectionString;
        var pipeline = new PlainPipeline(servers, venue, NpgsqlDataSource.Create(database));
        try
        {
            await pipeline.StartServicesAsync(database, cancellationToken);
            return pipeline;
        }
        catch
        {
            await pipeline.DisposeAsync();
            throw;
        }
    }

    private async Task StartServicesAsync(string database, CancellationToken cancellationToken)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PLAIN_DATABASE"] = database,
            ["PLAIN_BROKER"] = (await _servers.Rabbit.CreateVirtualHostAsync(cancellationToken: cancellationToken)).Uri.ToString(),
            ["PLAIN_VENUE"] = _venue.Address.ToString(),
            ["PLAIN_KEY"] = await File.ReadAllTextAsync(_venue.Keys.FileOf("venue-key"), cancellationToken),
            ["PLAIN_SECRET"] = await File.ReadAllTextAsync(_venue.Keys.FileOf("venue-secret"), cancellationToken),
        };
        await MakeSchemaAsync(environment, cancellationToken);
        var ready = new List<(BenchProcess Process, Uri Address)>();
        foreach (var name in new[] { "signal", "coordinator", "validation", "risk", "execution", "reconciliation" })
            ready.Add(Start(name, environment));
        Client = new SignalClient(ready[0].Address, "none", await _venue.PricesAsync(cancellationToken));
        foreach (var (process, address) in ready)
            await Servers.UntilAnsweredAsync(new Uri(address, "/ready"), process, ReadyWithin, cancellationToken);
    }

    public async Task<long> ProgressAsync(CancellationToken cancellationToken)
    {
        // Rows that come and go in all of its tables, as the server counts them.
        await using var command = _source.CreateCommand("select coalesce(sum(n_tup_ins + n_tup_upd), 0)::bigint from pg_stat_user_tables");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public async Task<IReadOnlyDictionary<string, TradeTimes>> ReadAsync(CancellationToken cancellationToken)
    {
        var trades = new Dictionary<string, TradeTimes>(StringComparer.Ordinal);
        await using var command = _source.CreateCommand("""
            select t.id, (t.signal->>'RaisedAt')::timestamptz, o.accepted_at, t.done_at from plain_trades t left join plain_orders o on o.trade = t.id
            """);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
            trades[row.GetGuid(0).ToString("N")] = new TradeTimes(At(1), At(2), At(3), null);
        return trades;

        DateTimeOffset? At(int column) => row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        await Task.WhenAll(_services.Select(s => s.DisposeAsync().AsTask()));
        await _venue.DisposeAsync();
        await _source.DisposeAsync();
    }

    private async Task MakeSchemaAsync(Dictionary<string, string> environment, CancellationToken cancellationToken)
    {
        var (process, _) = Start("schema", environment);
        _services.Remove(process);
        while (!process.HasEnded)
            await Task.Delay(50, cancellationToken);
        await process.DisposeAsync();
    }

    private (BenchProcess Process, Uri Address) Start(string name, Dictionary<string, string> environment)
    {
        var address = Servers.FreeAddress();
        var process = BenchProcess.Start(
            name, Servers.ProgramOf("tests/Antbot.Testing.PlainPipeline/", "Antbot.Testing.PlainPipeline"), [name],
            new Dictionary<string, string>(environment, StringComparer.Ordinal) { ["PLAIN_LISTEN"] = address.ToString() }, Path.Combine(_servers.Folder, $"plain-{name}.log"));
        _services.Add(process);
        return (process, address);
    }
}
