using System.ComponentModel.DataAnnotations;
using Antbot.Coordinator.Core;

namespace Antbot.Coordinator;

/// <summary>In seconds, as the environment has them: <c>ANTBOT_COORDINATOR__VALIDATINGSECONDS</c>.</summary>
public sealed class CoordinatorOptions
{
    /// <summary>How long Validation has to answer.</summary>
    [Range(1, 3_600)]
    public int ValidatingSeconds { get; set; } = (int)TradePatience.Default.Validating.TotalSeconds;

    /// <summary>How long Risk has to answer.</summary>
    [Range(1, 3_600)]
    public int AssessingRiskSeconds { get; set; } = (int)TradePatience.Default.AssessingRisk.TotalSeconds;

    /// <summary>How long Execution has to open the position.</summary>
    [Range(1, 3_600)]
    public int ExecutingSeconds { get; set; } = (int)TradePatience.Default.Executing.TotalSeconds;

    /// <summary>A trade that stays open longer is closed.</summary>
    [Range(1, 31_536_000)]
    public int OpenSeconds { get; set; } = (int)TradePatience.Default.Open.TotalSeconds;

    /// <summary>How long Execution has to close it.</summary>
    [Range(1, 3_600)]
    public int ClosingSeconds { get; set; } = (int)TradePatience.Default.Closing.TotalSeconds;

    /// <summary>How long after a missed deadline the next one comes, where the phase cannot be ended without another's word.</summary>
    [Range(1, 3_600)]
    public int AgainSeconds { get; set; } = (int)TradePatience.Default.Again.TotalSeconds;

    /// <summary>How long it may take from a signal to its entry: one that has less left when its turn comes is not begun, and no more are let in than get there in half of it.</summary>
    [Range(1, 3_600)]
    public int EnteringSeconds { get; set; } = (int)TradePatience.Default.Entering.TotalSeconds;

    /// <summary>After this long without news of a trade that others should speak of, its last command is sent again.</summary>
    [Range(1, 3_600)]
    public int StandstillSeconds { get; set; } = 5;

    public TradePatience Patience => new(
        TimeSpan.FromSeconds(ValidatingSeconds), TimeSpan.FromSeconds(AssessingRiskSeconds), TimeSpan.FromSeconds(ExecutingSeconds),
        TimeSpan.FromSeconds(OpenSeconds), TimeSpan.FromSeconds(ClosingSeconds), TimeSpan.FromSeconds(AgainSeconds),
        TimeSpan.FromSeconds(EnteringSeconds));
}
