using System.CommandLine;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Antbot.PaperVenue;
using Antbot.PaperVenue.Following;

// As of every process of ours: whoever supervises it starts it no more.
const int WrongConfiguration = 78;

var port = Number("--port", "The port to listen on; 0 for any that is free.", 0);
var adminPort = Number("--admin-port", "The port of the admin routes; 0 for any that is free.", 0);
var listen = new Option<string>("--listen") { Description = "The address to listen on.", DefaultValueFactory = _ => "127.0.0.1" };
var data = new Option<string>("--data") { Description = "Where the journal and the keys are kept.", DefaultValueFactory = _ => ".local/venue" };
var seed = Number("--seed", "Of the synthetic market: the same seed gives the same prices at the same time.", 1L);
var speed = Number("--speed", "How many times faster than real time the prices move.", 1);
var scenario = new Option<string?>("--scenario") { Description = "What the market begins with: usual, quiet, trending, choppy, flash-crash, altcoin-frenzy, rug-cascade, liquidity-crisis, volatility-spike, gas-war or replay." };
var replay = new Option<string?>("--replay-file") { Description = "Of the scenario replay: the name of a candle file in the folder 'candles' under the data folder." };
var follow = new Option<string?>("--follow") { Description = $"Show the public prices of a real venue in the place of made-up ones: {RealMarkets.Names}, or an address. Nothing else is ever asked of it." };
follow.Validators.Add(result =>
{
    if (result.GetValueOrDefault<string?>() is { } text && RealMarkets.Find(text) is null)
        result.AddError($"'{text}' is neither {RealMarkets.Names} nor an address over https.");
});
var noFaults = new Option<bool>("--no-faults") { Description = "Let nobody order faults." };
var remoteAdmin = new Option<bool>("--remote-admin") { Description = "Answer the admin routes to other machines too. They need the admin key all the same." };
var weight = Number("--weight-limit", "Request weight that one address may use in a minute (Binance: 6000).", 1_200_000);
var requests = Number("--request-limit", "Requests that one address may make in five minutes (Binance: 61000).", 6_000_000);
var orders = Number("--order-limit", "Orders that one account may place in ten seconds (Binance: 100).", 100_000);
var salvage = new Option<bool>("--salvage") { Description = "Go on from the last good record of a damaged journal; the damaged files are kept aside." };
var practice = new Option<bool>("--practice") { Description = "Open the first account with something of everything, and not with USDT alone." };
var withInput = new Option<bool>("--stop-with-input") { Description = "End in order when the standard input closes, for whoever supervises it." };
var json = new Option<bool>("--json") { Description = "Say where it is as one line of JSON." };
var shell = new Option<bool>("--shell") { Description = "Say where it is and with which keys one trades on it as shell assignments, secrets among them." };
var command = new RootCommand("""
    An exchange to practise on, with Binance spot's REST and WebSocket API. Ctrl-C stops it; the next start goes on where it was.

    The first account's key and secret come from ANTBOT_VENUE_API_KEY and ANTBOT_VENUE_API_SECRET, the admin key from ANTBOT_VENUE_ADMIN_KEY,
    each also as NAME_FILE with the path of a file. Without them keys are made at the first start and kept under the data folder.
    """) { port, adminPort, listen, data, seed, speed, scenario, replay, follow, noFaults, remoteAdmin, weight, requests, orders, salvage, practice, withInput, json, shell };
