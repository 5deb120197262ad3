using Antbot.Simulation.Faults;
using Antbot.Simulation.World;

namespace Antbot.Simulation;

/// <summary>A seed that failed, alone or among many, and what is left of its plan when everything is out without which it fails in the same way.</summary>
internal sealed record Failure(ulong Seed, Violation Violation, Plan Plan, Bug Bug)
{
    /// <summary>Null as long as nobody has made it small.</summary>
    public Plan? Shrunk { get; private set; }

    /// <summary>Null where the run passed, or broke something else than is looked for.</summary>
    public static Failure? Of(ulong seed, SimResult result, Bug bug) =>
        bug.IsShownBy(result.Violations) ? new Failure(seed, result.Violations.First(v => bug.Shows is null || v.Broken == bug.Shows), result.Plan, bug) : null;

    public void Shrink() => Shrunk = Shrinker.Shrink(Plan, Bug, Violation.Broken);

    /// <param name="folder">Null for nowhere.</param>
    public void Keep(DirectoryInfo? folder, bool quiet)
    {
        var shrunk = Shrunk ?? throw new InvalidOperationException("It is not small yet.");
        if (!quiet)
            Console.WriteLine($"seed {Seed}, shrunk to {shrunk.Faults.Count} faults{(shrunk.Faults.Count > Shrinker.FaultsMax ? $", which are more than {Shrinker.FaultsMax}" : "")}:\n{shrunk.Write()}");
        if (folder is null)
            return;
        folder.Create();
        var path = Path.Combine(folder.FullName, Bug == Bug.None ? $"seed-{Seed}.json" : $"{Bug.Name}.json");
        var kept = Bug == Bug.None
            ? new Regression(Violation.What, Violation.Broken, null, shrunk)
            : new Regression($"unseen: {Bug.What}", Violation.Broken, Bug.Name, shrunk);
        File.WriteAllText(path, kept.Write());
        if (!quiet)
            Console.WriteLine($"Kept as {path}: every test run replays it.");
    }
}
