using System.Diagnostics;
using Antbot.LocalServers;

namespace Antbot.Benchmarks.Servers;

/// <summary>How long a private server takes until it answers, from nothing; beside it the same server started once more on the data it has.</summary>
public static class ServersBench
{
    private const int Rounds = 3;
    private const double PostgresSecondsMax = 3;
    private const double RabbitSecondsMax = 15;

    public static async Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        var (first, again) = (new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            var at = Stopwatch.GetTimestamp();
            await using var server = await PostgresServer.StartAsync(new PostgresServerOptions { MustBeOwned = true }, cancellationToken);
            first.Add(Stopwatch.GetElapsedTime(at).TotalSeconds);
            await server.StopAsync(cancellationToken);
            again.Add(await SecondsAsync(() => server.StartAgainAsync(cancellationToken)));
        }
        report.Of("private PostgreSQL").Within("PostgreSQL, ready from nothing", LoadResult.Middle(first), "s", PostgresSecondsMax, limit: LoadResult.Middle(again));

        (first, again) = ([], []);
        for (var round = 0; round < Rounds; round++)
        {
            var at = Stopwatch.GetTimestamp();
            await using var server = await RabbitServer.StartAsync(new RabbitServerOptions { MustBeOwned = true }, cancellationToken);
            first.Add(Stopwatch.GetElapsedTime(at).TotalSeconds);
            await server.StopAsync(cancellationToken);
            again.Add(await SecondsAsync(() => server.StartAgainAsync(cancellationToken)));
        }
        report.Of("private RabbitMQ").Within("RabbitMQ, ready from nothing", LoadResult.Middle(first), "s", RabbitSecondsMax, limit: LoadResult.Middle(again));
    }

    private static async Task<double> SecondsAsync(Func<Task> work)
    {
        var at = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(at).TotalSeconds;
    }
}
