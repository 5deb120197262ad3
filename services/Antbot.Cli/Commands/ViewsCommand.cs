using System.CommandLine;
using Antbot.Cli.Sources;

namespace Antbot.Cli.Commands;

internal static class ViewsCommand
{
    public static Command Build()
    {
        var rebuild = new Command("rebuild", "Throws the read models away and makes them anew from the whole history. Nothing else is touched; a running Console goes on with the new ones.") { Common.Archives };
        rebuild.SetAction((parsed, cancellationToken) => Common.RunAsync(parsed, async () =>
        {
            await using var source = new StoreSource(new StorePlace(Common.AddressOfStore(parsed), Common.ArchiveFolderOf(parsed)));
            var (position, leftOut) = await source.RebuildAsync(cancellationToken);
            Common.Answer(parsed, new { Position = position, LeftOut = leftOut }, $"The read models are made anew, up to sequence {position:N0}.");
            if (leftOut is not null)
                await Console.Error.WriteLineAsync($"antbot: {leftOut}.");
            return ExitCode.Done;
        }));
        return new Command("views", "The read models: what is listed of trades, orders and positions.") { rebuild };
    }
}
