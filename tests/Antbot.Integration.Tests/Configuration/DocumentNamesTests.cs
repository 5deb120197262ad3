using System.Collections;
using Antbot.Hosting;
using Antbot.Risk;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Antbot.Integration.Tests.Configuration;

/// <summary>The limits of the account by the names that the operating documents give them.</summary>
public sealed class DocumentNamesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-names-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_documents_own_values_are_taken_and_ours_win()
    {
        await using var documented = Build(out _, ("MAX_DAILY_LOSS_PCT", "0.20"), ("MAX_POSITION_SIZE_USD", "100000"));
        Assert.Equal((20m, 100_000m), LimitsOf(documented));
        await using var both = Build(out _, ("MAX_DAILY_LOSS_PCT", "0.20"), ("ANTBOT_RISK__DAILYLOSSPERCENT", "3"), ("MAX_POSITION_SIZE_USD", "500"));
        Assert.Equal((3m, 500m), LimitsOf(both));

        static (decimal, decimal) LimitsOf(WebApplication? app)
        {
            var options = app!.Services.GetRequiredService<RiskOptions>();
            return (options.DailyLossPercent, options.MaxOrderNotional);
        }
    }

    [Fact]
    public void The_ceilings_are_the_same_and_the_name_that_was_used_is_told()
    {
        Assert.Null(Build(out var faults, ("MAX_DAILY_LOSS_PCT", "0.21"), ("MAX_POSITION_SIZE_USD", "100001")));
        Assert.Equal(
            [
                "ANTBOT_RISK__DAILYLOSSPERCENT: 21.00 is not above 0 and at most 20, the ceiling. (MAX_DAILY_LOSS_PCT says so.)",
                "ANTBOT_RISK__MAXORDERNOTIONAL: 100001 is not above 0 and at most 100000, the ceiling. (MAX_POSITION_SIZE_USD says so.)",
            ],
            faults.Order(StringComparer.Ordinal));
    }

    private WebApplication? Build(out IReadOnlyList<string> faults, params (string Name, string Value)[] variables) =>
        ServiceHost.Build([$"--store=sqlite:{Path.Combine(_folder, "antbot.db")}"], new Hashtable(variables.ToDictionary(v => v.Name, v => v.Value)), [new RiskModule()], out faults);
}
