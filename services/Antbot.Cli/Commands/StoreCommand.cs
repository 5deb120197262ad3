using System.CommandLine;
using Antbot.EventStore;
using Antbot.Forensics;

namespace Antbot.Cli.Commands;

internal static class StoreCommand
{
    public static Command Build()
    {
        var create = new Command("create", "Makes the file or the tables where they are missing, and brings older ones up to this build. Safe to repeat.");
        create.SetAction((parsed, cancellationToken) => ShowAsync(parsed, create: true, cancellationToken));
        var info = new Command("info", "Says which store this is and how long its history is.");
        info.SetAction((parsed, cancellationToken) => ShowAsync(parsed, create: false, cancellationToken));
        var bytesMax = new Option<long?>("--bytes-max") { Description = "What is allotted to it. A database server's disk cannot be seen from here." };
        bytesMax.Validators.Add(result =>
        {
            if (result.GetValue(bytesMax) is < 1)
                result.AddError("--bytes-max is above zero.");
        });
        var growth = new Command("growth", "Says how large the store is, how fast it grows, and for how long there is room.") { bytesMax };
        growth.SetAction((parsed, cancellationToken) => GrowthAsync(parsed, parsed.GetValue(bytesMax), cancellationToken));
        return new Command("store", "The event store itself.") { create, info, growth, ArchiveCommand.Build() };
    }

    private static Task<int> GrowthAsync(ParseResult parsed, long? bytesMax, CancellationToken cancellationToken) =>
        Common.WithStoreAsync(
            parsed,
            create: false,
            async store =>
            {
                var size = await StoreAddress.OpenSize(Common.AddressOfStore(parsed)).ReadAsync(cancellationToken);
                var growth = await Growth.OfAsync(store, size, bytesMax, DateTimeOffset.UtcNow, cancellationToken);
                Common.Answer(parsed, growth, Describe(growth));
                return ExitCode.Done;
            },
            cancellationToken);

    private static string Describe(Growth g)
    {
        var size = $"{g.Events:N0} events in {Megabytes(g.Bytes)}{(g.Events > 0 ? $", {g.Bytes / g.Events:N0} bytes each with all that belongs to them" : "")}.{(g.Archived > 0 ? $" {g.Archived:N0} more are in archives." : "")}";
        var pace = g.BytesPerDay is { } bytes ? $"{g.EventsPerDay:N0} events and {Megabytes(bytes)} a day, by the last seven days." : "How fast it grows can be said after its first hour.";
        var room = g.RoomBytes is { } left ? $"There is room for {Megabytes(left)} more{(g.DaysLeft is { } days ? $": {days:N0} days" : "")}." : "How much room there is cannot be seen from here; --bytes-max says it.";
        return string.Join(Environment.NewLine, size, pace, room);
    }

    private static string Megabytes(double bytes) => $"{bytes / 1_000_000:N1} MB";

    private static Task<int> ShowAsync(ParseResult parsed, bool create, CancellationToken cancellationToken) =>
        Common.WithStoreAsync(
            parsed,
            create,
            async store =>
            {
                var head = await store.Ledger.ReadHeadAsync(cancellationToken);
                var where = StoreAddress.Describe(Common.AddressOfStore(parsed));
                Common.Answer(
                    parsed,
                    new { Store = where, head.StoreId, Events = head.Position, Head = Convert.ToHexStringLower(head.Hash) },
                    $"{where}: store {head.StoreId}, {head.Position:N0} events, head {Convert.ToHexStringLower(head.Hash)[..16]}");
                return ExitCode.Done;
            },
            cancellationToken);
}
