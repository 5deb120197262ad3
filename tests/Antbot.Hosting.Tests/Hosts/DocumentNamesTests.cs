using System.Collections;
using Xunit;

namespace Antbot.Hosting.Tests.Hosts;

/// <summary>The names that the operating documents give to settings.</summary>
public sealed class DocumentNamesTests
{
    [Theory]
    [InlineData("LOG_JSON", "true", "LogFormat", "Json")]
    [InlineData("LOG_JSON", "False", "LogFormat", "Text")]
    [InlineData("HEALTH_PORT", "8080", "Listen", "http://127.0.0.1:8080")]
    [InlineData("MAX_DAILY_LOSS_PCT", "0.20", "risk:DailyLossPercent", "20.00")]
    [InlineData("MAX_DAILY_LOSS_PCT", " 0.005 ", "risk:DailyLossPercent", "0.500")]
    [InlineData("MAX_POSITION_SIZE_USD", "100000", "risk:MaxOrderNotional", "100000")]
    [InlineData("HEALTH_USERNAME", "anna", "HealthUserName", "anna")]
    [InlineData("HEALTH_PASSWORD", "hush-4711=hush,", "HealthPassword", "hush-4711=hush,")]
    [InlineData("BOT_EMERGENCY_SHUTDOWN", "true", "EmergencyShutdown", "True")]
    [InlineData("BOT_EMERGENCY_SHUTDOWN", "1", "EmergencyShutdown", "True")]
    [InlineData("BOT_EMERGENCY_SHUTDOWN", "0", "EmergencyShutdown", "False")]
    public void A_name_is_read_in_its_own_unit(string name, string text, string key, string value)
    {
        var (settings, faults) = Read([], (name, text));
        Assert.Empty(faults);
        Assert.Equal(value, Assert.Single(settings, s => s.Key == key).Value);
    }

    /// <summary>Twenty for twenty per cent would have lifted the limit.</summary>
    [Theory]
    [InlineData("LOG_JSON", "yes")]
    [InlineData("HEALTH_PORT", "0")]
    [InlineData("HEALTH_PORT", "65536")]
    [InlineData("HEALTH_PORT", "http://0.0.0.0:80")]
    [InlineData("MAX_DAILY_LOSS_PCT", "20")]
    [InlineData("MAX_DAILY_LOSS_PCT", "20%")]
    [InlineData("MAX_DAILY_LOSS_PCT", "-0.2")]
    [InlineData("MAX_POSITION_SIZE_USD", "1e9")]
    [InlineData("MAX_POSITION_SIZE_USD", "100,000")]
    [InlineData("BOT_EMERGENCY_SHUTDOWN", "yes")]
    public void What_cannot_be_read_is_a_fault_that_names_both(string name, string text)
    {
        var (settings, faults) = Read([], (name, text));
        Assert.Empty(settings);
        var fault = Assert.Single(faults);
        Assert.StartsWith($"{name}: it cannot be read.", fault, StringComparison.Ordinal);
        Assert.Contains("ANTBOT_", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Ours_win_however_they_are_given_and_what_is_empty_says_nothing()
    {
        var (settings, faults) = Read(
            ["--risk:maxOrderNotional=7"],
            ("MAX_POSITION_SIZE_USD", "much"), ("MAX_DAILY_LOSS_PCT", "0.20"), ("ANTBOT_RISK__DAILY_LOSS_PERCENT", "3"), ("LOG_JSON", "true"), ("ANTBOT_LOG_FORMAT", "Text"), ("HEALTH_PORT", ""));
        Assert.Empty(faults);
        Assert.Equal(["log_format=Text", "risk:daily_loss_percent=3", "risk:maxordernotional=7"], settings.Select(s => $"{s.Key.ToLowerInvariant()}={s.Value}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void What_has_no_setting_is_known_as_such()
    {
        var environment = new Hashtable { ["PAGERDUTY_KEY"] = "x", ["TELEGRAM_TOKEN"] = "", ["PATH"] = "/bin" };
        Assert.Equal(["PAGERDUTY_KEY"], DocumentNames.FindWithoutSetting(environment).Select(n => n.Name));
        Assert.Empty(DocumentNames.Known.Select(n => n.Name).Intersect(DocumentNames.WithoutSetting.Select(n => n.Name)));
        // Every one that the documents set or read.
        Assert.Subset(
            DocumentNames.Known.Select(n => n.Name).Concat(DocumentNames.WithoutSetting.Select(n => n.Name)).ToHashSet(StringComparer.Ordinal),
            new HashSet<string>(StringComparer.Ordinal)
            {
                "ENVIRONMENT", "LOG_JSON", "ADMIN_USER_IDS", "SUPER_ADMIN_IDS", "MAX_POSITION_SIZE_USD", "MAX_ACCOUNT_RISK_PCT", "LIQUIDATION_BUFFER_PCT", "MAX_DAILY_LOSS_PCT", "HEALTH_PORT", "HEALTH_USERNAME",
                "HEALTH_PASSWORD", "BOT_EMERGENCY_SHUTDOWN", "TELEGRAM_TOKEN", "PAGERDUTY_KEY",
            });
    }

    private static (IReadOnlyDictionary<string, string?> Settings, IReadOnlyList<string> Faults) Read(string[] arguments, params (string Name, string Value)[] variables)
    {
        var environment = new Hashtable(variables.ToDictionary(v => v.Name, v => v.Value));
        var faults = new List<string>();
        var settings = HostConfiguration.Read(arguments, environment, faults);
        DocumentNames.Apply(environment, settings, faults);
        return (settings, faults);
    }
}
