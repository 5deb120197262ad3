using Antbot.Contracts.Events;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using Antbot.Simulation.Faults;

namespace Antbot.Simulation.World;

/// <summary>
/// Whoever looks after dead letters: does what the plan says to the n-th of them, and when all has healed sees to it that something is
/// decided about every one. Each word has an id, and is said again until it is answered.
/// </summary>
internal sealed class LetterOperators(SimWorld world)
{
    private const string Carla = "carla";
    private const string Dan = "dan";

    /// <summary>Nobody sends the same for ever: what is rubbish is found to be rubbish.</summary>
    private const int TriesOfRubbish = 1;

    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Think = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(3);

    private readonly Dictionary<Guid, TimeSpan> _askedAt = [];
    private int _requests;

    private Letters Letters => world.Checker.Letters;

    public void Begin()
    {
        Letters.Recorded = Recorded;
        Letters.Ordered = Ordered;
        world.Loop.At(TimeSpan.FromSeconds(Math.Max(world.HealedAt, Planner.FaultySeconds)), () => world.Watch(LookAfterAllAsync()));
    }

    /// <summary>When a word was given first; after everything where nobody gave it.</summary>
    public TimeSpan AskedAt(Guid request) => _askedAt.GetValueOrDefault(request, TimeSpan.MaxValue);

    private void Recorded(int nth, Guid letter)
    {
        foreach (var fault in world.Plan.Faults)
        {
            switch (fault)
            {
                case LetterReplayed f when f.NthLetter == nth:
                    After(f.AfterSeconds, () => ReplayAsync(f, letter));
                    break;
                case LetterDiscarded f when f.NthLetter == nth && Letters.CanBeSpared(letter):
                    After(f.AfterSeconds, () => SayAsync(f, Dan, (console, request) => console.DiscardAsync(letter, request, Dan, "the plan")));
                    break;
                case LettersSelected f when f.NthLetter == nth:
                    After(f.AfterSeconds, () => SelectAsync(f, letter));
                    break;
                default:
                    // It is about something else.
                    break;
            }
        }
    }

    private void Ordered(int nth, Guid letter)
    {
        foreach (var fault in world.Plan.Faults.OfType<LetterGivenUp>().Where(f => f.NthReplay == nth))
            After(fault.AfterSeconds, () => SayAsync(fault, Dan, (console, request) => console.GiveUpAsync(letter, request, Dan, "the plan")));
    }

    private void After(double seconds, Func<Task> act) => world.Loop.At(TimeSpan.FromSeconds(seconds), () => world.Watch(act()));

    /// <summary>What comes of it is counted where it is recorded.</summary>
    private Task SayAsync(Fault fault, string by, Func<SimConsole, Guid, Task<object>> say)
    {
        world.Tally.Happened(fault);
        var request = NewRequest(by);
        return AskAsync(0, request, console => say(console, request));
    }

    private async Task ReplayAsync(LetterReplayed fault, Guid letter)
    {
        world.Tally.Happened(fault);
        for (var time = 0; time < fault.Times; time++)
        {
            var asked = new List<Task<object>>();
            for (var console = 0; console <= (fault.Together ? 1 : 0); console++)
            {
                // Both are asked by one who has pressed the button twice, and by another one.
                var by = console == 0 ? Carla : Dan;
                foreach (var request in fault.Together && time == 0 ? new[] { NewRequest(Carla), NewRequest(by) } : [NewRequest(by)])
                    asked.Add(AskAsync(console, request, c => c.ReplayAsync(letter, request, by, "the plan")));
            }
            await Task.WhenAll(asked);
            await world.Loop.DelayAsync(Think, world.Loop.World);
        }
    }

    private async Task SelectAsync(LettersSelected fault, Guid letter)
    {
        world.Tally.Happened(fault);
        var query = new ReplaysQuery(fault.Narrow ? Letters.EndpointOf(letter) : null, null, null, null, null);
        var selection = NewRequest(Carla);
        var asked = new List<Task>();
        for (var console = 0; console <= (fault.Together ? 1 : 0); console++)
            asked.Add(AskAsync(console, selection, c => c.SelectAsync(selection, query, Carla, Letters.ReasonOf(selection))));
        if (fault.Together)
            asked.Add(GoOnAsync(NewRequest(Dan), Dan, Carla));
        await Task.WhenAll(asked);
        await GoOnAsync(selection, Carla, Dan);

        async Task GoOnAsync(Guid id, string by, string other)
        {
            if (await AskAsync(1, id, c => c.SelectAsync(id, query, by, Letters.ReasonOf(id))) is not ReplaysRequested requested)
                return;
            await world.Loop.DelayAsync(Think, world.Loop.World);
            if (requested.NeedsApproval)
            {
                await ApproveAsync(by);
                await ApproveAsync(other);
            }
            if (fault.Cancelled)
            {
                var request = NewRequest(by);
                await AskAsync(0, request, c => c.CancelAsync(id, request, by, "the plan"));
            }

            Task ApproveAsync(string who)
            {
                var request = NewRequest(who);
                return AskAsync(0, request, c => c.ApproveAsync(id, request, who, "the plan"));
            }
        }
    }

    /// <summary>What nobody has decided about is sent once more, and what may not be sent, or is rubbish, is discarded.</summary>
    private async Task LookAfterAllAsync()
    {
        while (true)
        {
            foreach (var letter in Letters.New.ToList())
                await LookAfterAsync(letter);
            await world.Loop.DelayAsync(LookEvery, world.Loop.World);
        }
    }

    private async Task LookAfterAsync(Guid letter)
    {
        var (request, isHopeless) = (NewRequest(Carla), Letters.IsRubbish(letter) && Letters.ReplaysOf(letter) >= TriesOfRubbish);
        if (!isHopeless && await AskAsync(0, request, c => c.ReplayAsync(letter, request, Carla, "it is time")) is DeadLetterReplayOrdered)
            return;
        var discard = NewRequest(Carla);
        await AskAsync(0, discard, c => c.DiscardAsync(letter, discard, Carla, "it may not be sent"));
    }

    private Guid NewRequest(string by) => DeterministicId.From("letter-request", by, $"{++_requests}");

    /// <summary>One console after the other, until one answers.</summary>
    private async Task<object> AskAsync(int first, Guid request, Func<SimConsole, Task<object>> ask)
    {
        _askedAt.TryAdd(request, world.Loop.Now);
        for (var attempt = first; ; attempt++)
        {
            if (world.Consoles is { Count: > 0 } up)
            {
                var (console, answer) = (up[attempt % up.Count], new TaskCompletionSource<object?>());
                world.Loop.At(TimeSpan.FromMilliseconds(1), () => world.Watch(AnswerAsync(console, ask, answer)), console.Process.Context);
                world.Loop.At(AnswerWithin, () => answer.TrySetResult(null));
                if (await answer.Task is { } said)
                    return said;
            }
            await world.Loop.DelayAsync(Think, world.Loop.World);
        }
    }

    private static async Task AnswerAsync(SimConsole console, Func<SimConsole, Task<object>> ask, TaskCompletionSource<object?> answer)
    {
        try
        {
            answer.TrySetResult(await ask(console));
        }
        catch (Exception e) when (e is EventStoreException or ProcessEndedException)
        {
            // Whoever asked hears of it, or hears nothing, and asks again.
        }
    }
}
