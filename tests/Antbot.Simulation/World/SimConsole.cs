using Antbot.ConsoleService;
using Antbot.ConsoleService.DeadLetters;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Messaging;
using Antbot.ReadModels;
using Antbot.Runtime.Pipeline;
using Antbot.Simulation.Ports;
using Microsoft.Extensions.Logging.Abstractions;

namespace Antbot.Simulation.World;

/// <summary>The Console, as far as dead letters go: the same objects that its module puts together, and what its routes do with them.</summary>
internal sealed class SimConsole
{
    public const string Service = "console";

    /// <summary>Two of them, so that what is asked of both at once is seen.</summary>
    public const int Instances = 2;

    private readonly PipelineParts _parts;
    private readonly ViewProjection _projection;
    private readonly DeadLetterReplays _replays;
    private readonly ReplayIntents _intents;
    private readonly ReplaysBook _selections;
    private readonly ReplaysRunner _runner;
    private readonly Func<CancellationToken, Task> _drain;

    public SimConsole(SimWorld world, SimProcess process)
    {
        (Process, _parts) = (process, process.Parts);
        var (models, blobs) = (new SimReadModels(world.Tables, world.Disk, process.Context), new SimBlobs(world.Tables, world.Disk, process.Context));
        var stories = new DeadLetterStories(_parts.Store, _parts.Codec, models, blobs);
        var sender = new SimSender(new SimBus(world.Broker, world.Loop, process.Context, process.Clock), world.Broker, world.Loop, process.Context);
        _projection = new ViewProjection(_parts.Store, _parts.Codec, models, _parts.Clock);
        Book = new DeadLetterBook(_parts, blobs, stories);
        _replays = new DeadLetterReplays(_parts, Book, stories, world.Around(sender, this), models, Options, NullLogger<DeadLetterReplays>.Instance);
        _intents = new ReplayIntents(_parts.Store, stories);
        _selections = new ReplaysBook(_parts, Book, stories, models);
        _runner = new ReplaysRunner(_parts, _selections, Book, _replays, _intents);
        var drain = new DeadLetterDrain(new BusOptions(), world.Around(Book, this), _parts.CrashPoints, _parts.Clock, NullLogger<DeadLetterDrain>.Instance);
        _drain = token => world.Broker.Letters.DrainAsync(process, drain, token);
    }

    public static ConsoleOptions Options { get; } = new() { ResendSeconds = 5, ReplayPatienceSeconds = 8, ReplayBatchMax = 3, ReplayLettersMax = 2, ReplayNotionalMax = 700, ReplaysPerSecond = 20 };

    public SimProcess Process { get; }

    public DeadLetterBook Book { get; }

    /// <param name="work">Begins one under its lease.</param>
    public void Start(Action<string, Func<CancellationToken, Task>> work)
    {
        work("read-models", _projection.RunAsync);
        work("dead-letters", _drain);
        work("replays", _replays.SendAsync);
        work("replayed", _replays.LookAsync);
        work("replay-selections", _runner.RunAsync);
    }

    public Task<object> ReplayAsync(Guid letter, Guid request, string by, string reason) =>
        DecideAsync(letter, request, by, async opened => new ReplayDeadLetter(letter, request, reason, by, await _intents.OfAsync(opened, CancellationToken.None)));

    public Task<object> GiveUpAsync(Guid letter, Guid request, string by, string reason) => DecideAsync(letter, request, by, async opened => new GiveUpReplay(letter, request, reason, by, await Book.EffectSaidAsync(opened.Kept, CancellationToken.None)));

    public Task<object> DiscardAsync(Guid letter, Guid request, string by, string reason) => DecideAsync(letter, request, by, async opened => new DiscardDeadLetter(letter, request, reason, by, await Book.EffectSaidAsync(opened.Kept, CancellationToken.None)));

    /// <summary>All that are like that now.</summary>
    public async Task<object> SelectAsync(Guid selection, ReplaysQuery query, string by, string reason)
    {
        if (await _selections.FindAsync(selection, CancellationToken.None) is not { } recorded)
        {
            var letters = await _selections.SelectAsync(query, CancellationToken.None);
            var pace = new ReplaysPace(Options.ReplaysPerSecond, Options.ReplayBatchMax, Options.ReplayPatienceSeconds);
            var limits = new ReplaysLimits(Options.ReplayLettersMax, new Money(Options.ReplayNotionalMax));
            recorded = await _selections.DecideAsync(
                selection, selection, by, new RequestReplays(selection, query, letters, await _selections.NotionalOfAsync(letters, CancellationToken.None), pace, limits, reason, by), CancellationToken.None);
        }
        return _parts.Codec.Decode(recorded);
    }

    public async Task<object> ApproveAsync(Guid selection, Guid request, string by, string reason) =>
        _parts.Codec.Decode(await _selections.DecideAsync(selection, request, by, new ApproveReplays(selection, request, reason, by), CancellationToken.None));

    public async Task<object> CancelAsync(Guid selection, Guid request, string by, string reason) =>
        _parts.Codec.Decode(await _selections.DecideAsync(selection, request, by, new CancelReplays(selection, request, reason, by), CancellationToken.None));

    private async Task<object> DecideAsync(Guid letter, Guid request, string by, Func<OpenedLetter, Task<object>> wordOf)
    {
        var opened = await Book.OpenAsync(letter, CancellationToken.None) ?? throw new InvalidOperationException($"There is no dead letter {letter:N}.");
        return _parts.Codec.Decode(await Book.DecideAsync(opened, request, by, await wordOf(opened), CancellationToken.None));
    }
}
