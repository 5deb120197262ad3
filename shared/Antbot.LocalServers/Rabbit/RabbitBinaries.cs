namespace Antbot.LocalServers.Rabbit;

/// <summary>Where a RabbitMQ installation keeps its scripts, and the Erlang port mapper that it needs.</summary>
internal sealed record RabbitBinaries(string Folder, string PortMapper)
{
    public const string FolderVariable = "ANTBOT_RABBITMQ_SBIN";
    public const string PortMapperVariable = "ANTBOT_EPMD";
    public const string Missing =
        "No RabbitMQ found: install the package 'rabbitmq-server' (Debian, Ubuntu: apt-get install rabbitmq-server; macOS: brew install rabbitmq), "
        + $"or start Docker, or set {FolderVariable} to the folder of the real 'rabbitmq-server' script.";

    private static readonly string[] Places =
    [
        "usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin",
        "opt/homebrew/opt/rabbitmq/sbin",
        "usr/local/opt/rabbitmq/sbin",
        "home/linuxbrew/.linuxbrew/opt/rabbitmq/sbin",
        "opt/rabbitmq/sbin",
        "opt/rabbitmq_server-*/sbin",
    ];

    private static readonly string[] PortMapperPlaces =
    [
        "usr/bin",
        "usr/lib/erlang/erts-*/bin",
        "usr/lib64/erlang/erts-*/bin",
        "usr/local/lib/erlang/erts-*/bin",
        "opt/homebrew/opt/erlang/lib/erlang/erts-*/bin",
        "usr/local/opt/erlang/lib/erlang/erts-*/bin",
        "home/linuxbrew/.linuxbrew/opt/erlang/lib/erlang/erts-*/bin",
    ];

    public string Server => Path.Combine(Folder, "rabbitmq-server");

    public string Control => Path.Combine(Folder, "rabbitmqctl");

    public static RabbitBinaries? Find(HostView host)
    {
        if (host.Value(FolderVariable) is { } chosen && !IsComplete(chosen))
        {
            throw new ServerNotFoundException(
                $"{FolderVariable} is '{chosen}', but 'rabbitmq-server', 'rabbitmqctl' and 'rabbitmq-env' are not all there. Correct or unset it.");
        }

        var folder = host.Value(FolderVariable)
            ?? Places.SelectMany(host.Folders).Concat(ScriptsOnPath(host)).FirstOrDefault(IsComplete);
        return folder is null ? null : new RabbitBinaries(folder, FindPortMapper(host, folder));
    }

    private static string FindPortMapper(HostView host, string folder)
    {
        var candidates = new[] { host.Value(PortMapperVariable), host.OnPath("epmd") }
            .Concat(PortMapperPlaces.SelectMany(host.Folders).Select(place => Path.Combine(place, "epmd")));
        return candidates.FirstOrDefault(path => path is not null && HostView.IsThere(path))
            ?? throw new ServerNotFoundException(
                $"RabbitMQ is in {folder}, but Erlang's 'epmd' was not found: install the package 'erlang-base', or set {PortMapperVariable} to its path.");
    }

    // The distribution's wrappers in /usr/sbin change the user themselves and have no rabbitmq-env beside them.
    private static IEnumerable<string> ScriptsOnPath(HostView host) =>
        host.PathFolders
            .Select(folder => Path.Combine(folder, "rabbitmq-server"))
            .Where(HostView.IsThere)
            .Select(script => File.ResolveLinkTarget(script, returnFinalTarget: true)?.FullName ?? script)
            .Select(script => Path.GetDirectoryName(script)!);

    private static bool IsComplete(string folder) =>
        HostView.IsThere(Path.Combine(folder, "rabbitmq-server"))
        && HostView.IsThere(Path.Combine(folder, "rabbitmqctl"))
        && HostView.IsThere(Path.Combine(folder, "rabbitmq-env"));
}
