using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Antbot.Cli.Sources;
using Antbot.ReadModels;
using Antbot.Runtime.Control;

namespace Antbot.Cli.Commands;

/// <summary>A dead letter whose message is mended before it is sent once more.</summary>
internal static class DlqEditCommand
{
    private const int PatchBytesMax = 16 * 1024;

    public static Command Build()
    {
        var id = new Argument<string>("id") { Description = "The letter's id, or a beginning of it (4 digits or more) that only one has." };
        id.Validators.Add(result => Common.Check(result, DeadLetterStories.FaultOfReference));
        var patch = new Option<FileInfo>("--patch") { Description = "A file with a JSON patch (RFC 6902): a list of add, remove, replace, move, copy and test. Its paths begin at the message, such as /signal/notional." };
        var set = new Option<string[]>("--set") { Description = "path=value, such as signal.notional=100; the value is JSON, or else a text. As often as wanted." };
        set.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(t => t.Value.IndexOf('=', StringComparison.Ordinal) < 1))
                result.AddError($"'{token.Value}' is no path=value.");
        });
        var reason = new Option<string>("--reason") { Description = "Why, for those who read it later.", Required = true };
        reason.Validators.Add(result => Common.Check(result, ControlCommands.ReasonFault));
        var command = new Command("edit", """
            Changes the message within a dead letter; it goes out so when it is replayed, under the ids that it had, and has one effect whichever of the two arrives. What
            came stays as it is, beside what was done to it. Refused, with every fault, where whoever it goes to could not read it, and where it would become another
            message: its trade and account stay, a signal is not valid for longer, and what Risk has granted is not made more. 'antbot dlq replay ID --dry-run' tells what would
            come of it.
            """) { id, patch, set, reason };
        command.Validators.Add(result =>
        {
            if (result.GetValue(patch) is null == (result.GetValue(set) is not { Length: > 0 }))
                result.AddError("Say what is to be changed: --patch FILE, or --set path=value.");
        });
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var changes = parsed.GetValue(patch) is { } file ? Read(file) : PatchOf(parsed.GetValue(set)!);
            var done = await source.EditDeadLetterAsync(parsed.GetValue(id)!, changes, parsed.GetValue(reason)!, cancellationToken);
            Common.Answer(parsed, done, $"{done.Letter} is {done.State} by {done.By}: {Tables.Plain(done.Reason)}");
            return ExitCode.Done;
        }));
        return command;
    }

    private static JsonElement Read(FileInfo file)
    {
        if (file is { Exists: true, Length: > PatchBytesMax })
            throw new CommandException("File", $"'{file}' is too large to be a patch: {PatchBytesMax:N0} bytes are the limit.");
        try
        {
            return JsonElement.Parse(File.ReadAllBytes(file.FullName));
        }
        catch (JsonException e)
        {
            throw new CommandException("File", $"'{file}' is no JSON: {e.Message}", ExitCode.Usage, e);
        }
    }

    /// <summary>To add to an object is to put in the place of what is there; to add to a list is not.</summary>
    private static JsonElement PatchOf(IEnumerable<string> settings)
    {
        var patch = new JsonArray();
        foreach (var setting in settings)
        {
            var cut = setting.IndexOf('=', StringComparison.Ordinal);
            var path = setting[..cut];
            var pointer = path[0] == '/' ? path : $"/{path.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal).Replace('.', '/')}";
            var isPlace = pointer[(pointer.LastIndexOf('/') + 1)..].All(char.IsAsciiDigit);
            patch.Add(new JsonObject { ["op"] = isPlace ? "replace" : "add", ["path"] = pointer, ["value"] = ValueOf(setting[(cut + 1)..]) });
        }
        return JsonSerializer.SerializeToElement(patch);
    }

    private static JsonNode? ValueOf(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}
