using System.ComponentModel.DataAnnotations;
using Antbot.EventStore;
using Antbot.Messaging;
using Antbot.Runtime.Store;
using Microsoft.Extensions.Logging;

namespace Antbot.Hosting;

/// <summary>What every process needs to know. In the environment: <c>ANTBOT_STORE</c>, <c>ANTBOT_BUS</c>, <c>ANTBOT_LISTEN</c>.</summary>
public sealed class PlatformOptions
{
    /// <summary>The profile for demonstrations and benchmarks: rate limits are lifted, never while trading is live.</summary>
    public const string LoadProfile = "load";

    /// <summary>The event store: <c>sqlite:FILE</c>, or a PostgreSQL connection string (<c>Host=…;Database=…;Username=…</c>).</summary>
    [Required]
    public string Store { get; set; } = "";

    /// <summary>The folder with the files that old streams of the store were moved to. What is asked about them is refused where it is empty.</summary>
    public string Archives { get; set; } = "";

    /// <summary><c>memory:</c> within one process, or <c>amqp://user:password@host:port/virtual-host</c>.</summary>
    public string Bus { get; set; } = BusOptions.Memory;

    /// <summary>Where health, metrics and the service's own routes are served. Loopback unless told otherwise.</summary>
    public string Listen { get; set; } = "http://127.0.0.1:0";

    /// <summary>The origins whose pages a browser lets call this process, with commas between them: <c>https://console.example</c>. None where it is empty.</summary>
    public string CorsOrigins { get; set; } = "";

    /// <summary>Empty, or <c>load</c>: rate limits are lifted for demonstrations and benchmarks, never while trading is live.</summary>
    [RegularExpression($"^({LoadProfile})?$", ErrorMessage = "The profile is empty or 'load'.")]
    public string Profile { get; set; } = "";

    /// <summary>Names this instance in logs and health; the machine's name where it is empty.</summary>
    [StringLength(64)]
    public string Instance { get; set; } = "";

    /// <summary>Messages of one endpoint that are under way at once, and at most held while a dependency is down.</summary>
    [Range(1, 1_000)]
    public int Prefetch { get; set; } = 64;

    /// <summary>After a dependency was down for so long an endpoint takes no more messages until it is back.</summary>
    [Range(1, 3_600)]
    public int GateSeconds { get; set; } = 60;

    /// <summary>How often events that another program appended are looked for and adopted into the chain.</summary>
    [Range(1, 3_600)]
    public int SealSeconds { get; set; } = 5;

    /// <summary>How long an orderly end may take before it is forced.</summary>
    [Range(1, 600)]
    public int ShutdownSeconds { get; set; } = 30;

    /// <summary>The least level of what is logged: Trace, Debug, Information, Warning, Error, Critical.</summary>
    public LogLevel LogLevel { get; set; } = LogLevel.Information;

    /// <summary>Json, Text, or Auto: text where the output is a terminal.</summary>
    public LogFormat LogFormat { get; set; } = LogFormat.Auto;

    /// <summary>Keys that open <c>/health</c> and <c>/metrics</c>; open to everyone who reaches them where it is empty.</summary>
    public string HealthKey { get; set; } = "";

    /// <summary>Who may open <c>/health</c> and <c>/metrics</c> with a password, as Authorization: Basic. <c>/healthz</c> and <c>/readyz</c> are for probes and stay open.</summary>
    [StringLength(64)]
    public string HealthUserName { get; set; } = "";

    /// <summary>The password to that name, of 8 to 256 characters.</summary>
    public string HealthPassword { get; set; } = "";

    /// <summary>Records a halt at the start, before anything is worked on. It stays until an operator resumes, whatever this says later.</summary>
    public bool EmergencyShutdown { get; set; }

    /// <summary>Allows what only tests may do: <c>ANTBOT_CRASH_AT</c>, <c>ANTBOT_CLOCK_FROM</c>.</summary>
    public bool Testing { get; set; }

