using Antbot.PaperVenue;

namespace Antbot.Integration.Tests.PaperVenue;

/// <summary>A venue of a test's own, in this process, on its own folder and port.</summary>
internal sealed class RunningVenue : IAsyncDisposable
{
    private readonly string _folder;
    private readonly bool _ownsFolder;

    private RunningVenue(PaperVenueServer server, string folder, bool ownsFolder)
    {
        (Server, _folder, _ownsFolder) = (server, folder, ownsFolder);
        Client = new VenueClient(server.Address, server.Key, server.AdminAddress, server.AdminKey);
    }

    public PaperVenueServer Server { get; }

    public VenueClient Client { get; }

    public static async Task<RunningVenue> StartAsync(Func<PaperVenueOptions, PaperVenueOptions>? change = null, string? folder = null, TimeProvider? clock = null)
    {
        var own = folder is null;
        folder ??= Directory.CreateTempSubdirectory("antbot-venue-").FullName;
        var options = new PaperVenueOptions { Data = folder, SegmentBytes = 1 << 20, SnapshotBytes = 4 << 20 };
        return new RunningVenue(await PaperVenueServer.StartAsync(change?.Invoke(options) ?? options, clock ?? TimeProvider.System), folder, own);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        if (_ownsFolder)
            Directory.Delete(_folder, recursive: true);
    }
}
