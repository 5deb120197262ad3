namespace Antbot.LocalServers;

public sealed record PostgresServerOptions
{
    /// <summary>Where the data is kept beyond the server's end; null for a throw-away instance.</summary>
    public string? DataFolder { get; init; }

    /// <summary>Only a server that is started here will do, because it is going to be killed or restarted.</summary>
    public bool MustBeOwned { get; init; }

    /// <summary>A fixed port on 127.0.0.1; null for any free one.</summary>
    public int? Port { get; init; }

    /// <summary>Off only where lost data does not matter: it makes every durability claim void.</summary>
    public bool Fsync { get; init; } = true;

    public int ConnectionsMax { get; init; } = 200;

    /// <summary>Further server settings, as in postgresql.conf. They are on the command line: no secrets here.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>A folder of so many megabytes that the server may fill: see <see cref="PostgresServer.SmallDiskFolder"/>.</summary>
    public int? SmallDiskMegabytes { get; init; }

    /// <summary>How long a start may take, crash recovery included.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(60);

    internal HostView Host { get; init; } = HostView.Machine;
}
