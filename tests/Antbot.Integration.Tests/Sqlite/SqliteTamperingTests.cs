using Antbot.EventStore.Sqlite;
using Antbot.Integration.Tests.Proof;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Sqlite;

public sealed class SqliteTamperingTests : TamperingContract
{
    private static readonly string[] Tables = ["mt_streams", "mt_events", "antbot_ledger", "antbot_checkpoints", "antbot_identity"];

    private readonly SqliteFolder _folder = new();
    private Tampered _tampered = null!;

    protected override int Mutations => 5_010;

    protected override async Task<(ITamperedStore Tampered, IEventStore Store)> OpenAsync()
    {
        var store = await _folder.OpenAsync();
        _tampered = new Tampered(_folder, await _folder.OpenAsync());
        return (_tampered, store);
    }

    protected override Task BackUpAsync() => _tampered.ExecuteAsync(Tables.Select(t => $"create table backup_{t} as select * from {t}"));

    /// <summary>Head and event, no link; the sealer adopts them.</summary>
    protected override async Task AppendAsStrangerAsync(IEventStore store)
    {
        await _tampered.ExecuteAsync(
        [
            "insert into mt_streams (id, type, version) values ('stranger-1', 'trade', 3)",
            .. Enumerable.Range(1, 3).Select(n => $$"""insert into mt_events (id, stream_id, version, data, type, mt_dotnet_type) values ('{{Guid.NewGuid()}}', 'stranger-1', {{n}}, '{"X":1.5}', 'noted', 'Some.Noted, Some')"""),
        ]);
        Assert.Equal(3, (await store.Ledger.FindUnsealedAsync(10, Cancel)).Count);
        Assert.Equal(3, (await store.Ledger.SealAsync(10, cancellationToken: Cancel)).Sealed);
        Assert.Equal(0, (await store.Ledger.SealAsync(10, cancellationToken: Cancel)).Sealed);
    }

    private sealed class Tampered : ITamperedStore
    {
        private readonly SqliteFolder _folder;
        private readonly SqliteEventStore _store;
        private readonly SqliteSession _session;

        public Tampered(SqliteFolder folder, SqliteEventStore store)
        {
            (_folder, _store, _session) = (folder, store, folder.OpenBeside());
            _session.Execute("PRAGMA synchronous=OFF");
        }

        public ILedger Ledger => _store.Ledger;

        public string Events => "mt_events";

        public string LedgerTable => "antbot_ledger";

        public string Streams => "mt_streams";

        public string Checkpoints => "antbot_checkpoints";

        public string Identity => "antbot_identity";

        public string NewUuid => $"'{Guid.NewGuid()}'";

        public string Blob(string hex) => $"x'{hex}'";

        public Task ExecuteAsync(IEnumerable<string> statements)
        {
            _session.BeginImmediate(TimeSpan.FromSeconds(5));
            foreach (var statement in statements)
                _session.Execute(statement);
            _session.Commit();
            return Task.CompletedTask;
        }

        public Task RestoreAsync() => ExecuteAsync(Tables.Reverse().Select(t => $"delete from {t}").Concat(Tables.Select(t => $"insert into {t} select * from backup_{t}")));

        public async ValueTask DisposeAsync()
        {
            _session.Dispose();
            await _store.DisposeAsync();
            _folder.Dispose();
        }
    }
}
