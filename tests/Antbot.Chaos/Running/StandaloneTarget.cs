using System.Diagnostics;
using Antbot.Chaos.Checking;
using Antbot.LocalServers;

namespace Antbot.Chaos.Running;

/// <summary>The platform in one process on SQLite, with the venue inside it.</summary>
internal sealed class StandaloneTarget : Target
{
    private const string Name = "standalone";

    private static readonly string[] Settings =
    [
        "profile=load", "signal:strategies=", "signal:lifeSeconds=300", "validation:maxAgeSeconds=600", "validation:duplicateWindowSeconds=0", "risk:maxExposure=100000",
        "execution:holdingSecondsMax=3",
    ];

    private readonly SmallDisk? _disk;
    private readonly Daemon _daemon;
    private readonly Uri _address = new($"http://127.0.0.1:{FreePort.Next()}");

    private StandaloneTarget(string folder, Programs programs, SmallDisk? disk)
        : base(folder)
    {
        _disk = disk;
        var inside = disk is null ? Path.Combine(folder, "data") : Path.Combine(disk.FolderInside, "data");
        DataFolder = disk is null ? inside : Path.Combine(disk.Folder, "data");
        _daemon = new Daemon(Name, () => Start(programs, inside), Path.Combine(Logs, $"{Name}.log"));
    }

    public override IReadOnlyList<Daemon> Daemons => [_daemon];

    public override IReadOnlyList<Uri> Signals => [_address];

    public override string SignalKey => File.ReadAllText(Path.Combine(DataFolder, "keys", "signal-api-key"));

    public string DataFolder { get; }

    protected override string VenueFolder => Path.Combine(DataFolder, "venue");

    public static async Task<StandaloneTarget> StartAsync(string folder, Programs programs, StandaloneLayout layout, Action<string> say, CancellationToken cancellationToken)
    {
        say("starting the one process");
        Directory.CreateDirectory(folder);
        var disk = layout.SmallDiskMegabytes is { } megabytes ? await SmallDisk.CreateAsync(megabytes, cancellationToken) : null;
        var target = new StandaloneTarget(folder, programs, disk);
        try
        {
            target._daemon.Start();
            await target.ReadyAsync(TimeSpan.FromSeconds(90), cancellationToken);
            return target;
        }
        catch
        {
            await target.DisposeAsync();
            throw;
        }
    }

    public override Task<Store> ReadStoreAsync(CancellationToken cancellationToken) => Task.FromResult(SqliteReader.Read(Path.Combine(DataFolder, "antbot.db")));

    /// <summary>Messages wait in the process's own memory only; how many it has given up it counts itself, in each of its lives anew.</summary>
    public override async Task<IReadOnlyList<QueueDepth>> ReadQueuesAsync(CancellationToken cancellationToken) =>
        [new QueueDepth(QueueDepth.GivenUp, (long)(await GaugeAsync(_address, "antbot_messages_dead_lettered_total", "", cancellationToken) ?? 0))];

    public override Task<string?> WhyNotReadyAsync(CancellationToken cancellationToken) => WhyNotReadyAsync(Name, new Uri(_address, "readyz"), cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_disk is not null)
            await _disk.DisposeAsync();
    }

    private ProcessStartInfo Start(Programs programs, string data)
    {
        string[] command = [.. _disk?.Wrapper ?? [], "dotnet", programs.Standalone, "--data", data, "--quiet", .. Settings.Append($"listen={_address}").SelectMany(s => new[] { "--set", s })];
        return new ProcessStartInfo(command[0], command[1..]);
    }
}
