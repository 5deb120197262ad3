using System.CommandLine;
using Antbot.EventStore;

namespace Antbot.Cli.Commands;

internal static class StoreCommand
{
    public static Command Build()
    {
        var create = new Command("create", "Makes the file or the tables where they are missing, and brings older ones up to this build. Safe to repeat.");
        create.SetAction((parsed, cancellationToken) => ShowAsync(parsed, create: true, cancellationToken));
        var info = new Command("info", "Says which store this is and how long its history is.");
        info.SetAction((parsed, cancellationToken) => ShowAsync(parsed, create: false, cancellationToken));
        return new Command("store", "The event store itself.") { create, info };
    }

    private static Task<int> ShowAsync(ParseResult parsed, bool create, CancellationToken cancellationToken) =>
        Common.WithStoreAsync(
            parsed,
            create,
            async store =>
            {
                var head = await store.Ledger.ReadHeadAsync(cancellationToken);
                var where = StoreAddress.Describe(parsed.GetValue(Common.Store)!);
                Common.Answer(
                    parsed,
                    new { Store = where, head.StoreId, Events = head.Position, Head = Convert.ToHexStringLower(head.Hash) },
                    $"{where}: store {head.StoreId}, {head.Position:N0} events, head {Convert.ToHexStringLower(head.Hash)[..16]}");
                return ExitCode.Done;
            },
            cancellationToken);
}
