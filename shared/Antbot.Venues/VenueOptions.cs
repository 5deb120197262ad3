using System.ComponentModel.DataAnnotations;

namespace Antbot.Venues;

/// <summary>Which venue, and with whose key: <c>ANTBOT_VENUE__ADDRESS</c>, <c>ANTBOT_VENUE__KEY_FILE</c> and so on.</summary>
public sealed class VenueOptions
{
    public const string Section = "venue";

    private const int SecretLengthMax = 4_096;

    /// <summary>Where its REST routes begin: <c>https://api.binance.com</c>, or a paper venue's address.</summary>
    [Required]
    public Uri? Address { get; set; }

    /// <summary>Where its streams are; made from the address where it is not given.</summary>
    public Uri? StreamAddress { get; set; }

    /// <summary>Whose account the key opens: trades of no other are executed or reconciled with it.</summary>
    [RegularExpression("[a-z0-9-]{1,40}", ErrorMessage = "An account id has 1 to 40 small letters, digits and hyphens.", MatchTimeoutInMilliseconds = 1000)]
    public string Account { get; set; } = "main";

    /// <summary>The key of our account there.</summary>
    public string? Key { get; set; }

    public string? KeyFile { get; set; }

    /// <summary>The secret that requests are signed with.</summary>
    public string? Secret { get; set; }

    public string? SecretFile { get; set; }

    /// <summary>Whether no real money is there. Said by who configures it: in Dry nothing is sent to a venue that is not.</summary>
    public bool Paper { get; set; }

    /// <summary>Names the venue in events and metrics.</summary>
    [RegularExpression("^[a-z0-9-]{1,40}$")]
    public string Name { get; set; } = "venue";

    /// <summary>How long an answer is waited for before it is unknown.</summary>
    [Range(100, 60_000)]
    public int TimeoutMilliseconds { get; set; } = 3_000;

    public Uri Streams => StreamAddress ?? StreamsOf(Address!);

    public static IEnumerable<ValidationResult> Check(VenueOptions options)
    {
        if (options.Address is { } address && !(address.IsAbsoluteUri && address.Scheme is "http" or "https"))
            yield return new ValidationResult("It is no http or https address.", [nameof(Address)]);
        else if (options.Address is { Scheme: "http", IsLoopback: false } && !options.Paper)
            yield return new ValidationResult("A real venue is spoken to over https alone.", [nameof(Address)]);
        // Whether money is real is said by who configures it, and here the address knows better.
        if (options is { Paper: true, Address: { IsAbsoluteUri: true } real } && Production.Contains(real.Host))
            yield return new ValidationResult($"There is real money at {real.Host}, and it is said to be paper.", [nameof(Paper)]);
        if (options.StreamAddress is { } streams && !(streams.IsAbsoluteUri && streams.Scheme is "ws" or "wss"))
            yield return new ValidationResult("It is no ws or wss address.", [nameof(StreamAddress)]);
        else if (options.StreamAddress is { Scheme: "ws", IsLoopback: false } && !options.Paper)
            yield return new ValidationResult("The prices of a real venue are heard over wss alone.", [nameof(StreamAddress)]);
        foreach (var (name, value, file) in new[] { (nameof(Key), options.Key, options.KeyFile), (nameof(Secret), options.Secret, options.SecretFile) })
        {
            if (FaultOf(value, file) is { } fault)
                yield return new ValidationResult(fault, [name]);
        }
    }

    /// <summary>Read when it is needed and kept nowhere else.</summary>
    public static string Read(string? value, string? file) => value ?? File.ReadAllText(file!).Trim();

    private static string? FaultOf(string? value, string? file)
    {
        if (value is null == file is null)
            return "Give it, or the file that holds it: one of both.";
        try
        {
            var secret = file is null || new FileInfo(file).Length <= SecretLengthMax ? Read(value, file) : "";
            return secret.Length > 0 && secret.All(c => c is > ' ' and < '\u007F') ? null : "It is empty, too long or no key.";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return $"Its file cannot be read: {e.Message}";
        }
    }

    /// <summary>Its hosts for REST in production, which are all alike.</summary>
    private static readonly HashSet<string> Production = new(["api.binance.com", "api1.binance.com", "api2.binance.com", "api3.binance.com", "api4.binance.com", "api-gcp.binance.com"], StringComparer.OrdinalIgnoreCase);

    private static Uri StreamsOf(Uri address) => Production.Contains(address.Host) ? new Uri("wss://stream.binance.com:9443")
        : address.Host.Equals("testnet.binance.vision", StringComparison.OrdinalIgnoreCase) ? new Uri("wss://stream.testnet.binance.vision")
        : new UriBuilder(address) { Scheme = address.Scheme == "https" ? "wss" : "ws", Path = "/" }.Uri;
}
