using Antbot.EventStore;
using Antbot.EventStore.Proof;
using Antbot.Hosting;
using Antbot.Runtime.Store;

namespace Antbot.Standalone;

/// <summary>
/// The platform's ground in one process: the store is opened and checked, signed checkpoints are made, what another program appended
/// is sealed, everything that is committed is shown. Services join it as modules.
/// </summary>
internal static class Platform
{
    private const int Tampered = 3;

    private static readonly TimeSpan CheckpointEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan SummaryEvery = TimeSpan.FromSeconds(10);

    public static async Task<int> RunAsync(string data, TimeSpan sealEvery, bool quiet, TextWriter output, CancellationToken cancellationToken)
    {
        var clock = TimeProvider.System;
        var address = $"sqlite:{Path.Combine(data, "antbot.db")}";
        await using var store = await StoreAddress.OpenAsync(address, create: true, cancellationToken);
        using var key = SigningKey.LoadOrCreate(Path.Combine(data, "signing.key"));
        var outside = new CheckpointFile(Path.Combine(data, "checkpoints.jsonl"));
        if (!await CheckAsync(store, key, outside, output, cancellationToken))
            return Tampered;

        var life = new ProcessLife(store, "standalone", clock);
        await life.StartedAsync(cancellationToken);
        var checkpointer = new Checkpointer(store.Ledger, key, outside, clock);
        await output.WriteLineAsync($"Antbot {ProcessLife.Build} on {StoreAddress.Describe(address)}. Ctrl-C stops it.");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var work = new[]
        {
            checkpointer.RunAsync(CheckpointEvery, e => output.WriteLine($"! {e.Message}"), stop.Token),
            new Sealer(store.Ledger, clock, what => output.WriteLine($"! {what}"), new SealerOptions { Every = sealEvery }).RunAsync(stop.Token),
            quiet ? Task.CompletedTask : ShowEventsAsync(store, output, clock, stop.Token),
            SummariseAsync(store, output, clock, stop.Token),
        };
        await Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellationToken).ContinueWith(static _ => { }, TaskScheduler.Default);

        await life.StoppedAsync("asked to stop", CancellationToken.None);
        await stop.CancelAsync();
        await Task.WhenAll(work);
        var head = await store.Ledger.ReadHeadAsync(CancellationToken.None);
        await output.WriteLineAsync($"Stopped in order at position {head.Position:N0}, with a signed checkpoint. No position is open: nothing trades yet.");
        return 0;
    }

    /// <summary>Start-up is recovery: what came after the last signed checkpoint is checked before anything is added to it.</summary>
    private static async Task<bool> CheckAsync(IEventStore store, SigningKey key, CheckpointFile outside, TextWriter output, CancellationToken cancellationToken)
    {
        var options = new VerifyOptions { Key = key.Public, Outside = outside, FromLastCheckpoint = true };
        var report = await new LedgerVerifier(store.Ledger).VerifyAsync(options, cancellationToken);
        if (report.IsIntact)
            return true;
        await output.WriteLineAsync($"The history is not as it was recorded; nothing is started on it. The first of {report.Findings.Count}: {report.Findings[0].What}. Run 'antbot verify' for all of it.");
        return false;
    }

    private static Task ShowEventsAsync(IEventStore store, TextWriter output, TimeProvider clock, CancellationToken cancellationToken) =>
        new DurableSubscription(
            store,
            "standalone-terminal",
            async (page, _) =>
            {
                foreach (var e in page)
                    await output.WriteLineAsync($"{e.Timestamp:HH:mm:ss.fff} {e.Position,8} {e.Type} {e.Stream} v{e.Version}");
            },
            clock).RunAsync(cancellationToken);

    private static async Task SummariseAsync(IEventStore store, TextWriter output, TimeProvider clock, CancellationToken cancellationToken)
    {
        var shown = -1L;
        using var timer = new PeriodicTimer(SummaryEvery, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                try
                {
                    var head = await store.Ledger.ReadHeadAsync(cancellationToken);
                    if (head.Position != shown)
                        await output.WriteLineAsync($"-- {head.Position:N0} events, head {Convert.ToHexStringLower(head.Hash)[..16]}, store {head.StoreId}");
                    shown = head.Position;
                }
                catch (EventStoreException e)
                {
                    await output.WriteLineAsync($"! {e.Message}");
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }
}
