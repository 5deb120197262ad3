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
        new("MAX_POSITION_SIZE_USD", ConfigurationPath.Combine("risk", "MaxOrderNotional"), "100000", "The most that one entry may cost.", text => Number(text)?.ToString(CultureInfo.InvariantCulture)),
    ];

    /// <summary>Whoever sets one of these believes in something that does not happen.</summary>
    public static IReadOnlyList<string> WithoutSetting { get; } =
    [
        "ENVIRONMENT", "ADMIN_USER_IDS", "SUPER_ADMIN_IDS", "MAX_ACCOUNT_RISK_PCT", "LIQUIDATION_BUFFER_PCT", "TELEGRAM_TOKEN", "PAGERDUTY_KEY",
    ];

    /// <summary>Whoever sets one of these means to shut something that would stand open: nothing is started then, and what does it is named.</summary>
    public static IReadOnlyList<(string Name, string Instead)> Refused { get; } =
    [
        ("BOT_EMERGENCY_SHUTDOWN", "'antbot halt --reason …' stops trading, everywhere and until it is resumed"),
        ("HEALTH_USERNAME", "ANTBOT_HEALTHKEY is what opens /health and /metrics"),
        ("HEALTH_PASSWORD", "ANTBOT_HEALTHKEY is what opens /health and /metrics"),
    ];

    public static IEnumerable<string> FindRefused(IDictionary environment) => Refused
        .Where(r => environment[r.Name] is string { Length: > 0 } value && !value.Trim().Equals("false", StringComparison.OrdinalIgnoreCase) && value.Trim() != "0")
        .Select(r => $"{r.Name} is set and would do nothing: {r.Instead}. Take it out of the environment.");

    /// <summary>Adds to the settings what is said by these names alone.</summary>
    /// <returns>Those that were read, for the faults that are found in them later.</returns>
    public static IReadOnlyList<DocumentName> Apply(IDictionary environment, Dictionary<string, string?> settings, List<string> faults)
    {
        var read = new List<DocumentName>();
        foreach (var name in Known)
        {
            if (environment[name.Name] is not string { Length: > 0 } text || settings.Keys.Any(k => BoundOptions.IsSame(k, name.Key)))
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

    public static IEnumerable<string> FindWithoutSetting(IDictionary environment) => WithoutSetting.Where(n => environment[n] is string { Length: > 0 });

    private static decimal? Number(string text) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : null;
}
