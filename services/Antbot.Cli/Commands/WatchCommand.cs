using System.CommandLine;
using System.Text.Json;
using Antbot.Cli.Sources;
using Antbot.Contracts;
using Antbot.ReadModels;

namespace Antbot.Cli.Commands;

internal static class WatchCommand
{
    public static Command Build()
    {
        var trade = new Option<string>("--trade") { Description = "Only what concerns the trade with this id." };
        var after = new Option<long?>("--after") { Description = "Begin after the event with this sequence (0: the first), not with what comes from now on." };
        var count = new Option<long?>("--count") { Description = "End after so many events." };
        trade.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is { } text && TradeId.Fault(text) is { } fault)
                result.AddError(fault);
        });
        foreach (var (option, least) in new[] { (after, 0L), (count, 1L) })
        {
            option.Validators.Add(result =>
            {
                if (result.GetValueOrDefault<long?>() < least)
                    result.AddError($"{option.Name} is {least} or more.");
            });
        }
        var command = new Command("watch", "Events as they are committed, until Ctrl-C. With --json a line each.") { trade, after, count };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var left = parsed.GetValue(count) ?? long.MaxValue;
            await foreach (var watched in source.WatchAsync(parsed.GetValue(after), parsed.GetValue(trade), cancellationToken))
            {
                if (watched.Entry is not { } entry)
                {
                    await Console.Error.WriteLineAsync(Tables.Plain($"antbot: {watched.Gap}."));
                    continue;
                }
                await Console.Out.WriteLineAsync(parsed.GetValue(Common.Json) ? JsonSerializer.Serialize(entry, ReadModelJson.Options) : StoryText.Line(entry));
                if (--left == 0)
                    break;
            }
            return ExitCode.Done;
        }));
        return command;
    }
}
