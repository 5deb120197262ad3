using System.ComponentModel.DataAnnotations;
using Antbot.Messaging;

namespace Antbot.Hosting;

/// <summary>What every process needs to know. In the environment: <c>ANTBOT_STORE</c>, <c>ANTBOT_BUS</c>, <c>ANTBOT_LISTEN</c>.</summary>
public sealed class PlatformOptions
{
    /// <summary>The profile for demonstrations and benchmarks: rate limits are lifted, never while trading is live.</summary>
    public const string LoadProfile = "load";

    /// <summary>Empty, or <see cref="LoadProfile"/>.</summary>
    [RegularExpression($"^({LoadProfile})?$", ErrorMessage = "The profile is empty or 'load'.")]
    public string Profile { get; set; } = "";

    /// <summary><c>sqlite:FILE</c>, or a PostgreSQL connection string.</summary>
    [Required]
    public string Store { get; set; } = "";

    public string Bus { get; set; } = BusOptions.Memory;

    /// <summary>Where health, metrics and the service's own routes are served. Loopback unless told otherwise.</summary>
    public string Listen { get; set; } = "http://127.0.0.1:0";

    /// <summary>Names this instance in logs, leases and metrics.</summary>
    public string Instance { get; set; } = "";

    [Range(1, 1_000)]
    public int Prefetch { get; set; } = 64;

    [Range(1, 600)]
    public int ShutdownSeconds { get; set; } = 30;
}
