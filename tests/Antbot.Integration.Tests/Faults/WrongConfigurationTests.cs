using Antbot.Hosting;
using Antbot.Integration.Tests.Cli;
using Xunit;

namespace Antbot.Integration.Tests.Faults;

/// <summary>Every real service, as its own process, with everything about its configuration wrong.</summary>
public sealed class WrongConfigurationTests
{
    /// <summary>What is promised; it takes a tenth of it, and a quarter where sixty processes want the same two processors.</summary>
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(5);

    /// <summary>A service's program, a number of its own that cannot be, and the name of what it does not know.</summary>
    public static TheoryData<string, string> Services => new()
    {
        { "Antbot.Coordinator", "COORDINATOR__VALIDATINGSECONDS" },
        { "Antbot.Validation", "VALIDATION__MAXAGESECONDS" },
        { "Antbot.Risk", "RISK__MAXEXPOSURE" },
        { "Antbot.Execution", "EXECUTION__HOLDINGSECONDSMAX" },
        { "Antbot.Reconciliation", "RECONCILIATION__EVERYSECONDS" },
        { "Antbot.Signal", "SIGNAL__COOLDOWNSECONDS" },
        { "Antbot.Console", "CONSOLE__WATCHERS" },
    };

    /// <summary>Those that speak to a venue.</summary>
    public static TheoryData<string> OfVenues => ["Antbot.Signal", "Antbot.Execution", "Antbot.Reconciliation"];

