using System.Globalization;
using System.Reflection;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Sqlite;

/// <summary>The tables, in numbered steps that are recorded in the file itself.</summary>
internal static class SqliteSchema
{
    private const string Folder = "Antbot.EventStore.Sqlite.Schema.";

    private static readonly Lazy<IReadOnlyList<Migration>> All = new(Load);

    public static long Newest => All.Value[^1].Number;

    /// <summary>Brings the file up to date. Several processes may do so at once: the write lock lets one after the other look.</summary>
    public static void Migrate(SqliteSession session, string path, TimeSpan busyTimeout, TimeProvider clock)
    {
        if (Number(session, path) == Newest)
            return;
        session.BeginImmediate(busyTimeout);
        try
        {
            session.ExecuteScript("CREATE TABLE IF NOT EXISTS antbot_schema (number INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)");
            var from = Number(session, path);
            foreach (var migration in All.Value.Where(m => m.Number > from))
            {
                session.ExecuteScript(migration.Script);
                session.Get("INSERT INTO antbot_schema (number, name, applied_at) VALUES (?1, ?2, ?3)")
                    .Bind(1, migration.Number).Bind(2, migration.Name).Bind(3, clock.GetUtcNow()).Run();
            }
            if (session.Get("SELECT count(*) FROM antbot_identity").Scalar() == 0)
                session.Get("INSERT INTO antbot_identity (store_id) VALUES (?1)").Bind(1, Guid.NewGuid()).Run();
            session.Commit();
        }
        catch
        {
            session.TryRollback();
            throw;
        }
    }

    /// <summary>For a file that this process must not change.</summary>
    public static void CheckCurrent(SqliteSession session, string path)
    {
        if (Number(session, path) is var number && number < Newest)
        {
            throw new EventStoreException(
                StoreFault.ReadOnly,
                $"'{path}' has the tables of version {number}, this build needs {Newest}, and the file was opened read-only. Open it once for writing to bring it up to date.");
        }
    }

    /// <summary>0 for a file without any tables.</summary>
    private static long Number(SqliteSession session, string path)
    {
        if (session.Get("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'antbot_schema'").Scalar() == 0)
        {
            if (session.Get("SELECT count(*) FROM sqlite_master").Scalar() > 0)
                throw new EventStoreException(StoreFault.Invalid, $"'{path}' is a SQLite database of something else; it was left as it is. Give the store a path of its own.");
            return 0;
        }
        var number = session.Get("SELECT coalesce(max(number), 0) FROM antbot_schema").Scalar() ?? 0;
        return number <= Newest
            ? number
            : throw new EventStoreException(StoreFault.Invalid, $"'{path}' was made by a newer build (tables {number}, this build knows {Newest}); it was left as it is. Use that build.");
    }

    private static List<Migration> Load()
    {
        var assembly = Assembly.GetExecutingAssembly();
        return [.. assembly.GetManifestResourceNames()
            .Where(n => n.StartsWith(Folder, StringComparison.Ordinal) && n.EndsWith(".sql", StringComparison.Ordinal))
            .Select(n => Read(assembly, n))
            .OrderBy(m => m.Number)];
    }

    private static Migration Read(Assembly assembly, string resource)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
        var name = resource[Folder.Length..^".sql".Length];
        return new Migration(long.Parse(name.AsSpan(0, name.IndexOf('-', StringComparison.Ordinal)), CultureInfo.InvariantCulture), name, reader.ReadToEnd());
    }

    private sealed record Migration(long Number, string Name, string Script);
}
