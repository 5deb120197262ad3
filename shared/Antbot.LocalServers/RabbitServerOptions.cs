namespace Antbot.LocalServers;

public sealed record RabbitServerOptions
{
    /// <summary>Where the data is kept beyond the broker's end; null for a throw-away instance.</summary>
    public string? DataFolder { get; init; }

    /// <summary>Only a broker that is started here will do, because it is going to be killed or restarted.</summary>
    public bool MustBeOwned { get; init; }

    /// <summary>A fixed port on 127.0.0.1; null for any free one.</summary>
    public int? Port { get; init; }

    /// <summary>The management plugin, with its HTTP API; it makes a start slower and virtual hosts quicker.</summary>
    public bool Management { get; init; }

    /// <summary>A fixed port for the management plugin; null for any free one.</summary>
    public int? ManagementPort { get; init; }

    /// <summary>Publishers are held back above this.</summary>
    public int MemoryLimitMegabytes { get; init; } = 1024;

    /// <summary>Further lines for rabbitmq.conf.</summary>
    public IReadOnlyList<string> Configuration { get; init; } = [];

    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(120);

    internal HostView Host { get; init; } = HostView.Machine;
}
