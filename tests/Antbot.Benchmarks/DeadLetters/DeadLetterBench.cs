using System.Diagnostics;
using System.Text.Json;
using Antbot.Benchmarks.Store;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Kernel.Identity;
using Antbot.LocalServers;
using Antbot.ReadModels;

namespace Antbot.Benchmarks.DeadLetters;

/// <summary>A million dead letters, listed page by page to the end, and by everything that they are searched by; the slowest page counts.</summary>
public static class DeadLetterBench
{
    /// <summary>As many as the read models take at once.</summary>
    private const int Batch = 1_000;
    private const int PageSize = 100;

    /// <summary>Each page is one question; all of them would be ten thousand.</summary>
    private const int PagesLooked = 200;
    private const double MillisecondsMax = 200;

    private static readonly string[] Endpoints = ["coordinator", "validation", "risk", "execution", "reconciliation"];

    public static async Task RunAsync(BenchReport report, int letters, CancellationToken cancellationToken)
    {
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions { MustBeOwned = true }, cancellationToken);
        var database = await StoreBench.NewDatabaseAsync(server, cancellationToken);
        await using (var models = new PostgresReadModels(database))
            await RunAsync(report.Of("PostgreSQL"), "PostgreSQL", models, letters, cancellationToken);
        var folder = Directory.CreateTempSubdirectory("antbot-bench-letters-");
        try
        {
            await using var models = await SqliteReadModels.OpenAsync(Path.Combine(folder.FullName, "views.db"), DeterministicId.From("bench"), cancellationToken);
            await RunAsync(report.Of("SQLite"), "SQLite", models, letters, cancellationToken);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task RunAsync(BenchSection report, string engine, IReadModels models, int letters, CancellationToken cancellationToken)
    {
        for (var from = 0; from < letters; from += Batch)
            await models.ApplyAsync(from, from + Batch, [.. Enumerable.Range(from, Batch).Select(Row)], cancellationToken);
        var first = await MillisecondsAsync(() => models.ListAsync(ViewTable.DeadLetters, ViewQuery.All with { Limit = PageSize }, cancellationToken));
        (string Name, ViewQuery Query)[] questions =
        [
            ("all", ViewQuery.All),
            ("by a common state", new ViewQuery([nameof(DeadLetterStatus.New)])),
            ("by a rare state", new ViewQuery([nameof(DeadLetterStatus.Discarded)])),
            ("by endpoint", Sought(ViewTables.Endpoint, Endpoints[2])),
            ("by type", Sought(ViewTables.MessageType, "Type7")),
            ("by fingerprint", Sought(ViewTables.Fingerprint, "cause3")),
            ("by a rare fingerprint", Sought(ViewTables.Fingerprint, "rare")),
            ("by endpoint and state", Sought(ViewTables.Endpoint, Endpoints[2]) with { States = [nameof(DeadLetterStatus.New)] }),
            ("by trade", new ViewQuery([], Trade: Trade(letters / 2).Value)),
        ];
        foreach (var (name, query) in questions)
            report.Within($"{engine}: slowest page of {letters:N0}, {name}", await SlowestAsync(models, query with { Limit = PageSize }, letters, cancellationToken), "ms", MillisecondsMax, limit: first);
    }

    /// <summary>From the newest on, and once more from places all over the list.</summary>
    private static async Task<double> SlowestAsync(IReadModels models, ViewQuery query, int letters, CancellationToken cancellationToken)
    {
        var (slowest, after) = (0.0, (string?)null);
        for (var page = 0; page < PagesLooked; page++)
        {
            IReadOnlyList<ViewRow> rows = [];
            slowest = Math.Max(slowest, await MillisecondsAsync(async () => rows = await models.ListAsync(ViewTable.DeadLetters, query with { After = after }, cancellationToken)));
            if (page >= PagesLooked / 2)
                after = Id((int)((long)letters * (PagesLooked - page) / PagesLooked));
            else if (rows.Count < PageSize)
                page = (PagesLooked / 2) - 1;
            else
                after = rows[^1].Id;
        }
        return slowest;
    }

    private static async Task<double> MillisecondsAsync(Func<Task> work)
    {
        var at = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(at).TotalMilliseconds;
    }

    private static ViewQuery Sought(string column, string value) => ViewQuery.All with { Search = new Dictionary<string, string> { [column] = value } };

    private static string Id(int n) => DeterministicId.From("letter", n.ToString()).ToString("N");

    private static TradeId Trade(int n) => new(DeterministicId.From("trade", (n / 3).ToString()));

    private static ViewRow Row(int n)
    {
        var at = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddSeconds(n / 10);
        var state = n % 5_000 == 0 ? DeadLetterStatus.Discarded : DeadLetterStatus.New;
        var letter = new DeadLetterView(
            Id(n), state, "antbot-risk_error", Endpoints[n % Endpoints.Length], DeadLetterKind.Fault, DeterministicId.From("message", n.ToString()), $"Type{n % 13}", [Trade(n)], "System.InvalidOperationException",
            $"Number {n} is too large for what it was meant for, and there is a longer story to it.", 5, at, "0.1.0", n % 10_000 == 1 ? "rare" : $"cause{n % 40}", 2_000, at, at, "", "", 0, null);
        return new ViewRow(ViewTable.DeadLetters, letter.Id, n + 1, letter.Trades[0].Value, null, null, state.ToString(), at, at, JsonSerializer.SerializeToUtf8Bytes(letter, ReadModelJson.Options))
        {
            Search = [letter.Endpoint, letter.MessageType, letter.Fingerprint, null],
        };
    }
}
