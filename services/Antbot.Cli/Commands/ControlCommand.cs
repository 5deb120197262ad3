using System.CommandLine;
using Antbot.Cli.Sources;
using Antbot.Runtime.Control;

namespace Antbot.Cli.Commands;

/// <summary>halt and resume: they need the store and nothing else.</summary>
internal static class ControlCommand
{
    public static Command Halt() => Build("halt", "Stops all entries, at once and until 'antbot resume'. Cancels, stops and exits go on. Works straight on the store, with the broker and the Console down.");

    public static Command Resume() => Build("resume", "Lets entries be made again.");

    private static Command Build(string name, string description)
    {
        var reason = new Option<string>("--reason") { Description = "Why, for those who read it later.", Required = true };
        var by = new Option<string>("--by") { Description = "Who says so. Default: the user of this terminal.", DefaultValueFactory = _ => Environment.UserName };
        reason.Validators.Add(result => Common.Check(result, ControlCommands.ReasonFault));
        by.Validators.Add(result => Common.Check(result, ControlCommands.OperatorFault));
        var command = new Command(name, description) { reason, by };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var done = await source.ControlAsync(new ControlOrder(name, parsed.GetValue(reason)!, parsed.GetValue(by)!), cancellationToken);
            var bar = done.Control.EntryBar is { } why ? $"; nothing is entered: {why}" : "; entries may be made";
            Common.Answer(parsed, done, $"{done.Control.Activity}, recorded as version {done.Version} of 'control' by {done.By} through {done.Where}{bar}.");
            if (done.Note is { } note)
                await Console.Error.WriteLineAsync($"antbot: {note}");
            return ExitCode.Done;
        }));
        return command;
    }
}
