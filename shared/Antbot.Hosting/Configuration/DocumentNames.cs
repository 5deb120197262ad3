using System.Collections;
using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Antbot.Hosting;

/// <summary>A variable of the operating documents that says the same as one of ours, in its own unit.</summary>
/// <param name="Example">The document's own value.</param>
/// <param name="Read">Our value, or null where it cannot be read.</param>
internal sealed record DocumentName(string Name, string Key, string Example, string Means, Func<string, string?> Read)
{
    public string Variable => BoundOptions.Variable("", Key);
}

/// <summary>
/// The names that the operating documents give to settings. They are read where the variable of ours is not given; limits and ceilings are
/// the same whichever name is used.
/// </summary>
internal static class DocumentNames
{
    public static IReadOnlyList<DocumentName> Known { get; } =
    [
        new("LOG_JSON", nameof(PlatformOptions.LogFormat), "true", "true or false: logs as JSON, or as text.", text => bool.TryParse(text, out var json) ? (json ? LogFormat.Json : LogFormat.Text).ToString() : null),
        new("HEALTH_PORT", nameof(PlatformOptions.Listen), "8080", "The port on the loopback address where health, metrics and the service's own routes are served.", text =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= 65_535 ? string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}") : null),
        new("MAX_DAILY_LOSS_PCT", ConfigurationPath.Combine("risk", "DailyLossPercent"), "0.20", "The share that may be lost of the equity that a UTC day began with, between 0 and 1: 0.20 is 20 %.", text =>
            Number(text) is { } share && share <= 1 ? (share * 100).ToString(CultureInfo.InvariantCulture) : null),
        new("HEALTH_USERNAME", nameof(PlatformOptions.HealthUserName), "operator", "Who may open /health and /metrics with a password.", text => text),
        new("HEALTH_PASSWORD", nameof(PlatformOptions.HealthPassword), "", "The password to it; better in a file that HEALTH_PASSWORD_FILE names.", text => text),
        new("BOT_EMERGENCY_SHUTDOWN", nameof(PlatformOptions.EmergencyShutdown), "false", "true records a halt at the start, which stays until an operator resumes.", text =>
            text is "0" or "1" ? text == "1" ? bool.TrueString : bool.FalseString : bool.TryParse(text, out var shut) ? shut.ToString() : null),
        new("MAX_POSITION_SIZE_USD", ConfigurationPath.Combine("risk", "MaxOrderNotional"), "100000", "The most that one entry may cost.", text => Number(text)?.ToString(CultureInfo.InvariantCulture)),
    ];

    /// <summary>Whoever sets one of these believes in something that does not happen: it is said at the start, with what it will be for.</summary>
    public static IReadOnlyList<(string Name, string Will)> WithoutSetting { get; } =
    [
        ("ENVIRONMENT", "nothing here differs by it: each setting says itself what it is, and an operator turns trading live"),
        ("DEFAULT_EXECUTION_MODE", "every store begins Dry, and an operator turns trading live"),
        ("ADMIN_USER_IDS", "it will name who may give orders over Telegram; now the Console's token does"),
        ("SUPER_ADMIN_IDS", "it will name who may give others that right over Telegram"),
        ("MAX_ACCOUNT_RISK_PCT", "it will limit the share of the account at risk; now ANTBOT_RISK__MAXEXPOSURE limits what all trades together hold, in money"),
        ("LIQUIDATION_BUFFER_PCT", "it will keep leveraged positions from liquidation; now nothing is traded with leverage"),
        ("TELEGRAM_TOKEN", "it will send alerts over Telegram"),
        ("PAGERDUTY_KEY", "it will send alerts to PagerDuty"),
    ];

    /// <summary>Adds to the settings what is said by these names alone.</summary>
    /// <returns>Those that were read, for the faults that are found in them later.</returns>
    public static IReadOnlyList<DocumentName> Apply(IDictionary environment, Dictionary<string, string?> settings, List<string> faults)
    {
        var read = new List<DocumentName>();
        foreach (var name in Known)
        {
            if (settings.Keys.Any(k => BoundOptions.IsSame(k, name.Key)) || TextOf(name.Name, environment, faults) is not { Length: > 0 } text)
                continue;
            if (name.Read(text.Trim()) is { } value)
            {
                settings[name.Key] = value;
                read.Add(name);
            }
            else
            {
                faults.Add($"{name.Name}: it cannot be read. {name.Means} {name.Variable} says the same.");
            }
        }
        return read;
    }

    /// <summary>A password is better kept in a file, whatever its setting is called.</summary>
    private static string? TextOf(string name, IDictionary environment, List<string> faults) => environment[name] is string { Length: > 0 } text ? text
        : environment[name + HostConfiguration.FileSuffix] is string { Length: > 0 } file ? HostConfiguration.ReadFile(name + HostConfiguration.FileSuffix, file, faults) : null;

    public static IEnumerable<(string Name, string Will)> FindWithoutSetting(IDictionary environment) => WithoutSetting.Where(n => environment[n.Name] is string { Length: > 0 });

    private static decimal? Number(string text) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : null;
}
