using System.ComponentModel.DataAnnotations;
using Antbot.Hosting;
using Microsoft.Extensions.Configuration;

namespace Antbot.ConsoleService;

/// <summary>In the environment: <c>ANTBOT_CONSOLE__TOKEN_FILE</c> and so on.</summary>
public sealed class ConsoleOptions
{
    /// <summary>What an operator must bear; or a line <c>name=token</c> for each operator. Better in a file, which no other process sees.</summary>
    public string Token { get; set; } = "";

    [ConfigurationKeyName("TOKEN_FILE")]
    public string TokenFile { get; set; } = "";

    /// <summary>Where each service answers for its health: <c>ANTBOT_CONSOLE__SERVICES__RISK=http://127.0.0.1:5103</c>; with commas between instances.</summary>
    public IDictionary<string, string> Services { get; set; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>How many may watch the events at once.</summary>
    [Range(1, 1_000)]
    public int Watchers { get; set; } = 32;

    /// <summary>What the store may come to, in bytes; 0 where only its disk bounds it. A database server's disk cannot be seen from here.</summary>
    [Range(0d, 1_000_000_000_000_000d)]
    public long StoreBytesMax { get; set; }

    /// <summary>With room for fewer days than this, as it grows, the health says so.</summary>
    [Range(1, 3_650)]
    public int StoreDaysMin { get; set; } = 14;

    /// <summary>A dead letter that was sent once more is sent again when nothing has been heard of it for so long, and then after twice as long each time, up to an hour.</summary>
    [Range(1, 3_600)]
    public int ResendSeconds { get; set; } = 60;

    /// <summary>More dead letters than this at once are sent when a second operator has approved it.</summary>
    [Range(0, 5_000)]
    public int ReplayLettersMax { get; set; } = 100;

    /// <summary>The same for what their wishes to enter come to.</summary>
    [Range(0d, 1_000_000_000d)]
    public decimal ReplayNotionalMax { get; set; } = 10_000;

    /// <summary>Dead letters that are sent together go in batches of 1, 2, 5, 10 and so on, up to this.</summary>
    [Range(1, 1_000)]
    public int ReplayBatchMax { get; set; } = 500;

    /// <summary>So many of them a second at most.</summary>
    [Range(1, 10_000)]
    public int ReplaysPerSecond { get; set; } = 100;

    /// <summary>When nothing has been heard of one of a batch for so long, the rest is left alone.</summary>
    [Range(1, 3_600)]
    public int ReplayPatienceSeconds { get; set; } = 60;

    /// <summary>A dead letter about which nothing was done for so many days expires, unless a trade that it is about goes on.</summary>
    [Range(1, 3_650)]
    public int DeadLetterDays { get; set; } = 30;

    /// <summary>So many dead letters of one cause, about which nothing is decided, are an incident.</summary>
    [Range(1, 1_000_000)]
    public int LettersOfCauseAlert { get; set; } = 10;

    /// <summary>The same for those of all causes together.</summary>
    [Range(1, 1_000_000)]
    public int LettersAlert { get; set; } = 100;

    /// <summary>A difference between the venue and our record that stays for so many minutes is an incident.</summary>
    [Range(1, 10_080)]
    public int DifferenceAlertMinutes { get; set; } = 15;

    /// <summary>A circuit breaker that is not closed for so many seconds is an incident.</summary>
    [Range(1, 86_400)]
    public int BreakerAlertSeconds { get; set; } = 120;

    public static IEnumerable<ValidationResult> Check(ConsoleOptions options)
    {
        if (Fault(options) is { } fault)
            yield return new ValidationResult(fault, [nameof(TokenFile)]);
        foreach (var (name, address) in options.Services.SelectMany(s => Split(s.Value).DefaultIfEmpty("").Select(a => (s.Key, a))))
        {
            if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
                yield return new ValidationResult($"{name}: an address such as http://127.0.0.1:5103 is wanted.", [nameof(Services)]);
        }
    }

    /// <summary>The token itself, or all of them. Never logged, never part of a fault.</summary>
    public string ReadToken() => (TokenFile.Length > 0 ? File.ReadAllText(TokenFile) : Token).Trim();

    internal static string[] Split(string addresses) => addresses.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string? Fault(ConsoleOptions options)
    {
        if (options.Token.Length > 0 && options.TokenFile.Length > 0)
            return "TOKEN and TOKEN_FILE are both set; one of them is meant.";
        if (options.Token.Length == 0 && options.TokenFile.Length == 0)
            return "Nobody could be let in: set TOKEN_FILE to a file that holds the operators' token, or TOKEN.";
        try
        {
            _ = ApiKeys.Load(options.ReadToken(), file: null, out var faults);
            return faults.Count == 0 ? null : $"The operators' token: {string.Join(' ', faults)}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"The operators' token cannot be read: {e.Message}";
        }
    }
}
