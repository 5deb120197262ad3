using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.ReadModels;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.ConsoleApi;

/// <summary>A history in memory, and the read models over it in a file.</summary>
internal sealed class ViewedHistory : IAsyncDisposable
{
    private static readonly Guid StoreId = DeterministicId.From("store");

    private readonly EventCodec _codec;
    private int _appends;

    private ViewedHistory(string folder, SqliteReadModels models, EventCodec codec) => (Folder, Models, _codec) = (folder, models, codec);

    public InMemoryEventStore Store { get; } = new(StoreId);

    public SqliteReadModels Models { get; }

    /// <summary>For whatever else a test writes.</summary>
    public string Folder { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<ViewedHistory> OpenAsync(EventCodec? codec = null)
    {
        var folder = Directory.CreateTempSubdirectory("antbot-views-").FullName;
        return new ViewedHistory(folder, await SqliteReadModels.OpenAsync(Path.Combine(folder, "antbot.views.db"), StoreId, Cancel), codec ?? RandomHistory.Codec);
    }

    public async Task AppendAsync(DateTimeOffset at, StreamId stream, string actor, params object[] events) => Assert.IsType<AppendOutcome.Appended>(await Store.AppendAsync(
        new AppendRequest
        {
            Stream = stream, Expected = ExpectedVersion.Any, Decision = new Decision(DeterministicId.From("append", $"{++_appends}"), "test"), Events = [.. events.Select(_codec.Encode)], At = at,
            Meta = new EventMeta(null, null, actor),
        },
        Cancel));

    /// <summary>The read models know all that was appended.</summary>
    public Task CatchUpAsync() => new ViewProjection(Store, _codec, Models, TimeProvider.System).CatchUpAsync(_ => { }, Cancel);

    public async ValueTask DisposeAsync()
    {
        await Models.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
