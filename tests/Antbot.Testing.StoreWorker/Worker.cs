using System.Text;
using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;

namespace Antbot.Testing.StoreWorker;

/// <summary>One caller with a stream of its own: one to three events at a time, each append until it is answered.</summary>
internal sealed class Worker(IEventStore store, string stream)
{
    private static readonly Lock Output = new();
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public static void Say(string line)
    {
        lock (Output)
        {
            Console.Out.WriteLine(line);
            Console.Out.Flush();
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        for (var n = 0; !cancellationToken.IsCancellationRequested; n++)
        {
            var request = new AppendRequest
            {
                Stream = new StreamId(stream),
                Expected = ExpectedVersion.Any,
                Decision = new Decision(Guid.NewGuid(), "worker"),
                Events = [.. Enumerable.Range(0, 1 + n % 3).Select(i => Event(n, i))],
                At = DateTimeOffset.UtcNow,
                Meta = new EventMeta(CorrelationId: stream),
            };
            var events = await AppendAsync(request, cancellationToken);
            foreach (var e in events)
                Say($"ack {e.EventId:D}");
        }
    }

    private async Task<IReadOnlyList<StoredEvent>> AppendAsync(AppendRequest request, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                return await store.AppendAsync(request, CancellationToken.None) switch
                {
                    AppendOutcome.Appended appended => appended.Events,
                    AppendOutcome.AlreadyThere there => there.Events,
                    var other => throw new InvalidOperationException($"An append that expects nothing ended as {other}."),
                };
            }
            catch (EventStoreException e)
            {
                Say($"fault {e.Fault} {e.Message}");
                await Task.Delay(Pause, CancellationToken.None);
            }
        }
        return [];
    }

    private static NewEvent Event(int n, int i) =>
        new("worker_counted", "Antbot.Testing.WorkerCounted, Antbot.Testing", Encoding.UTF8.GetBytes($$"""{"N":{{n}},"I":{{i}},"Text":"{{new string('x', n % 200)}}"}"""));
}
