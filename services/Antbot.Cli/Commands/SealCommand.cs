using System.CommandLine;

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
                var (all, sealedNow) = (0, 0);
                do
                {
                    sealedNow = await store.Ledger.SealAsync(Page, cancellationToken);
                    all += sealedNow;
                }
                while (sealedNow == Page);
                Common.Answer(parsed, new { Sealed = all }, all == 0 ? "Nothing is unsealed." : $"Sealed {all:N0} events.");
                return ExitCode.Done;
            },
            cancellationToken));
        return command;
    }
}
