using Antbot.Chaos.Running;

namespace Antbot.Chaos;

/// <summary>One fault, or one series of them, under load.</summary>
/// <param name="Name">What <c>CASE=</c> takes.</param>
/// <param name="Group">What it is told under.</param>
/// <param name="What">In words.</param>
/// <param name="Break">Does it, and heals it: what follows has to converge within a minute.</param>
internal sealed record Case(string Name, string Group, string What, Func<Scene, Task> Break)
{
    /// <summary>Signals a second.</summary>
    public double Rate { get; init; } = 3;

    /// <summary>So many signals and no more; the case is over when they have been sent.</summary>
    public int? Signals { get; init; }

    /// <summary>Where it runs; those with the same one follow each other on it.</summary>
    public Layout Layout { get; init; } = Layout.Plain;

    /// <summary>The embedded store and one process instead of services.</summary>
    public StandaloneLayout? Standalone { get; init; }

    /// <summary>It can open a breaker, which then keeps entries back for a minute, whether the venue is well again or not: that is no delay but the breaker's purpose.</summary>
    public bool MayOpenBreaker { get; init; }

    /// <summary>What a clock that went ahead has promised for later comes due by the clock that is right again: so much later than it was meant.</summary>
    public TimeSpan DueLater { get; init; }

    /// <summary>The second instance of each service is of the build before this one.</summary>
    public bool WithPrevious { get; init; }

    /// <summary>What part of the accepted trades must have been entered and closed; of each case at least one: where nothing is entered nothing can be lost.</summary>
    public double EnteredPartMin { get; init; }

    /// <summary>More signals come than any machine can do: whose sender is told so does not send it again, and it counts neither as taken nor as lost.</summary>
    public bool TurnsAway { get; init; }

    /// <summary>What comes after it begins afresh.</summary>
    public bool Spoils { get; init; }

    /// <summary>It wants the whole machine, or measures it: nothing else runs beside it.</summary>
    public bool Alone { get; init; }

    /// <summary>Whoever is late but comes to rest has lost time and nothing else; so much longer is waited to tell the two apart.</summary>
    public TimeSpan LateWithin { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>In the short run, which <c>make test</c> does.</summary>
    public bool InShortRun { get; init; }
}

/// <param name="SmallDiskMegabytes">Its data lies on a disk of this size, where it is not null.</param>
internal sealed record StandaloneLayout(int? SmallDiskMegabytes = null);
