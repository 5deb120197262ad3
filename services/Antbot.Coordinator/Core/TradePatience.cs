namespace Antbot.Coordinator.Core;

/// <summary>How long each phase may last.</summary>
/// <param name="Again">How long after a deadline the next one comes, where the phase cannot be ended without another's word.</param>
public sealed record TradePatience(TimeSpan Validating, TimeSpan AssessingRisk, TimeSpan Executing, TimeSpan Open, TimeSpan Closing, TimeSpan Again)
{
    public static TradePatience Default { get; } = new(
        Validating: TimeSpan.FromSeconds(30),
        AssessingRisk: TimeSpan.FromSeconds(30),
        Executing: TimeSpan.FromMinutes(2),
        Open: TimeSpan.FromHours(24),
        Closing: TimeSpan.FromMinutes(2),
        Again: TimeSpan.FromSeconds(30));
}
