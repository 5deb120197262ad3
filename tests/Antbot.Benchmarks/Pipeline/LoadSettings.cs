namespace Antbot.Benchmarks.Pipeline;

/// <summary>What the platform is told for a load: no rate limits, limits of risk at their ceilings, trades that finish within moments, and time enough for a burst to wait its turn.</summary>
internal static class LoadSettings
{
    public static IReadOnlyDictionary<string, string> All { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["ANTBOT_PROFILE"] = "load",
        ["ANTBOT_SIGNAL__STRATEGIES"] = "",
        ["ANTBOT_SIGNAL__LIFESECONDS"] = "3600",
        ["ANTBOT_VALIDATION__MAXAGESECONDS"] = "3600",
        ["ANTBOT_VALIDATION__DUPLICATEWINDOWSECONDS"] = "0",
        ["ANTBOT_RISK__MAXEXPOSURE"] = "100000",
        ["ANTBOT_RISK__MAXTRADES"] = "50000",
        ["ANTBOT_RISK__STARTINGEQUITY"] = "1000000000",
        ["ANTBOT_RISK__DAILYLOSSPERCENT"] = "20",
        ["ANTBOT_EXECUTION__HOLDINGSECONDSMAX"] = "1",
        ["ANTBOT_EXECUTION__PRICEMOVEMAX"] = "0.5",
        ["ANTBOT_COORDINATOR__VALIDATINGSECONDS"] = "3600",
        ["ANTBOT_COORDINATOR__ASSESSINGRISKSECONDS"] = "3600",
        ["ANTBOT_COORDINATOR__EXECUTINGSECONDS"] = "3600",
        ["ANTBOT_COORDINATOR__CLOSINGSECONDS"] = "3600",
    };
}
