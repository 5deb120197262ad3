using System.CommandLine;
using System.Globalization;
using Antbot.Runtime.Store;
using Antbot.Standalone;

var data = new Option<string>("--data") { Description = "Where everything is kept: the store, the signing key, the checkpoints.", DefaultValueFactory = _ => ".local" };
var sealEvery = new Option<TimeSpan>("--seal-every")
{
    Description = "How often, in seconds, to look for events that another program appended, and adopt them into the chain.",
    HelpName = "1-3600",
    DefaultValueFactory = _ => TimeSpan.FromSeconds(5),
    CustomParser = given =>
    {
        if (int.TryParse(given.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 1 and <= 3600)
            return TimeSpan.FromSeconds(seconds);
        given.AddError($"--seal-every is from 1 to 3600 seconds, not '{given.Tokens[0].Value}'.");
        return default;
    },
};
var quiet = new Option<bool>("--quiet") { Description = "Do not print events as they come." };
var command = new RootCommand("Antbot in one process on the embedded store. Ctrl-C stops it in order; the next start goes on where it was.") { data, sealEvery, quiet };
command.SetAction(async (parsed, cancellationToken) =>
{
    try
    {
        return await Platform.RunAsync(parsed.GetValue(data)!, parsed.GetValue(sealEvery), parsed.GetValue(quiet), Console.Out, cancellationToken);
    }
    catch (EventStoreException e)
    {
        await Console.Error.WriteLineAsync($"antbot: {e.Message}");
        return 1;
    }
});
return await command.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
