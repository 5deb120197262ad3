using System.CommandLine;
using Antbot.Cli.Sources;
using Antbot.Contracts;
using Antbot.Forensics;
using Antbot.Runtime.Store;
using Spectre.Console;

namespace Antbot.Cli.Commands;

/// <summary><c>at</c> and <c>diff</c>: what there was at a moment, and what had become of it at another.</summary>
internal static class AtCommand
{
    private const int ChangesShown = 40;

    private static readonly Option<string?> Stream = new("--stream") { Description = "This stream alone, such as order-3f2a… or account-main." };
    private static readonly Option<string?> Account = new("--account") { Description = "An account's streams and those of its trades." };

    public static Command At()
    {
        var moment = MomentOf("moment", "The sequence of an event, or a time.");
        var command = new Command("at", "The state of a stream, an account or the whole system at any moment, as it was then, bit for bit.") { moment, Stream, Account, Common.Archives };
        command.Validators.Add(OneOf);
        command.SetAction((parsed, cancellationToken) => Common.WithHistoryAsync(parsed, store => AtAsync(parsed, store, parsed.GetValue(moment)!, cancellationToken), cancellationToken));
        return command;
    }

    public static Command Diff()
    {
        var (from, to) = (MomentOf("from", "The earlier moment: a sequence or a time."), MomentOf("to", "The later one."));
        var command = new Command("diff", "What was another at the later moment than at the earlier one, stream by stream and member by member.") { from, to, Stream, Account, Common.Archives };
        command.Validators.Add(OneOf);
        command.SetAction((parsed, cancellationToken) => Common.WithHistoryAsync(parsed, store => DiffAsync(parsed, store, parsed.GetValue(from)!, parsed.GetValue(to)!, cancellationToken), cancellationToken));
        return command;
    }

    private static Argument<string> MomentOf(string name, string what)
    {
        var argument = new Argument<string>(name) { Description = what };
        argument.Validators.Add(result => Common.Check(result, Moment.Fault));
        return argument;
    }

    private static void OneOf(System.CommandLine.Parsing.CommandResult result)
    {
        if (result.GetValue(Stream) is not null && result.GetValue(Account) is not null)
            result.AddError("--stream and --account exclude one another.");
        if (result.GetValue(Stream) is { } stream && (StreamId.Fault(stream) ?? StreamKinds.Fault(stream)) is { } fault)
            result.AddError(fault);
        if (result.GetValue(Account) is { } account && AccountId.Fault(account) is { } none)
            result.AddError(none);
    }

    private static async Task<int> AtAsync(ParseResult parsed, IEventStore store, string text, CancellationToken cancellationToken)
    {
        var travel = new TimeTravel(store);
        var moment = await travel.FindAsync(text, cancellationToken);
        if (parsed.GetValue(Stream) is { } stream)
        {
            var state = await travel.StreamAsync(new StreamId(stream), moment, cancellationToken) ?? throw NotFound($"in {stream}", moment);
            if (!Common.AnswerJson(parsed, state))
                Show(state);
            return ExitCode.Done;
        }
        using var progress = new Progress("folding");
        var all = await travel.SystemAsync(moment, AccountOf(parsed), done => progress.Report(done, 0), cancellationToken);
        progress.Dispose();
        if (AccountOf(parsed) is { } account && all.Streams.Count == 0)
            throw NotFound($"of the account {account}", moment);
        if (!Common.AnswerJson(parsed, all))
            Show(all);
        return ExitCode.Done;
    }

    private static async Task<int> DiffAsync(ParseResult parsed, IEventStore store, string from, string to, CancellationToken cancellationToken)
    {
        var travel = new TimeTravel(store);
        var (earlier, later) = (await travel.FindAsync(from, cancellationToken), await travel.FindAsync(to, cancellationToken));
        if (earlier.Sequence > later.Sequence)
            throw new CommandException("Usage", $"The first moment (sequence {earlier.Sequence}) comes after the second ({later.Sequence}).", ExitCode.Usage);
        using var progress = new Progress("folding");
        var difference = await travel.DiffAsync(earlier, later, parsed.GetValue(Stream) is { } stream ? new StreamId(stream) : null, AccountOf(parsed), done => progress.Report(done, 0), cancellationToken)
            ?? throw NotFound(parsed.GetValue(Stream) is { } none ? $"in {none}" : $"of the account {parsed.GetValue(Account)}", later);
        progress.Dispose();
        if (!Common.AnswerJson(parsed, difference))
            Show(difference);
        return ExitCode.Done;
    }

    private static CommandException NotFound(string what, Moment moment) => new("NotFound", $"Nothing had been recorded {what} at sequence {moment.Sequence}.", ExitCode.NotFound);

    private static AccountId? AccountOf(ParseResult parsed) => parsed.GetValue(Account) is { } account ? new AccountId(account) : null;

    private static void Show(StateAt state)
    {
        Console.Out.WriteLine($"{state.Stream} of {state.Service} at version {state.Version}, by event #{state.Sequence} of {state.At.UtcDateTime:yyyy-MM-dd HH:mm:ss.ffffff}; state {state.Hash}");
        foreach (var fact in StoryText.Facts(state.State))
            Console.Out.WriteLine($"  {fact}");
    }

    private static void Show(SystemAt all)
    {
        Console.Out.WriteLine($"After event #{all.Moment.Sequence}, {all.Events:N0} events; state {all.Hash}");
        var table = Tables.New("service", "streams", "of which more may come");
        foreach (var s in all.Streams)
            table.AddRow(s.Service, $"{s.Streams:N0}", $"{s.Live:N0}");
        Tables.Write(table);
        foreach (var state in all.States)
            Show(state);
    }

    private static void Show(Difference difference)
    {
        Console.Out.WriteLine($"From event #{difference.From.Sequence} to #{difference.To.Sequence}: {difference.Streams.Count:N0} streams are others.");
        foreach (var stream in difference.Streams)
        {
            Console.Out.WriteLine($"{stream.Stream} of {stream.Service}, version {stream.From} → {stream.To}");
            foreach (var change in stream.Changes.Take(ChangesShown))
                Console.Out.WriteLine($"  {Tables.Plain(change.ToString())}");
            if (stream.Changes.Count > ChangesShown)
                Console.Out.WriteLine($"  and {stream.Changes.Count - ChangesShown:N0} more; --stream {stream.Stream} --json has all");
        }
    }
}
