using System.Net;
using System.Net.Sockets;
using Antbot.LocalServers;

namespace Antbot.Benchmarks.Pipeline;

/// <summary>The private PostgreSQL and RabbitMQ that all pipelines of a run are measured on, one after the other.</summary>
internal sealed class Servers : IAsyncDisposable
{
    private const string Marker = "tests/Antbot.Benchmarks/";

    private Servers(PostgresServer postgres, RabbitServer rabbit, string folder) => (Postgres, Rabbit, Folder) = (postgres, rabbit, folder);

    public PostgresServer Postgres { get; }

    public RabbitServer Rabbit { get; }

    /// <summary>For logs, keys and the venue's journal.</summary>
    public string Folder { get; }

    public IReadOnlyList<BenchProcess> Processes => [BenchProcess.Watch("postgres", Postgres.PostmasterPid), BenchProcess.Watch("rabbitmq", Rabbit.BrokerPid)];

    public static async Task<Servers> StartAsync(CancellationToken cancellationToken)
    {
        var postgres = await PostgresServer.StartAsync(
            new PostgresServerOptions
            {
                MustBeOwned = true,
                ConnectionsMax = 600,
                Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["shared_buffers"] = "512MB", ["max_wal_size"] = "8GB", ["checkpoint_timeout"] = "30min" },
            },
            cancellationToken);
        try
        {
            var rabbit = await RabbitServer.StartAsync(new RabbitServerOptions { MustBeOwned = true }, cancellationToken);
            return new Servers(postgres, rabbit, Directory.CreateTempSubdirectory("antbot-bench-").FullName);
        }
        catch
        {
            await postgres.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Rabbit.DisposeAsync();
        await Postgres.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    public static Uri FreeAddress()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return new Uri($"http://127.0.0.1:{((IPEndPoint)socket.LocalEndPoint!).Port}");
    }

    /// <summary>The repository's folder.</summary>
    public static string Root { get; } = AppContext.BaseDirectory.LastIndexOf(Marker, StringComparison.Ordinal) is >= 0 and var at
        ? AppContext.BaseDirectory[..at]
        : throw new InvalidOperationException("The benchmarks run where the repository's build put them.");

    /// <summary>A program of this repository, as the same build made it.</summary>
    public static string ProgramOf(string project, string name)
    {
        // …/tests/Antbot.Benchmarks/bin/Release/net10.0/ → …/<project>/bin/Release/net10.0/
        var program = Path.Combine(Root, project, AppContext.BaseDirectory[(Root.Length + Marker.Length)..], $"{name}.dll");
        return File.Exists(program) ? program : throw new FileNotFoundException($"{name}.dll is not there. Build everything first: make build.");
    }

    public static async Task UntilAnsweredAsync(Uri address, BenchProcess process, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        var said = "nothing";
        while (System.Diagnostics.Stopwatch.GetElapsedTime(began) < limit && !process.HasEnded)
        {
            try
            {
                using var answer = await client.GetAsync(address, cancellationToken);
                if (answer.IsSuccessStatusCode)
                    return;
                said = await answer.Content.ReadAsStringAsync(cancellationToken);
            }
            catch (Exception e) when (e is HttpRequestException or SocketException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                said = e.Message;
            }
            await Task.Delay(20, cancellationToken);
        }
        throw new InvalidOperationException(process.HasEnded ? $"{process.Name} has ended while it was starting." : $"{process.Name} is not ready after {limit.TotalSeconds:0} s: {said}");
    }
}
