using Antbot.Chaos.Checking;
using Antbot.Chaos.Running;
using Xunit;

namespace Antbot.Chaos.Tests;

/// <summary>Whatever goes wrong in a case is that case's failure: it is told, it keeps its evidence, and the next one is run.</summary>
public sealed class CampaignTests : IDisposable
{
    private const string Broken = "the database has gone mad";

    private static readonly Case Nothing = new("nothing", "None", "nothing is done", _ => Task.CompletedTask) { Signals = 0, LateWithin = TimeSpan.Zero };

    private readonly string _artifacts = Directory.CreateTempSubdirectory("antbot-campaign-").FullName;
    private readonly StringWriter _table = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Directory.Delete(_artifacts, recursive: true);
        _table.Dispose();
    }

    [Fact]
    public async Task Evidence_that_can_never_be_read_fails_the_case_and_the_next_one_is_run()
    {
        var campaign = NewCampaign((_, folder) => Task.FromResult<Target>(new Unreadable(folder, () => throw new InvalidOperationException(Broken))));
        var results = await RunAsync(campaign, [Nothing, Nothing with { Name = "more-of-it" }]);
        Assert.Equal([false, false], results.Select(r => r.Passed));
        Assert.All(results, r => Assert.Contains($"could not be read what is left: {Broken}", Assert.Single(r.Faults), StringComparison.Ordinal));
        foreach (var name in new[] { "nothing", "more-of-it" })
        {
            Assert.Contains(Broken, await File.ReadAllTextAsync(Path.Combine(_artifacts, name, "verdict.txt"), Cancel), StringComparison.Ordinal);
            Assert.Equal("what it said", await File.ReadAllTextAsync(Path.Combine(_artifacts, name, "logs", "service.log"), Cancel));
        }
    }

    /// <summary>A client that has given up waiting is no case that was too long.</summary>
    [Fact]
    public async Task An_answer_that_does_not_come_is_told_as_that()
    {
        var campaign = NewCampaign((_, folder) => Task.FromResult<Target>(new Unreadable(folder, () => throw new TaskCanceledException("no answer within 10 s"))));
        Assert.Contains("no answer within 10 s", Assert.Single((await RunAsync(campaign, [Nothing]))[0].Faults), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_even_be_started_keeps_its_logs()
    {
        var campaign = NewCampaign((Case @case, string folder) =>
        {
            var begun = new Unreadable(folder, () => []);
            throw new InvalidOperationException(Broken);
        });
        Assert.Contains(Broken, Assert.Single((await RunAsync(campaign, [Nothing]))[0].Faults), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_artifacts, "nothing", "logs", "service.log")));
    }

    [Fact]
    public async Task A_batch_of_kills_that_falls_over_is_a_failure_in_the_tally()
    {
        await using var campaign = NewCampaign((_, _) => throw new InvalidOperationException(Broken));
        Assert.Equal(2, await new RandomKills(campaign, _artifacts, 40, _table, TextWriter.Null).RunAsync(Cancel));
        var tally = KillTally.Read(Path.Combine(_artifacts, "kills.json"), 40)!;
        Assert.Equal(3, tally.Failures.Count);
        Assert.All(tally.Failures, f => Assert.Contains(Broken, f, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_run_that_is_interrupted_is_no_failure()
    {
        using var stop = new CancellationTokenSource();
        var campaign = NewCampaign((_, folder) => Task.FromResult<Target>(new Unreadable(folder, () =>
        {
            stop.Cancel();
            throw new InvalidOperationException(Broken);
        })));
        Assert.Empty(await RunAsync(campaign, [Nothing], cancellationToken: stop.Token));
    }

    /// <summary>Prevents a figure of the machine that is taken while another case uses it.</summary>
    [Fact]
    public async Task Beside_each_other_run_those_that_leave_room_and_the_others_alone_after_them()
    {
        var (now, most, ran) = (0, 0, new List<(string Name, int Beside)>());
        using var met = new Barrier(2);
        Case NewCase(string name, bool alone) => new(name, "None", "counts who is beside it", _ =>
        {
            lock (ran)
            {
                most = Math.Max(most, ++now);
                ran.Add((name, now));
            }
            // Two lanes are two at once: who had to wait for the other's end would wait here for ever.
            Assert.True(alone || met.SignalAndWait(TimeSpan.FromSeconds(30)));
            lock (ran)
                now--;
            return Task.CompletedTask;
        })
        { Signals = 0, LateWithin = TimeSpan.Zero, Alone = alone };
        var results = await new Lanes(2, () => NewCampaign((_, folder) => Task.FromResult<Target>(new Unreadable(folder, () => []))), _table, TextWriter.Null, json: false)
            .RunAsync([NewCase("a", alone: true), NewCase("b", alone: false), NewCase("c", alone: false), NewCase("d", alone: true), NewCase("e", alone: false), NewCase("f", alone: false)], Cancel);
        Assert.Equal(["a", "b", "c", "d", "e", "f"], results.Select(r => r.Case).Order(StringComparer.Ordinal));
        Assert.Equal(2, most);
        Assert.Equal(["a", "d"], ran.Skip(4).Select(r => r.Name));
        Assert.All(ran.Skip(4), r => Assert.Equal(1, r.Beside));
        Assert.Equal(6, _table.ToString().Split('\n').Count(l => l.Contains("/6 ", StringComparison.Ordinal)));
    }

    private Campaign NewCampaign(Func<Case, string, Task<Target>> start) => new(Programs.Own(), _artifacts, TimeSpan.FromMilliseconds(1), null, start);

    private Task<IReadOnlyList<Result>> RunAsync(Campaign campaign, IReadOnlyList<Case> cases, int lanes = 1, CancellationToken? cancellationToken = null) =>
        new Lanes(lanes, () => campaign, _table, TextWriter.Null, json: false).RunAsync(cases, cancellationToken ?? Cancel);

    private sealed class Unreadable : Target
    {
        private readonly Func<IReadOnlyList<QueueDepth>> _read;

        public Unreadable(string folder, Func<IReadOnlyList<QueueDepth>> read)
            : base(folder)
        {
            _read = read;
            File.WriteAllText(Path.Combine(Logs, "service.log"), "what it said");
        }

        public override IReadOnlyList<Daemon> Daemons => [];

        public override IReadOnlyList<Uri> Signals => [];

        public override string SignalKey => "";

        protected override string VenueFolder => Folder;

        public override Task<IReadOnlyList<QueueDepth>> ReadQueuesAsync(CancellationToken cancellationToken) => Task.FromResult(_read());

        public override Task<Store> ReadStoreAsync(CancellationToken cancellationToken) => throw new InvalidOperationException(Broken);

        public override Task<string?> WhyNotReadyAsync(CancellationToken cancellationToken) => Task.FromResult<string?>(null);
    }
}
