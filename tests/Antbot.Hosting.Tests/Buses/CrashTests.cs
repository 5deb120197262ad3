using System.Collections.Concurrent;
using System.Diagnostics;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.Support;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Xunit;

namespace Antbot.Hosting.Tests.Buses;

/// <summary>A process that dies counts against every message it had taken; the limit is high enough for innocent ones, and not for ever.</summary>
public sealed class CrashTests(RabbitFixture fixture) : OnABroker(fixture)
{
    private const int Prefetch = 64;

    /// <param name="together">In one delivery, which the broker counts for all of them.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Six_kills_in_a_row_with_a_full_prefetch_dead_letter_nobody(bool together)
    {
        var sent = Enumerable.Range(0, Prefetch).Select(_ => Guid.NewGuid()).ToList();
        await using (var publisher = await TestBus.StartAsync(Parts()))
        {
            if (together)
                await publisher.Bus.PublishAsync([.. sent.Select(Message)], TestContext.Current.CancellationToken);
            foreach (var id in together ? [] : sent)
                await publisher.PublishAsync(Routes.Execution, SomeMessage.Close(), id);
            Assert.Equal(together ? 1 : Prefetch, await Raw.CountAsync(Topology.QueueOf(Routes.Execution)));
        }
        for (var kill = 0; kill < 6; kill++)
            Assert.Equal(sent.Order(), (await TakeAndDieAsync(Prefetch)).Order());

        var handled = new ConcurrentDictionary<Guid, int>();
        await using var survivor = await TestBus.StartAsync(Parts().Handle<CloseTrade>(Routes.Execution, (_, input, _) =>
        {
            handled.AddOrUpdate(input.Id, 1, (_, n) => n + 1);
            return Task.CompletedTask;
        }));
        await survivor.UntilAsync(() => handled.Count == sent.Count, "all of them are handled");
        Assert.Equal(sent.Order(), handled.Keys.Order());
        Assert.Equal(0, await Raw.CountAsync(Topology.DeadLetters));
        Assert.Equal(0, await Raw.CountAsync(Topology.ErrorQueueOf(Routes.Execution)));
    }

    [Fact]
    public async Task A_message_that_ends_every_process_is_dead_lettered_by_the_broker_in_the_end()
    {
        var killer = Guid.NewGuid();
        await using var publisher = await TestBus.StartAsync(Parts());
        await publisher.PublishAsync(Routes.Execution, SomeMessage.Close(), killer);
        // A connection that ends counts like a process that ends, and is quicker to make.
        for (var i = 0; i <= Topology.DeliveryLimit; i++)
        {
            await using var connection = await RawBroker.ConnectAsync(Host.Uri);
            await connection.TakeAndBreakAsync(Topology.QueueOf(Routes.Execution));
        }
        var dead = new List<RawMessage>();
        while (dead.Count == 0)
        {
            dead.AddRange(await Raw.TakeAllAsync(Topology.DeadLetters));
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
        Assert.Equal(killer.ToString("D"), Assert.Single(dead).MessageId);
        Assert.Equal("delivery_limit", dead[0].Headers["x-first-death-reason"]);
        Assert.Equal(Topology.QueueOf(Routes.Execution), dead[0].Headers["x-first-death-queue"]);
    }

    private async Task<List<Guid>> TakeAndDieAsync(int count)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Antbot.Testing.BusWorker.dll"), Host.Uri.ToString(), $"{Prefetch}"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var worker = Process.Start(start)!;
        var taken = new List<Guid>();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (taken.Count < count && await worker.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith("took ", StringComparison.Ordinal))
                taken.Add(Guid.Parse(line["took ".Length..]));
        }
        worker.Kill();
        await worker.WaitForExitAsync(limit.Token);
        return taken;
    }

    private static OutboundMessage Message(Guid id)
    {
        var close = SomeMessage.Close();
        return new OutboundMessage(id, Routes.Execution, close, close.Trade.Value, null);
    }

    private TestBusParts Parts() => new() { Options = { Address = Host.Uri.ToString(), Prefetch = Prefetch } };
}
