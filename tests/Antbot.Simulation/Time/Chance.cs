namespace Antbot.Simulation.Time;

/// <summary>
/// Chance that does not depend on what else was drawn: each draw is a hash of the seed and of what it is for. So a run from which a
/// fault has been taken out is otherwise the same, and a failing plan can be made smaller.
/// </summary>
public readonly record struct Chance(ulong Seed)
{
    public double Unit(string what, long number = 0) => (Draw(what, number) >> 11) * (1.0 / (1UL << 53));

    public int Below(int limit, string what, long number = 0) => (int)(Unit(what, number) * limit);

    public bool Happens(double probability, string what, long number = 0) => Unit(what, number) < probability;

    public TimeSpan Between(double fromSeconds, double toSeconds, string what, long number = 0) =>
        TimeSpan.FromSeconds(Math.Round(fromSeconds + Unit(what, number) * (toSeconds - fromSeconds), 6));

    private ulong Draw(string what, long number)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in what)
            hash = (hash ^ c) * 1099511628211UL;
        return Mix(Mix(Seed ^ hash) + (ulong)number * 0x9E3779B97F4A7C15UL);
    }

    private static ulong Mix(ulong z)
    {
        z += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
