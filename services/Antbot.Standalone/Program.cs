using System.CommandLine;
using Antbot.Runtime.Store;
using Antbot.Standalone;

var data = new Option<string>("--data") { Description = "Where everything is kept: the store, the signing key, the checkpoints.", DefaultValueFactory = _ => ".local" };
var quiet = new Option<bool>("--quiet") { Description = "Do not print events as they come." };
var command = new RootCommand("Antbot in one process on the embedded store. Ctrl-C stops it in order; the next start goes on where it was.") { data, quiet };
command.SetAction(async (parsed, cancellationToken) =>
{
    try
    {
        return await Platform.RunAsync(parsed.GetValue(data)!, parsed.GetValue(quiet), Console.Out, cancellationToken);
    }
    catch (EventStoreException e)
    {
        await Console.Error.WriteLineAsync($"antbot: {e.Message}");
        return 1;
    }
});
return await command.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
