namespace Antbot.Contracts;

/// <summary>How much hangs on an order being done, and so how often it is tried. A try that may have gone through is asked after, whatever this says.</summary>
public enum Criticality
{
    /// <summary>One try.</summary>
    Low = 1,

    /// <summary>As many tries as the policy says.</summary>
    Medium = 2,

    /// <summary>The same, and once more under strict validation: with the venue's rules and a price asked for anew, within half of the slippage.</summary>
    High = 3,

    /// <summary>Never given up.</summary>
    Critical = 4,
}