    [Theory]
    [MemberData(nameof(Services))]
    public async Task It_ends_and_names_every_fault_before_it_does_anything(string service, string option)
    {
        var unknown = $"{option}X";
        var (code, said) = await RunAsync(service, ("STORE", "nonsense"), ("BUS", "nonsense://"), ("LISTEN", "nowhere"), ("PREFETCH", "-3"), ("PROFILE", "fast"), (option, "-1"), (unknown, "1"));
        Assert.Equal(ExitCodes.InvalidConfiguration, code);
        foreach (var name in new[] { "STORE", "BUS", "LISTEN", "PREFETCH", "PROFILE", option, unknown })
            Assert.Contains(said, line => line.StartsWith("antbot: configuration:", StringComparison.Ordinal) && line.Contains($"ANTBOT_{name}", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [MemberData(nameof(Services))]
    public async Task Without_any_it_names_what_it_lacks(string service, string option)
    {
        var (code, said) = await RunAsync(service);
        Assert.Equal(ExitCodes.InvalidConfiguration, code);
        Assert.Contains(said, line => line.Contains("ANTBOT_STORE", StringComparison.Ordinal));
        Assert.DoesNotContain(said, line => line.Contains(option, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Where, as whom and with which key orders would be sent, is never guessed.</summary>
    [Theory]
    [MemberData(nameof(OfVenues))]
    public async Task Without_a_venue_it_names_what_it_lacks_of_it(string service)
    {
        var (code, said) = await RunAsync(service, Elsewhere);
        Assert.Equal(ExitCodes.InvalidConfiguration, code);
        OnlyFaultsOf(said, "ADDRESS", "KEY", "SECRET");
    }

    [Theory]
    [MemberData(nameof(OfVenues))]
    public async Task A_venue_that_is_wrong_ends_it_with_every_fault_and_no_secret(string service)
    {
        var (code, said) = await RunAsync(
            service,
            [
                .. Elsewhere, ("VENUE__ADDRESS", "http://api.example"), ("VENUE__STREAMADDRESS", "ftp://api.example"), ("VENUE__KEY", "a key of several words"), ("VENUE__SECRET_FILE", "/nowhere/secret"),
                ("VENUE__ACCOUNT", "Main account"), ("VENUE__NAME", "The Venue"), ("VENUE__TIMEOUTMILLISECONDS", "1"), ("VENUE__PAPER", "perhaps"),
            ]);
        Assert.Equal(ExitCodes.InvalidConfiguration, code);
        OnlyFaultsOf(said, "ADDRESS", "STREAMADDRESS", "KEY", "SECRET", "ACCOUNT", "NAME", "TIMEOUTMILLISECONDS", "PAPER");
        Assert.DoesNotContain(said, line => line.Contains("several words", StringComparison.Ordinal));
    }

    /// <summary>What was found on the account, and every signal that names none, would be held without a stop.</summary>
    [Theory]
    [InlineData("0", "false", true)]
    [InlineData("0", "true", false)]
    [InlineData("0.0001", "false", false)]
    public async Task Where_there_is_real_money_nothing_may_be_held_without_a_stop(string distance, string paper, bool isFault)
    {
        // Whatever else, it ends here: nothing listens there.
        var (code, said) = await RunAsync(
            "Antbot.Execution",
            [
                .. Elsewhere, ("LISTEN", "nowhere"), ("VENUE__ADDRESS", "https://api.example"), ("VENUE__KEY", "key"), ("VENUE__SECRET", "secret"), ("VENUE__PAPER", paper), ("EXECUTION__STOPDISTANCE", distance),
            ]);
        Assert.Equal(ExitCodes.InvalidConfiguration, code);
        Assert.Equal(
            isFault ? ["antbot: configuration: ANTBOT_EXECUTION__STOPDISTANCE: it is 0, so that what comes without a stop would be held without one, and there is real money at the venue (ANTBOT_VENUE__PAPER is not true)."] : [],
            said.Where(line => !line.Contains("ANTBOT_LISTEN", StringComparison.Ordinal)));
    }

    /// <summary>An exchange is given arguments, and keys by its environment.</summary>
    [Fact]
    public async Task The_paper_venue_ends_and_names_every_fault_before_it_does_anything()
    {
        var data = Path.Combine(Path.GetTempPath(), $"antbot-wrong-{Guid.NewGuid():N}");
        var (code, said) = await RunAsync(
            "Antbot.PaperVenue", [("VENUE_API_KEY", "a key of several words"), ("VENUE_API_SECRET_FILE", "/nowhere/secret"), ("VENUE_ADMIN_KEY", "short")],
            ["--data", data, "--port", "70000", "--admin-port", "-1", "--listen", "nowhere", "--speed", "0", "--scenario", "sunny", "--weight-limit", "0", "--request-limit", "0", "--order-limit", "0"]);
        Assert.Equal(ExitCodes.InvalidConfiguration, code);
        foreach (var fault in new[]
        {
            "ANTBOT_VENUE_API_SECRET_FILE names /nowhere/secret", "The API key is not", "The admin key is not", "The port is 70000", "The admin port is -1", "'nowhere'", "The speed is 0", "'sunny'",
            "request weight per minute is 0", "requests per five minutes is 0", "orders per ten seconds is 0",
        })
            Assert.Contains(said, line => line.StartsWith("antbot-venue: ", StringComparison.Ordinal) && line.Contains(fault, StringComparison.Ordinal));
        Assert.DoesNotContain(said, line => line.Contains("several words", StringComparison.Ordinal));
        Assert.False(Directory.Exists(data));
    }

    /// <summary>Whoever supervised it started a venue that cannot understand its arguments again and again, and read of types of which it knows nothing.</summary>
    [Theory]
    [InlineData("--port is 'abc'", "--port", "abc")]
    [InlineData("--admin-port is '1.5'", "--admin-port", "1.5")]
    [InlineData("--speed is '99999999999'", "--speed", "99999999999")]
    [InlineData("--seed is '9223372036854775808'", "--seed", "9223372036854775808")]
    [InlineData("'--order-limit'", "--order-limit")]
    [InlineData("'--sped'", "--sped", "2")]
    [InlineData("'nowhere' is neither", "--follow", "nowhere")]
    public async Task The_paper_venue_ends_in_the_same_way_for_arguments_that_make_no_sense(string fault, params string[] arguments)
    {
        var data = Path.Combine(Path.GetTempPath(), $"antbot-wrong-{Guid.NewGuid():N}");
        var (code, said) = await RunAsync("Antbot.PaperVenue", [], ["--data", data, .. arguments]);
        Assert.Equal(ExitCodes.InvalidConfiguration, code);
        Assert.Contains(said, line => line.StartsWith("antbot-venue: ", StringComparison.Ordinal) && line.Contains(fault, StringComparison.Ordinal));
        Assert.DoesNotContain(said, line => line.Contains("System.", StringComparison.Ordinal));
        Assert.False(Directory.Exists(data));
    }

    /// <summary>All that a service needs besides a venue; nobody is there, and nobody is asked.</summary>
    private static (string Name, string Value)[] Elsewhere =>
        [("STORE", "Host=127.0.0.1;Port=1;Username=nobody;Database=none"), ("BUS", "amqp://nobody:none@127.0.0.1:1"), ("LISTEN", "http://127.0.0.1:0")];

    private static void OnlyFaultsOf(IReadOnlyList<string> said, params string[] names)
    {
        foreach (var name in names)
            Assert.Contains(said, line => line.StartsWith($"antbot: configuration: ANTBOT_VENUE__{name}", StringComparison.OrdinalIgnoreCase));
        Assert.All(said, line => Assert.Contains(names, name => line.StartsWith($"antbot: configuration: ANTBOT_VENUE__{name}", StringComparison.OrdinalIgnoreCase)));
    }

    private static Task<(int Code, IReadOnlyList<string> Said)> RunAsync(string service, params (string Name, string Value)[] settings) => RunAsync(service, settings, []);

    private static async Task<(int Code, IReadOnlyList<string> Said)> RunAsync(string service, (string Name, string Value)[] settings, string[] arguments)
    {
        using var process = AntbotProcess.Start($"{service}.dll", Path.GetTempPath(), settings, arguments);
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Within);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{service} has not ended within {Within.TotalSeconds:0} s; it said: {await output}{await error}");
        }
        // Nothing was opened and nothing taken: not a word but the faults.
        Assert.Equal("", await output);
        return (process.ExitCode, (await error).Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
