namespace Antbot.LocalServers;

public sealed record PostgresDatabase(string Name, string ConnectionString)
{
    // The connection string holds the password, and records are printed into test logs.
    public override string ToString() => Name;
}
