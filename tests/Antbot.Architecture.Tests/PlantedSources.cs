namespace Antbot.Architecture.Tests;

/// <summary>What the planted projects hold. A line that ends in the mark must be an error, and no other may be one.</summary>
internal static class PlantedSources
{
    public const string Mark = "// caught";

    public const string Core = "Planted.Core";
    public const string Kernel = "Antbot.Kernel";
    public const string Host = "Planted.Host";
    public const string Switches = "Planted.Switches";

    private static readonly string[] Banned =
    [
        "DateTime.Now",
        "DateTime.UtcNow",
        "DateTime.Today",
        "DateTimeOffset.Now",
        "DateTimeOffset.UtcNow",
        "TimeProvider.System",
        "TimeZoneInfo.Local",
        "Guid.NewGuid()",
        "Guid.CreateVersion7()",
        "Guid.CreateVersion7(DateTimeOffset.UnixEpoch)",
        "Random.Shared.Next()",
        "new Random()",
        "new Random(1)",
        "System.Security.Cryptography.RandomNumberGenerator.GetBytes(1)",
        "\"x\".GetHashCode()",
        "Task.Run(() => { })",
        "Task.Run(() => { }, CancellationToken.None)",
        "Task.Run(() => 1)",
        "Task.Run(() => 1, CancellationToken.None)",
        "Task.Run(() => Task.CompletedTask)",
        "Task.Run(() => Task.CompletedTask, CancellationToken.None)",
        "Task.Run(() => Task.FromResult(1))",
        "Task.Run(() => Task.FromResult(1), CancellationToken.None)",
        "Task.Factory.StartNew(() => { })",
        "Task.Delay(1)",
        "Task.Delay(1, CancellationToken.None)",
        "Task.Delay(TimeSpan.Zero)",
        "Task.Delay(TimeSpan.Zero, CancellationToken.None)",
        "Parallel.For(0, 1, _ => { })",
        "new Thread(() => { })",
        "Thread.CurrentThread.Name",
        "ThreadPool.ThreadCount",
        "new Timer(_ => { })",
        "Environment.TickCount",
        "Environment.TickCount64",
        "Environment.GetEnvironmentVariable(\"HOME\")",
        "System.Diagnostics.Stopwatch.GetTimestamp()",
        "System.Diagnostics.Stopwatch.StartNew()",
        "System.Diagnostics.Process.GetCurrentProcess()",
        "File.ReadAllText(\"x\")",
        "new FileInfo(\"x\")",
        "Directory.Exists(\"x\")",
        "new StreamReader(\"x\")",
        "Path.GetTempPath()",
        "new HttpClient()",
        "System.Net.Dns.GetHostName()",
        "new System.Net.Sockets.TcpClient()",
        "Console.ReadLine()",
    ];

    private static readonly string[] Allowed =
    [
        "DateTime.UnixEpoch",
        "DateTimeOffset.UnixEpoch.AddDays(1)",
        "Guid.Parse(\"0f8fad5b-d9cb-469f-a165-70867728950e\")",
        "System.Security.Cryptography.SHA256.HashData([])",
        "Math.Max(1, 2)",
        "Task.CompletedTask",
    ];

    public static IReadOnlyDictionary<string, string> All { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [Core] = Uses(),
        [Kernel] = Uses(),
        [Host] = Uses(),
        [Switches] = """
            namespace Planted;

            internal enum Side { Buy = 0, Sell = 1 }

            internal abstract record Outcome
            {
                private Outcome() { }
                internal sealed record Done : Outcome;
                internal sealed record Refused : Outcome;
            }

            internal static class Switches
            {
                internal static int All(Side side) => side switch { Side.Buy => 1, Side.Sell => -1 };
                internal static int Missing(Side side) => side switch { Side.Buy => 1 }; // caught
                internal static int Tuple(Side a, Side b) => (a, b) switch { (Side.Buy, _) => 1, (_, Side.Buy) => 2 }; // caught
                internal static int Missing(Outcome outcome) => outcome switch { Outcome.Done => 1 }; // caught
            }

            """,
    };

    /// <summary>The lines of a source that bear the mark, counted from 1.</summary>
    public static IReadOnlyList<int> Marked(string project) =>
        [.. All[project].Split('\n').Index().Where(line => line.Item.EndsWith(Mark, StringComparison.Ordinal)).Select(line => line.Index + 1)];

    /// <summary>For one line of a source: what stands in it.</summary>
    public static string Line(string project, int line) => All[project].Split('\n')[line - 1].Trim();

    private static string Uses()
    {
        var banned = Banned.Select((use, i) => $"    internal static object? Banned{i}() => {use}; {Mark}");
        var allowed = Allowed.Select((use, i) => $"    internal static object? Allowed{i}() => {use};");
        return $"namespace Planted;\n\ninternal static class Uses\n{{\n{string.Join('\n', banned.Concat(allowed))}\n}}\n";
    }
}
