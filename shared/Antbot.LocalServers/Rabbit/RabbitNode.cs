using System.Security.Cryptography;
using System.Text;
using Antbot.LocalServers.Processes;

namespace Antbot.LocalServers.Rabbit;

/// <summary>The folder of a local broker: its configuration files, and the environment and command that it runs with.</summary>
internal sealed record RabbitNode(
    RabbitBinaries Binaries, RabbitServerOptions Options, InstanceFolder Folder, UnprivilegedUser User, RabbitNode.Ports Listens, string Password)
{
    public const string UserName = "antbot";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnersFolder = OwnerOnly | UnixFileMode.UserExecute;

    // The distribution and the command line tools listen too; and nobody but us starts the port mapper.
    private const string PrivateDistribution = "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}";

    internal sealed record Ports(int Amqp, int Distribution, int PortMapper, int? Management)
    {
        public static Ports Choose(RabbitServerOptions options) => new(
            options.Port ?? FreePort.Next(),
            FreePort.Next(),
            FreePort.Next(),
            options.Management ? options.ManagementPort ?? FreePort.Next() : null);
    }

    /// <summary>Kept data belongs to a node name, so the name follows from the folder.</summary>
    public string Name { get; } = $"antbot-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Folder.Path)))[..10]}@localhost";

    /// <summary>The broker writes its process id here.</summary>
    public string PidFile => Path.Combine(Home, "broker.pid");

    private string Home => Folder.In("node");

    public static async Task<RabbitNode> PrepareAsync(
        RabbitBinaries binaries, RabbitServerOptions options, InstanceFolder folder, CancellationToken cancellationToken)
    {
        var user = await UnprivilegedUser.FindAsync("rabbitmq", cancellationToken);
        var node = new RabbitNode(binaries, options, folder, user, Ports.Choose(options), LocalServers.Password.OfInstance(folder, user));
        node.WriteFiles();
        return node;
    }

    /// <summary>Started through a link in our folder, by which a sweep tells our port mapper from any other.</summary>
    public IReadOnlyList<string> PortMapperCommand => User.Command([Folder.In("epmd"), "-port", $"{Listens.PortMapper}", "-address", "127.0.0.1"]);

    /// <summary>The last argument is for whoever reads the process table: Erlang ignores flags that it does not know.</summary>
    public IReadOnlyList<string> ServerCommand => User.Command([Binaries.Server, "-antbot_instance", Folder.In("node")]);

    public IReadOnlyList<string> ControlCommand(params IReadOnlyList<string> arguments) =>
        User.Command([Binaries.Control, "--node", Name, "--quiet", .. arguments]);

    public Dictionary<string, string> Environment => new(StringComparer.Ordinal)
    {
        ["HOME"] = Home,
        ["ERL_EPMD_PORT"] = $"{Listens.PortMapper}",
        ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
        ["ERL_CRASH_DUMP"] = In("erl_crash.dump"),
        ["ERL_FLAGS"] = PrivateDistribution,
        ["RABBITMQ_NODENAME"] = Name,
        ["RABBITMQ_DIST_PORT"] = $"{Listens.Distribution}",
        ["RABBITMQ_CONF_ENV_FILE"] = In("rabbitmq-env.conf"),
        ["RABBITMQ_CONFIG_FILE"] = In("rabbitmq.conf"),
        ["RABBITMQ_CONFIG_FILES"] = In("conf.d"),
        ["RABBITMQ_ADVANCED_CONFIG_FILE"] = In("advanced.config"),
        ["RABBITMQ_ENABLED_PLUGINS_FILE"] = In("enabled_plugins"),
        ["RABBITMQ_MNESIA_BASE"] = In("mnesia"),
        ["RABBITMQ_GENERATED_CONFIG_DIR"] = In("config"),
        ["RABBITMQ_SCHEMA_DIR"] = In("schema"),
        ["RABBITMQ_LOG_BASE"] = In("log"),
        ["RABBITMQ_LOGS"] = "-",
        ["RABBITMQ_PID_FILE"] = PidFile,
        // The start script then becomes the Erlang process instead of staying in front of it, so that ids and signals mean the broker.
        ["RUNNING_UNDER_SYSTEMD"] = "true",
    };

    /// <summary>The lines of rabbitmq.conf that do not depend on where the broker runs.</summary>
    public static IEnumerable<string> LimitsAndMore(RabbitServerOptions options) =>
    [
        "disk_free_limit.absolute = 50MB",
        $"vm_memory_high_watermark.absolute = {options.MemoryLimitMegabytes}MB",
        .. options.Configuration,
    ];

    public void EmptyData()
    {
        Directory.Delete(In("mnesia"), recursive: true);
        User.Give(In("mnesia"), OwnersFolder);
    }

    private string In(string name) => Path.Combine(Home, name);

    private void WriteFiles()
    {
        User.Give(Home, OwnersFolder);
        foreach (var folder in new[] { "mnesia", "log", "config", "schema", "conf.d" })
            User.Give(In(folder), OwnersFolder);
        Write("rabbitmq-env.conf", "");
        Write("advanced.config", "[].\n");
        Write("enabled_plugins", Options.Management ? "[rabbitmq_management].\n" : "[].\n");
        Write("rabbitmq.conf", string.Join('\n', Configuration()) + "\n");
        if (!File.Exists(In(".erlang.cookie")))
            Write(".erlang.cookie", LocalServers.Password.New());
        File.SetUnixFileMode(In(".erlang.cookie"), UnixFileMode.UserRead);
        File.Delete(Folder.In("epmd"));
        File.CreateSymbolicLink(Folder.In("epmd"), Binaries.PortMapper);
    }

    private IEnumerable<string> Configuration()
    {
        yield return $"listeners.tcp.1 = 127.0.0.1:{Listens.Amqp}";
        yield return $"default_user = {UserName}";
        yield return $"default_pass = {Password}";
        if (Listens.Management is { } port)
        {
            yield return "management.tcp.ip = 127.0.0.1";
            yield return $"management.tcp.port = {port}";
        }

        foreach (var line in LimitsAndMore(Options))
            yield return line;
    }

    /// <summary>A file of the broker's user, beside its configuration.</summary>
    public string Write(string name, string content)
    {
        LocalServers.Password.WriteSecret(In(name), content);
        User.Give(In(name), OwnerOnly);
        return In(name);
    }
}