command.SetAction(async (parsed, cancellationToken) =>
{
    var unread = new List<string>();
    try
    {
        var options = new PaperVenueOptions
        {
            Data = parsed.GetValue(data)!,
            Listen = parsed.GetValue(listen)!,
            Port = parsed.GetValue(port),
            AdminPort = parsed.GetValue(adminPort),
            Seed = parsed.GetValue(seed),
            Speed = parsed.GetValue(speed),
            Scenario = parsed.GetValue(scenario),
            ReplayFile = parsed.GetValue(replay),
            Follow = parsed.GetValue(follow) is { } followed ? RealMarkets.Find(followed) : null,
            Faults = !parsed.GetValue(noFaults),
            RemoteAdmin = parsed.GetValue(remoteAdmin),
            WeightPerMinute = parsed.GetValue(weight),
            RequestsPerFiveMinutes = parsed.GetValue(requests),
            OrdersPerTenSeconds = parsed.GetValue(orders),
            Salvage = parsed.GetValue(salvage),
            ApiKey = Secret("ANTBOT_VENUE_API_KEY", unread),
            ApiSecret = Secret("ANTBOT_VENUE_API_SECRET", unread),
            AdminKey = Secret("ANTBOT_VENUE_ADMIN_KEY", unread),
        };
        if (parsed.GetValue(practice))
            options = options with { Deposits = PaperVenueOptions.PracticeDeposits };
        if (unread.Count > 0)
            throw new PaperVenueOptionsException([.. unread, .. options.Validate()]);
        using var log = new VenueLog(Console.Error, isText: !Console.IsErrorRedirected);
        await using var server = await PaperVenueServer.StartAsync(options, TimeProvider.System, log, cancellationToken);
        if (parsed.GetValue(json) || parsed.GetValue(shell))
            Console.WriteLine(parsed.GetValue(json) ? AsJson(server) : AsAssignments(server));
        else
            log.Say(AsText(server));
        await Task.WhenAny(Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken), parsed.GetValue(withInput) ? InputEnds() : Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken));
        return 0;
    }
    catch (PaperVenueException e)
    {
        foreach (var line in e.Message.Split(Environment.NewLine))
            await Console.Error.WriteLineAsync($"antbot-venue: {line}");
        return e is PaperVenueOptionsException ? WrongConfiguration : 1;
    }
});
// Ctrl-C and SIGTERM end it by themselves; SIGQUIT would be taken by the web server's host, which ends nobody here.
using var quit = new CancellationTokenSource();
using var onQuit = PosixSignalRegistration.Create(PosixSignal.SIGQUIT, signal =>
{
    signal.Cancel = true;
    quit.Cancel();
});
var asked = command.Parse(args);
if (asked.Errors.Count > 0)
{
    foreach (var error in asked.Errors)
        await Console.Error.WriteLineAsync($"antbot-venue: {error.Message}");
    await Console.Error.WriteLineAsync("Try 'antbot-venue --help'.");
    return WrongConfiguration;
}
return await asked.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) }, quit.Token);

static Option<T> Number<T>(string name, string description, T otherwise)
    where T : struct, IBinaryInteger<T>, IMinMaxValue<T> => new(name)
{
    Description = description,
    DefaultValueFactory = _ => otherwise,
    CustomParser = result =>
    {
        var text = result.Tokens[0].Value;
        if (T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            return number;
        result.AddError($"{name} is '{text}'; give a whole number from {T.MinValue} to {T.MaxValue}.");
        return default;
    },
};

static string AsJson(PaperVenueServer server) => JsonSerializer.Serialize(
    new { address = server.Address, keyFile = Path.GetFullPath(server.KeyFilePath), adminAddress = server.AdminAddress, adminFile = Path.GetFullPath(server.AdminFilePath) },
    JsonSerializerOptions.Web);

static string AsText(PaperVenueServer server) =>
    $"The paper venue listens on {server.Address}, its admin routes on {server.AdminAddress}; its key is in {server.KeyFilePath}, the admin's in {server.AdminFilePath}. Ctrl-C stops it.";

// Addresses and keys are of letters, digits and the marks of an address: no quotes are needed.
static string AsAssignments(PaperVenueServer server) => $"""
    VENUE_ADDRESS={server.Address.ToString().TrimEnd('/')}
    VENUE_API_KEY={server.Key.Key}
    VENUE_API_SECRET={server.Key.Secret}
    VENUE_ADMIN_ADDRESS={server.AdminAddress.ToString().TrimEnd('/')}
    VENUE_ADMIN_KEY={server.AdminKey}
    """;

static Task InputEnds()
{
    var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    // A thread of its own: reading a pipe cannot be cancelled everywhere.
    new Thread(() =>
    {
        using var input = Console.OpenStandardInput();
        Span<byte> buffer = stackalloc byte[64];
        while (input.Read(buffer) > 0)
        {
            // Nothing is said on it; it only closes.
        }
        ended.SetResult();
    })
    { IsBackground = true, Name = "standard input" }.Start();
    return ended.Task;
}

// A file that cannot be read is a fault among the others.
static string? Secret(string name, List<string> unread)
{
    var file = Environment.GetEnvironmentVariable($"{name}_FILE");
    if (string.IsNullOrEmpty(file))
        return Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
    try
    {
        return File.ReadAllText(file).Trim();
    }
    catch (Exception e) when (e is IOException or UnauthorizedAccessException)
    {
        unread.Add($"{name}_FILE names {file}, which cannot be read: {e.Message}");
        return "";
    }
}
