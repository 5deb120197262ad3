using System.CommandLine;
using System.Text.Json;
using Antbot.Hosting;
using Antbot.PaperVenue;
using Antbot.PaperVenue.Following;
using Antbot.Runtime.Store;
using Antbot.Standalone;

var data = new Option<string>("--data") { Description = "Where everything is kept: the store, keys, checkpoints, the venue's journal.", DefaultValueFactory = _ => ".local" };
var quiet = new Option<bool>("--quiet") { Description = "Print no summary while it runs." };
var detach = new Option<bool>("--detach") { Description = "Return once it runs; 'stop' ends it." };
var market = new Option<string?>("--market") { Description = $"Trade on a real venue's public prices, still with paper: {RealMarkets.Names}, or an address. Of that venue nothing but public prices is ever asked. Default: a market that is made here." };
market.Validators.Add(result =>
{
    if (result.GetValueOrDefault<string?>() is { } text && RealMarkets.Find(text) is null)
        result.AddError($"'{text}' is neither {RealMarkets.Names} nor an address over https.");
});
var set = new Option<string[]>("--set") { Description = "A setting of a service: --set signal:cooldownSeconds=5.", AllowMultipleArgumentsPerToken = true };
var json = new Option<bool>("--json") { Description = "With --detach: say where it is as JSON." };
var command = new RootCommand("Antbot in one process on the embedded store, trading on paper. Ctrl-C stops it in order; the next start goes on where it was.") { data, quiet, detach, market, set, json };
command.SetAction((parsed, cancellationToken) => parsed.GetValue(detach)
    ? DetachAsync(Path.GetFullPath(parsed.GetValue(data)!), parsed.GetValue(market), parsed.GetValue(set) ?? [], parsed.GetValue(json), cancellationToken)
    : RunAsync(new StandaloneOptions(parsed.GetValue(data)!, parsed.GetValue(quiet), parsed.GetValue(market) is { } followed ? RealMarkets.Find(followed) : null, [.. (parsed.GetValue(set) ?? []).Select(s => $"--{s}")]), cancellationToken));

var stopData = new Option<string>("--data") { Description = "The folder it runs on.", DefaultValueFactory = _ => ".local" };
var stop = new Command("stop", "End what runs on a folder, in order.") { stopData };
stop.SetAction((parsed, cancellationToken) => StopAsync(parsed.GetValue(stopData)!, cancellationToken));
command.Add(stop);
return await command.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(40) });

static async Task<int> RunAsync(StandaloneOptions options, CancellationToken cancellationToken)
{
    if (options.Fault is { } fault)
    {
        await Console.Error.WriteLineAsync($"antbot: {fault}");
        return ServiceHost.InvalidConfiguration;
    }
    try
    {
        return await new Platform(options, Console.Out).RunAsync(cancellationToken);
    }
    catch (Exception e) when (e is EventStoreException or PaperVenueException or IOException or UnauthorizedAccessException)
    {
        await Console.Error.WriteLineAsync($"antbot: {e.Message}");
        return 1;
    }
}

static async Task<int> DetachAsync(string data, string? market, string[] settings, bool json, CancellationToken cancellationToken)
{
    if (RunningProcess.Find(data) is { } before)
    {
        await Console.Error.WriteLineAsync($"antbot: it runs on '{data}' already, as process {before.ProcessId}.");
        return 1;
    }
    var log = Path.Combine(data, "standalone.log");
    RunningProcess? running;
    try
    {
        running = await RunningProcess.DetachAsync(data, ["--data", data, .. market is null ? [] : (string[])["--market", market], .. settings.SelectMany(s => new[] { "--set", s })], log, TimeSpan.FromSeconds(60), cancellationToken);
    }
    catch (TimeoutException e)
    {
        await Console.Error.WriteLineAsync($"antbot: {e.Message}");
        return 1;
    }
    if (running is null)
    {
        await Console.Error.WriteLineAsync($"antbot: it ended while it started; its log '{log}' says why:");
        foreach (var line in File.ReadLines(log).TakeLast(20))
            await Console.Error.WriteLineAsync($"  {line}");
        return 1;
    }
    if (json)
        Console.WriteLine(JsonSerializer.Serialize(new { running.ProcessId, running.Summary }, JsonSerializerOptions.Web));
    else
        Console.WriteLine(string.Join(Environment.NewLine, running.Summary.Prepend($"It runs as process {running.ProcessId}; 'make stop' ends it.")));
    return 0;
}

static async Task<int> StopAsync(string data, CancellationToken cancellationToken)
{
    if (RunningProcess.Find(data) is not { } running)
    {
        Console.WriteLine($"Nothing runs on '{data}'.");
        return 0;
    }
    if (!await running.StopAsync(TimeSpan.FromSeconds(60), cancellationToken))
    {
        await Console.Error.WriteLineAsync($"antbot: process {running.ProcessId} has not ended within 60 s; look at its log, or end it by its id.");
        return 1;
    }
    var log = Path.Combine(data, "standalone.log");
    if (File.Exists(log))
    {
        foreach (var line in File.ReadLines(log).SkipWhile(l => !l.StartsWith("Stopped ", StringComparison.Ordinal)))
            Console.WriteLine(line);
    }
    return 0;
}
