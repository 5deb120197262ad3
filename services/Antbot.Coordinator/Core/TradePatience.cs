using Antbot.Contracts.Messages;

namespace Antbot.Coordinator.Core;

/// <summary>How long each phase may last.</summary>
/// <param name="Again">How long after a deadline the next one comes, where the phase cannot be ended without another's word.</param>
/// <param name="Entering">How long it may take from a signal to its entry: one that has less left when its turn comes is not begun.</param>
public sealed record TradePatience(TimeSpan Validating, TimeSpan AssessingRisk, TimeSpan Executing, TimeSpan Open, TimeSpan Closing, TimeSpan Again, TimeSpan Entering)
{
    public static TradePatience Default { get; } = new(
        Validating: TimeSpan.FromSeconds(30),
        AssessingRisk: TimeSpan.FromSeconds(30),
        Executing: TimeSpan.FromMinutes(2),
        Open: TimeSpan.FromHours(24),
        Closing: TimeSpan.FromMinutes(2),
        Again: TimeSpan.FromSeconds(30),
        Entering: TimeSpan.FromSeconds(10));

    /// <summary>
    /// What has waited for so long that its entry would come too late, or be the next one's that does. One that was meant to live
    /// shorter than an entry may take has half of its life.
    /// </summary>
    public bool IsTooLateToBegin(Signal signal, DateTimeOffset now) => signal.ValidUntil - now < TimeFor(signal);

    /// <summary>By the time that it is validated, half of that is for what is still to come.</summary>
    public bool IsTooLateToGoOn(Signal signal, DateTimeOffset now) => signal.ValidUntil - now < TimeFor(signal) / 2;

    private TimeSpan TimeFor(Signal signal) => (signal.ValidUntil - signal.RaisedAt) / 2 is var half && half < Entering ? half : Entering;
}
