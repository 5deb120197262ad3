using System.Diagnostics;
using Antbot.Chaos.Checking;
using Antbot.Chaos.Faults;
using Antbot.Chaos.Running;
using Xunit;

namespace Antbot.Chaos.Tests;

/// <summary>That one stood still proves something where the other took its lease meanwhile, and nothing where it did not.</summary>
public sealed class ZombieTests : IAsyncDisposable
{
    private const string Lease = "execution/keeper";
    private const double Seconds = 2;

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-zombies-").FullName;
    private readonly Sleepers _sleepers;
    private readonly Load _load = new([], "", "", 1);

    public ZombieTests() => _sleepers = new Sleepers(_folder);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _load.DisposeAsync();
        await _sleepers.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task The_holder_stands_still_and_the_other_takes_its_lease()
    {
        var scene = NewScene();
        // The second holds it until it stands still.
        await Zombies.FreezeAsync(scene, Sleepers.Names, Lease, Seconds, i => Task.FromResult(scene.Notes.Count > 0 || _sleepers["b"].IsStopped ? i == "a" : i == "b"));
        Assert.Contains("a took execution/keeper from b meanwhile", scene.Notes);
        Assert.NotNull(scene.HealedAt);
        Assert.False(_sleepers["b"].IsStopped);
    }

    [Fact]
    public async Task Where_nobody_takes_it_the_case_says_so()
    {
        var fault = await Assert.ThrowsAsync<ChaosException>(() => Zombies.FreezeAsync(NewScene(), Sleepers.Names, Lease, Seconds, i => Task.FromResult(i == "a")));
        Assert.Contains("b has taken execution/keeper from a, which stands still", fault.Message, StringComparison.Ordinal);
        // It goes on all the same.
        Assert.False(_sleepers["a"].IsStopped);
    }

    private Scene NewScene() => new(_sleepers, _load, _ => { }, Cancel);

    private sealed class Sleepers : Target
    {
        public static readonly string[] Names = ["a", "b"];

        public Sleepers(string folder)
            : base(folder)
        {
            Daemons = [.. Names.Select(n => new Daemon(n, () => new ProcessStartInfo("sleep", ["600"]), Path.Combine(Logs, $"{n}.log")))];
            foreach (var daemon in Daemons)
                daemon.Start();
            SpinWait.SpinUntil(() => Daemons.All(d => d.ProcessId is not null), TimeSpan.FromSeconds(30));
        }

        public override IReadOnlyList<Daemon> Daemons { get; }

        public override IReadOnlyList<Uri> Signals => [];

        public override string SignalKey => "";

        protected override string VenueFolder => Folder;

        public override Task<Store> ReadStoreAsync(CancellationToken cancellationToken) => throw new InvalidOperationException();

        public override Task<IReadOnlyList<QueueDepth>> ReadQueuesAsync(CancellationToken cancellationToken) => throw new InvalidOperationException();

        public override Task<string?> WhyNotReadyAsync(CancellationToken cancellationToken) => Task.FromResult<string?>(null);

        public override async ValueTask DisposeAsync()
        {
            // They hear nothing of the end of their input.
            foreach (var daemon in Daemons)
            {
                daemon.HoldDown();
                daemon.Send(Antbot.Chaos.Running.Signals.Kill);
            }
            await base.DisposeAsync();
        }
    }
}
