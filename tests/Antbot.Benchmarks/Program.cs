using System.CommandLine;
using Antbot.Benchmarks;
using Antbot.Benchmarks.DeadLetters;
using Antbot.Benchmarks.Forensics;
using Antbot.Benchmarks.Pipeline;
using Antbot.Benchmarks.Servers;
using Antbot.Benchmarks.Store;
using Antbot.Benchmarks.Venue;

var area = new Option<string>("--area") { Description = "Which benchmarks to run: store, venue, pipeline, start, servers, replay, deadletters, trace.", DefaultValueFactory = _ => "store" };
area.AcceptOnlyFromAmong("store", "venue", "pipeline", "start", "servers", "replay", "deadletters", "trace");
var output = new Option<string?>("--out") { Description = "Where the figures go, as JSON. Default: artifacts/bench-AREA.json." };
var events = new Option<int>("--events") { Description = "How many events the long history has (import, scan, verify, memory, trace), and how many dead letters there are.", DefaultValueFactory = _ => 1_000_000 };
var seconds = new Option<double>("--seconds") { Description = "How long each round of a load lasts.", DefaultValueFactory = _ => 2 };
var burst = new Option<int>("--burst") { Description = "pipeline: how many signals are sent at once.", DefaultValueFactory = _ => 5_000 };
var paced = new Option<double>("--paced") { Description = "pipeline: for how many seconds signals are sent at the rate.", DefaultValueFactory = _ => 20 };
var trades = new Option<int>("--trades") { Description = "replay: how many trades make the history whose decisions are made again.", DefaultValueFactory = _ => 8_000 };
var only = new Option<string?>("--only") { Description = "pipeline: measure this one alone, for a profile of it: plain, platform, standalone or restart." };
var rate = new Option<int>("--rate") { Description = "pipeline, with --only: how many signals are sent a second.", DefaultValueFactory = _ => PipelineBench.PerSecond };
only.AcceptOnlyFromAmong("plain", "platform", "standalone", PipelineBench.Restart);
var command = new RootCommand("Measures Antbot beside a peer and a limit in the same run. Exit code 1 when a floor is not met.") { area, output, events, seconds, burst, paced, trades, only, rate };
rate.Validators.Add(r =>
{
    if (r.Tokens.Count > 0 && (r.GetValue(rate) is < 1 or > 1_000 || r.GetValue(only) is null))
        r.AddError("--rate is 1 to 1000, and needs --only: what is compared is compared at a hundred a second.");
});
command.SetAction(async (parsed, cancellationToken) =>
{
    var report = new BenchReport(parsed.GetValue(area)!, Machine.Claim());
    var options = new StoreBenchOptions(parsed.GetValue(events), TimeSpan.FromSeconds(parsed.GetValue(seconds)));
    if (parsed.GetValue(area) == "venue")
        await VenueBench.RunAsync(report.Of("paper venue"), options.Round, cancellationToken);
    else if (parsed.GetValue(area) == "servers")
        await ServersBench.RunAsync(report, cancellationToken);
    else if (parsed.GetValue(area) == "replay")
        await ReplayBench.RunAsync(report.Of("SQLite"), parsed.GetValue(trades), cancellationToken);
    else if (parsed.GetValue(area) == "deadletters")
    {
        await ReplaysBench.RunAsync(report, cancellationToken);
        if (options.Events > 0)
            await DeadLetterBench.RunAsync(report, options.Events, cancellationToken);
    }
    else if (parsed.GetValue(area) == "trace")
        await TraceBench.RunAsync(report, options, cancellationToken);
    else if (parsed.GetValue(area) == "start")
    {
        await NewcomerBench.RunAsync(report, cancellationToken);
        await StartBench.RunAsync(report, cancellationToken);
    }
    else if (parsed.GetValue(area) == "pipeline")
        await PipelineBench.RunAsync(report, new PipelineBenchOptions(parsed.GetValue(burst), TimeSpan.FromSeconds(parsed.GetValue(paced)), options.Events, parsed.GetValue(only), parsed.GetValue(rate)), cancellationToken);
    else
        await StoreBench.RunAsync(report, options, cancellationToken);
    report.Write(parsed.GetValue(output) ?? $"artifacts/bench-{parsed.GetValue(area)}.json");
    report.Print();
    return report.AllPassed ? 0 : 1;
});
return await command.Parse(args).InvokeAsync();
