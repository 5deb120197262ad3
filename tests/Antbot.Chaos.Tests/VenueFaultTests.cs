using System.Net;
using System.Text;
using Antbot.Chaos.Checking;
using Antbot.Chaos.Faults;
using Antbot.Chaos.Running;
using Antbot.LocalServers;
using Xunit;

namespace Antbot.Chaos.Tests;

/// <summary>A fault at the venue that befell nobody fails its case: the venue counts where it strikes.</summary>
public sealed class VenueFaultTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-venue-faults-").FullName;
    private readonly HttpListener _listener = new();
    private readonly Load _load = new([], "", "test", 1);
    private string _struck = "{}";
    private string? _strikesWith;
    private Task _answering = Task.CompletedTask;
    private Admin _venue = null!;

    public ValueTask InitializeAsync()
    {
        var address = $"http://127.0.0.1:{FreePort.Next()}/";
        _listener.Prefixes.Add(address);
        _listener.Start();
        File.WriteAllText(Path.Combine(_folder, "admin.json"), $$"""{"address":"{{address}}","adminKey":"k"}""");
        _venue = new Admin(_folder);
        _answering = AnswerAsync();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _answering;
        ((IDisposable)_listener).Dispose();
        await _load.DisposeAsync();
        await _venue.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_kind_that_never_struck_fails_the_case()
    {
        var scene = NewScene();
        await VenueFaults.ManyAsync(scene, 0.05, ("drop", "all", 0, 60_000));
        Assert.Equal("drop has not struck once", Assert.Single(scene.Faults));
    }

    [Fact]
    public async Task An_absence_that_nobody_met_fails_the_case()
    {
        var scene = NewScene();
        await VenueFaults.AwayAsync(scene, "reset", 0.05);
        Assert.Equal("away has not struck once", Assert.Single(scene.Faults));
    }

    [Theory]
    [InlineData("away")]
    [InlineData("drop")]
    public async Task What_struck_is_told_with_how_often(string kind)
    {
        _struck = $$"""{"{{kind}}":3}""";
        _strikesWith = $$"""{"{{kind}}":7}""";
        var scene = NewScene();
        await (kind == "away" ? VenueFaults.AwayAsync(scene, "503", 0.05) : VenueFaults.ManyAsync(scene, 0.05, (kind, "all", 1, 60_000)));
        Assert.Empty(scene.Faults);
        Assert.Equal($"{kind} 4", Assert.Single(scene.Notes));
    }

    private Scene NewScene() => new(_venue, _load, _ => { }, TestContext.Current.CancellationToken);

    private async Task AnswerAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            if (context.Request.HttpMethod == "POST")
                _struck = _strikesWith ?? _struck;
            await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes($$"""{"struck":{{_struck}},"exposed":9}"""));
            context.Response.Close();
        }
    }

    private sealed class Admin(string folder) : Target(folder)
    {
        public override IReadOnlyList<Daemon> Daemons => [];

        public override IReadOnlyList<Uri> Signals => [];

        public override string SignalKey => "";

        protected override string VenueFolder => Folder;

        public override Task<IReadOnlyList<QueueDepth>> ReadQueuesAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public override Task<Store> ReadStoreAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public override Task<string?> WhyNotReadyAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
