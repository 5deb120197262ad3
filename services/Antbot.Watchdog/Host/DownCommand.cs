using System.CommandLine;
using Antbot.Hosting;

namespace Antbot.Watchdog;

internal static class DownCommand
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "The folder that 'up' was given.", DefaultValueFactory = _ => UpCommand.DefaultFolder };
        var command = new Command("down", "End what 'up' started, in order. The data stays.") { data };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            if (RunningProcess.Find(Path.GetFullPath(arguments.GetValue(data)!)) is not { } running)
            {
                Console.WriteLine("Nothing is running.");
                return 0;
            }
            if (await running.StopAsync(Limit, cancellationToken))
            {
                Console.WriteLine("Stopped.");
                return 0;
            }
            await Console.Error.WriteLineAsync($"antbot: process {running.ProcessId} has not ended within {Limit.TotalSeconds:0} s; look at it, or end it by its id.");
            return 1;
        });
        return command;
    }
}
