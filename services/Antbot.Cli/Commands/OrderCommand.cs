using System.CommandLine;
using Antbot.Cli.Sources;
using Antbot.Contracts;
using Antbot.Runtime.Control;

namespace Antbot.Cli.Commands;

internal static class OrderCommand
{
    public static Command Build() => new("order", "What can be done about a single order.") { Resolve() };

    private static Command Resolve()
    {
        var id = new Argument<string>("id") { Description = "The order's id, such as e0-0123456789abcdef0123456789abcdef; 'antbot trade' shows it." };
        var reason = new Option<string>("--reason") { Description = "Why, for those who read it later.", Required = true };
        var confirm = new Option<bool>("--confirm") { Description = "Another operator has proposed it, and you hold the same." };
        id.Validators.Add(result => Common.Check(result, text => ClientOrderId.Fault(text) ?? (ClientOrderId.From(text).Trade is null ? $"'{text}' is no order of ours." : null)));
        reason.Validators.Add(result => Common.Check(result, ControlCommands.ReasonFault));
        var command = new Command("resolve", """
            Settles an order of which nobody knows what became, as never placed. It takes two operators, each with a token of their own: one proposes it,
            another confirms it within 15 minutes. For each of them the venue is asked once more, by the order's id, by what is open and by its trades; where
            it answers, its word counts, and so it does later: it is asked until it has answered.
            """) { id, reason, confirm };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var done = await source.SettleAsync(parsed.GetValue(id)!, parsed.GetValue(confirm), parsed.GetValue(reason)!, cancellationToken);
            Common.Answer(parsed, done, Sentence(done));
            return ExitCode.Done;
        }));
        return command;
    }

    private static string Sentence(SettlementDone done) => done.State switch
    {
        "Proposed" => $"Proposed by {done.By}. The venue says: {Tables.Plain(done.Evidence ?? "")}. Another operator can confirm it until {done.ExpiresAt:u}: antbot order resolve {done.Order} --confirm --reason …",
        "Settled" => $"Settled as never placed by {done.ProposedBy} and {done.By}. The venue says: {Tables.Plain(done.Evidence ?? "")}. It is asked on until it has answered.",
        _ => $"Recorded, and Execution has not answered yet: 'antbot trade {done.Trade}' will show what came of it.",
    };
}
