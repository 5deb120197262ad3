namespace Antbot.LocalServers.Postgres;

/// <summary>Where a PostgreSQL installation keeps its programs.</summary>
internal sealed record PostgresBinaries(string Folder)
{
    public const string FolderVariable = "ANTBOT_POSTGRES_BIN";
    public const string Missing =
        "No PostgreSQL found: install the package 'postgresql' (Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql@17), "
        + $"or start Docker, or set {FolderVariable} to the folder of 'initdb' and 'postgres'.";

    private static readonly string[] Places =
    [
        "usr/lib/postgresql/*/bin",
        "usr/pgsql-*/bin",
        "opt/homebrew/opt/postgresql@*/bin",
        "usr/local/opt/postgresql@*/bin",
        "home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
        "Applications/Postgres.app/Contents/Versions/*/bin",
    ];

    public string Server => Path.Combine(Folder, "postgres");

    public string InitDb => Path.Combine(Folder, "initdb");

    private bool IsComplete => HostView.IsThere(Server) && HostView.IsThere(InitDb);

    public static PostgresBinaries? Find(HostView host)
    {
        if (host.Value(FolderVariable) is { } chosen)
        {
            return new PostgresBinaries(chosen) is { IsComplete: true } binaries
                ? binaries
                : throw new ServerNotFoundException($"{FolderVariable} is '{chosen}', but 'initdb' and 'postgres' are not both there. Correct or unset it.");
        }

        return Places.SelectMany(host.Folders).Concat(host.PathFolders)
            .Select(folder => new PostgresBinaries(folder))
            .FirstOrDefault(found => found.IsComplete);
    }
}
