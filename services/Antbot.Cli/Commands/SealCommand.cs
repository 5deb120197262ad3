using System.CommandLine;
using Antbot.Runtime.Store;

namespace Antbot.Cli.Commands;

internal static class SealCommand
{
    private const int Page = 1_000;

    public static Command Build()
    {
        var command = new Command("seal", "Adopts events that another program appended (a real Marten, say) into the hash chain, marked as foreign.");
        command.SetAction((parsed, cancellationToken) => Common.WithStoreAsync(
            parsed,
            create: false,
            async store =>
            {
                var (all, found) = (0, SealSummary.Nothing);
                do
                {
                    found = await store.Ledger.SealAsync(Page, cancellationToken: cancellationToken);
                    all += found.Sealed;
                }
                while (found.Sealed == Page);
                Common.Answer(parsed, new { Sealed = all, found.Refused }, all > 0 ? $"Sealed {all:N0} events." : found.Refused.Count == 0 ? "Nothing is unsealed." : "Nothing was sealed.");
                foreach (var refusal in found.Refused)
                    Console.Error.WriteLine($"antbot: not sealed: {refusal.What}. Run 'antbot verify'.");
                return found.Refused.Count == 0 ? ExitCode.Done : ExitCode.Tampered;
            },
            cancellationToken));
        return command;
    }
}
