using System.Collections;
using System.Globalization;
using Antbot.Hosting;
using Antbot.Standalone;

namespace Antbot.Fuzz.Targets;

/// <summary>The variables that all services start with: a service starts with every one of them understood, or names what is wrong.</summary>
public sealed class ConfigurationTarget : IFuzzTarget
{
    private static readonly string[] Values =
    [
        "", " ", "0", "1", "-1", "5", "100", "0.5", "1e5", "1e400", "NaN", "Infinity", "-Infinity", "99999999999999999999999999", "2147483648", "true", "FALSE", "yes", "null", "BTCUSDT", "BTCUSDT,ETHUSDT", ",,,",
        "ema-cross", "http://127.0.0.1:1", "https://", "ftp://x/", "amqp://guest:guest@127.0.0.1:1/x", "Host=127.0.0.1;Port=1", "Host=;;;=", "/nowhere/at/all", "\u0000", "00:00:05", "-00:00:01", "1.00:00:00", "ü€😀", "load", "aggressive",
        new('x', 10_000),
    ];

    private static readonly IReadOnlyDictionary<string, string> Good = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["ANTBOT_STORE"] = "Host=127.0.0.1;Port=9;Database=antbot;Username=antbot;Password=fuzz-store-password",
        ["ANTBOT_BUS"] = "amqp://antbot:fuzz-bus-password@127.0.0.1:9/antbot",
        ["ANTBOT_VENUE__ADDRESS"] = "http://127.0.0.1:9/",
        ["ANTBOT_VENUE__PAPER"] = "true",
        ["ANTBOT_VENUE__KEY"] = "fuzz-venue-key",
        ["ANTBOT_VENUE__SECRET"] = "fuzz-venue-secret",
        ["ANTBOT_SIGNAL__APIKEY"] = "fuzz-signal-key-0123456789",
        ["ANTBOT_CONSOLE__TOKEN"] = "fuzz-console-token-0123456789",
    };

    /// <summary>As they are in what is good: none of them may be in what is told of what is not.</summary>
    private static readonly string[] Secrets =
        ["fuzz-store-password", "fuzz-bus-password", "fuzz-venue-key", "fuzz-venue-secret", "fuzz-signal-key-0123456789", "fuzz-console-token-0123456789"];

    private readonly string[] _names = [.. ConfigurationTemplate.Render(PlatformModules.Make()).Split('\n').Where(l => l.StartsWith("#ANTBOT_", StringComparison.Ordinal)).Select(l => l[1..l.IndexOf('=', StringComparison.Ordinal)])];

    public string Name => "configuration";

    public string What => "the variables that the services start with";

    public int Cases => 10_000;

    public FuzzOutcome Try(Random random)
    {
        var environment = new Hashtable();
        foreach (var (name, value) in Good)
            environment[name] = value;
        for (var n = random.Next(8); n > 0; n--)
        {
            var name = _names[random.Next(_names.Length)];
            environment[random.Next(10) switch { 0 => $"{name}X", 1 => $"{name}_FILE", 2 => name.ToLowerInvariant(), _ => name }] = random.Next(4) == 0 ? random.Next().ToString(CultureInfo.InvariantCulture) : Values[random.Next(Values.Length)];
        }
        using var app = ServiceHost.Build([], environment, PlatformModules.Make(), out var faults, isWhole: true);
        if (app is null)
            return faults.Count > 0 && faults.All(f => f.Contains("ANTBOT_", StringComparison.OrdinalIgnoreCase) && !Secrets.Any(s => f.Contains(s, StringComparison.Ordinal))) ? FuzzOutcome.Refused : throw new FuzzException($"It was refused without the name of what is wrong, or with a secret: {string.Join(" | ", faults)}");
        return faults.Count == 0 ? FuzzOutcome.Taken : throw new FuzzException("It was taken with faults.");
    }
}
