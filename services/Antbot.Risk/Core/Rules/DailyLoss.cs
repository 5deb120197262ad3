using Antbot.Contracts.Messages;

namespace Antbot.Risk.Core.Rules;

/// <summary>Once a UTC day has lost this part of the equity it began with, nothing more is entered on it.</summary>
public static class DailyLoss
{
    public static Verdict Check(Assessment a)
    {
        var lost = Math.Max(0, -a.Sight.RealisedToday);
        var most = Math.Max(0, a.Sight.DayStartEquity) * a.Limits.DailyLossPercent / 100;
        return new Verdict(
            "daily_loss",
            lost < most,
            $"{Assessment.Amount(lost)} lost on {a.Sight.Day:yyyy-MM-dd}, less than {Assessment.Amount(most)} ({Assessment.Amount(a.Limits.DailyLossPercent)} % of the {Assessment.Amount(a.Sight.DayStartEquity)} it began with)");
    }
}
