using System.CommandLine;
using System.CommandLine.Parsing;
using Antbot.Cli.Sources;
using Antbot.EventStore;
using Antbot.Venues;
using Spectre.Console;
using Symbol = Antbot.Contracts.Symbol;

namespace Antbot.Cli.Commands;

/// <summary>Which venue and with whose key: as the services are told it, or as what runs here has written it down.</summary>
internal static class VenueCommand
{
    private const string Prefix = "ANTBOT_VENUE__";

    public static Command Build()
    {
        var address = new Option<string>("--address") { Description = $"Where its REST routes begin. Default: the variable {Prefix}ADDRESS, else the venue of what runs here." };
        var key = new Option<string>("--key-file") { Description = $"The file with its key. Default: {Prefix}KEY or {Prefix}KEY_FILE." };
        var secret = new Option<string>("--secret-file") { Description = $"The file with the secret. Default: {Prefix}SECRET or {Prefix}SECRET_FILE." };
        var paper = new Option<bool>("--paper") { Description = $"There is no real money there. Default: {Prefix}PAPER." };
        var symbols = new Option<string[]>("--symbols") { Description = "Whose filters to show, such as BTCUSDT. Default: ANTBOT_EXECUTION__SYMBOLS, else how many there are.", AllowMultipleArgumentsPerToken = true };
        symbols.Validators.Add(CheckSymbols);
        var check = new Command("check", "Asks the venue for its clock, the filters of our symbols, balances and what the key may do, with a verdict and what to do for each. It sends no order. Exit code 1 where something failed or is not known.") { address, key, secret, paper, symbols };
        check.SetAction((parsed, cancellationToken) => Common.RunAsync(parsed, async () =>
        {
            var options = Options(parsed.GetValue(address), parsed.GetValue(key), parsed.GetValue(secret), parsed.GetValue(paper));
            var wanted = (parsed.GetValue(symbols) is { Length: > 0 } named ? named : [Environment.GetEnvironmentVariable("ANTBOT_EXECUTION__SYMBOLS") ?? ""]).SelectMany(Split)
                .Select(s => Symbol.Fault(s) is { } fault ? throw Usage(fault) : new Symbol(s)).Distinct().ToList();
            var budget = StoreAddress.OpenVenueBudget(SourceOptions.StoreOf(parsed), TimeProvider.System);
            await using var _ = budget as IAsyncDisposable;
            var lines = await VenueCheck.RunAsync(options, wanted, budget, TimeProvider.System, cancellationToken);
            var isFine = lines.All(l => l.Verdict is CheckVerdict.Ok or CheckVerdict.Warning);
            if (!Common.AnswerJson(parsed, new { Venue = options.Address, options.Paper, Fine = isFine, Lines = lines }))
                Show(options, lines, isFine);
            return isFine ? ExitCode.Done : ExitCode.Failed;
        }));
        return new Command("venue", "The exchange that is traded at.") { check };
    }

    private static void Show(VenueOptions options, IReadOnlyList<CheckLine> lines, bool isFine)
    {
        Console.Out.WriteLine($"{options.Address} ({(options.Paper ? "paper" : "REAL MONEY")})");
        var table = Tables.New("what", "verdict", "found", "what to do");
        foreach (var line in lines)
            table.AddRow([.. new[] { line.Name, line.Verdict.ToString().ToLowerInvariant(), line.Found, line.Advice }.Select(t => Markup.Escape(Tables.Plain(t)))]);
        Tables.Write(table);
        Console.Out.WriteLine(isFine ? "It can be traded at." : "It cannot be traded at as it is.");
    }

    private static VenueOptions Options(string? address, string? keyFile, string? secretFile, bool isPaper)
    {
        var run = address is null && Variable("ADDRESS") is null ? LocalRun.Find().Venue : null;
        var options = new VenueOptions
        {
            Address = Uri.TryCreate(address ?? Variable("ADDRESS") ?? run?.Address, UriKind.Absolute, out var uri) ? uri : throw Usage("Which venue? Say --address, such as https://api.binance.com, or set ANTBOT_VENUE__ADDRESS."),
            Account = Variable("ACCOUNT") ?? "main",
            Paper = isPaper || string.Equals(Variable("PAPER"), "true", StringComparison.OrdinalIgnoreCase) || run is { Paper: true },
            Key = Secret("KEY", keyFile ?? run?.KeyFile, "--key-file"),
            Secret = Secret("SECRET", secretFile ?? run?.SecretFile, "--secret-file"),
        };
        return VenueOptions.Check(options).FirstOrDefault() is { } fault ? throw Usage($"{string.Join(", ", fault.MemberNames)}: {fault.ErrorMessage}") : options;
    }

    private static string Secret(string name, string? file, string option) => file is not null ? Common.ReadSecret(file)
        : Variable(name) ?? (Variable($"{name}_FILE") is { } named ? Common.ReadSecret(named) : throw Usage($"With which {name.ToLowerInvariant()}? Say {option}, or set {Prefix}{name}_FILE."));

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(Prefix + name) is { Length: > 0 } value ? value : null;

    private static CommandException Usage(string message) => new("Usage", message, ExitCode.Usage);

    private static IEnumerable<string> Split(string list) => list.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries);

    private static void CheckSymbols(OptionResult result)
    {
        foreach (var fault in result.Tokens.SelectMany(t => Split(t.Value)).Select(Symbol.Fault).OfType<string>())
            result.AddError(fault);
    }
}
