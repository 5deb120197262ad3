using System.Globalization;
using Antbot.EventStore.Postgres;
using Antbot.EventStore.Sqlite;
using Antbot.Runtime.Store;
using Antbot.Testing.StoreWorker;

// A process of its own that appends to a store until it is killed, for tests that kill, starve or race it.
// Arguments: engine, path or connection string, number of callers, prefix of its streams.
// It says "ready", then "ack <event id>" for every event whose append was answered, and "fault <fault> <message>" for what was not;
// such an append is tried again. As postgres-import it imports pages instead of appending. Without callers it says "ack" for every event that it reads, and ends. It ends when its input does, so that no worker outlives its test.
if (args.Length != 4)
{
    await Console.Error.WriteLineAsync("usage: <sqlite|sqlite-short-log|sqlite-readonly|postgres|postgres-import> <path or connection string> <callers> <stream prefix>");
    return 64;
}
using var stop = new CancellationTokenSource();
IEventStore store;
try
{
    store = args[0] switch
    {
        "sqlite" => await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = args[1] }),
        "sqlite-short-log" => await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = args[1], LogBytesMax = 256 * 1024 }),
        "sqlite-readonly" => await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = args[1], ReadOnly = true }),
        "postgres" or "postgres-import" => new PostgresEventStore(new PostgresStoreOptions { ConnectionString = args[1] }),
        _ => throw new InvalidOperationException($"There is no engine '{args[0]}'."),
    };
}
catch (EventStoreException e)
{
    Worker.Say($"fault {e.Fault} {e.Message}");
    return 1;
}
await using (store)
{
    Worker.Say("ready");
    var count = int.Parse(args[2], CultureInfo.InvariantCulture);
    if (count == 0)
    {
        await Worker.ReadAllAsync(store);
        return 0;
    }
    var callers = args[0] == "postgres-import"
        ? [Task.Run(() => new ImportWorker(store.Ledger, args[3]).RunAsync(stop.Token))]
        : Enumerable.Range(0, count).Select(caller => Task.Run(() => new Worker(store, $"{args[3]}-{caller}").RunAsync(stop.Token))).ToArray();
    await FileSizeLimit.ObeyAsync(Console.In);
    await stop.CancelAsync();
    await Task.WhenAll(callers);
}
return 0;
