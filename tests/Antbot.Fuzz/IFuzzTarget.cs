namespace Antbot.Fuzz;

/// <summary>One edge that takes what it is given, or refuses it with a reason. What it does is a function of the case's random source alone.</summary>
public interface IFuzzTarget
{
    string Name { get; }

    string What { get; }

    /// <summary>How many cases the long run has. `make test` runs a hundredth of them.</summary>
    int Cases { get; }

    /// <summary>Where everything that its types allow has to be taken, nothing is refused.</summary>
    bool Refuses => true;

    /// <exception cref="FuzzException">It neither took it nor refused it as it should.</exception>
    FuzzOutcome Try(Random random);
}

public enum FuzzOutcome
{
    Taken,
    Refused,
}

/// <summary>What an edge must not do.</summary>
public sealed class FuzzException(string message, Exception? cause = null) : Exception(message, cause);