    /// <summary>Kills this process hard when it reaches a point for the n-th time: <c>risk.after-append:3</c>.</summary>
    [Microsoft.Extensions.Configuration.ConfigurationKeyName("CRASH_AT")]
    public string CrashAt { get; set; } = "";

    /// <summary>A file that says by how many seconds this process's clock goes wrong; it may be written anew at any time.</summary>
    [Microsoft.Extensions.Configuration.ConfigurationKeyName("CLOCK_FROM")]
    public string ClockFrom { get; set; } = "";

    internal string[] Origins => CorsOrigins.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    public static IEnumerable<ValidationResult> Check(PlatformOptions options)
    {
        if (options.Store.Length > 0 && FaultOfStore(options.Store) is { } store)
            yield return new ValidationResult(store, [nameof(Store)]);
        foreach (var fault in new BusOptions { Address = options.Bus }.Faults())
            yield return new ValidationResult(fault, [nameof(Bus)]);
        foreach (var address in options.Listen.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).DefaultIfEmpty(""))
        {
            if (!Uri.TryCreate(address.Replace("://*", "://any", StringComparison.Ordinal).Replace("://+", "://any", StringComparison.Ordinal), UriKind.Absolute, out var uri) || uri.Scheme != "http")
                yield return new ValidationResult($"'{address}' is no address to listen on, such as http://127.0.0.1:8080.", [nameof(Listen)]);
        }
        foreach (var origin in options.Origins.Where(o => !IsOrigin(o)))
            yield return new ValidationResult($"'{origin}' is no origin, such as https://console.example: http or https, a host, a port where it is not the usual one, and nothing else.", [nameof(CorsOrigins)]);
        ApiKeys.Load(options.HealthKey, file: null, out var keys);
        foreach (var fault in keys)
            yield return new ValidationResult(fault, [nameof(HealthKey)]);
        foreach (var fault in FaultsOfPassword(options))
            yield return fault;
        if (options.CrashAt.Length > 0 && !options.Testing)
            yield return new ValidationResult("Only a test may ask for a crash, and says so with ANTBOT_TESTING=true.", [nameof(CrashAt)]);
        else if (options.CrashAt.Length > 0 && CrashPoint.FaultOf(options.CrashAt) is { } crash)
            yield return new ValidationResult(crash, [nameof(CrashAt)]);
        if (options.ClockFrom.Length > 0 && !options.Testing)
            yield return new ValidationResult("Only a test may set the clock wrong, and says so with ANTBOT_TESTING=true.", [nameof(ClockFrom)]);
    }

    /// <summary>Half of the two would leave open what they mean to shut.</summary>
    private static IEnumerable<ValidationResult> FaultsOfPassword(PlatformOptions options)
    {
        if (options.HealthUserName.Length > 0 != options.HealthPassword.Length > 0)
            yield return new ValidationResult("A name and a password belong together; give both or none.", [options.HealthUserName.Length > 0 ? nameof(HealthPassword) : nameof(HealthUserName)]);
        else if (options.HealthPassword.Length is not 0 and (< 8 or > 256) || options.HealthPassword.Any(char.IsControl))
            yield return new ValidationResult("The password has 8 to 256 characters, on one line.", [nameof(HealthPassword)]);
        if (options.HealthUserName.Any(c => c == ':' || char.IsControl(c)))
            yield return new ValidationResult("The name has neither colons nor line breaks.", [nameof(HealthUserName)]);
    }

    /// <summary>As a browser says it: whatever differs would be refused for ever, without a word.</summary>
    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && text == uri.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);

    private static string? FaultOfStore(string address)
    {
        try
        {
            StoreAddress.Describe(address);
            return null;
        }
        catch (EventStoreException e)
        {
            return e.Message;
        }
    }
}

public enum LogFormat
{
    Auto,
    Json,
    Text,
}
