using System.Collections.Concurrent;
using Antbot.Integration.Tests.Support;
using Antbot.LocalServers;
using Antbot.Watchdog;
using Xunit;

namespace Antbot.Integration.Tests.Supervision;

/// <summary>PostgreSQL and RabbitMQ are looked after for as long as the platform runs, whatever goes wrong on the way.</summary>
public sealed class SupervisedServerTests
{
    public static TheoryData<Exception> Troubles => [new IOException("No space left on device"), new InvalidOperationException("No process is associated with this object."), new ServerException("It does not answer.")];

    [Theory]
    [MemberData(nameof(Troubles))]
    public async Task A_start_that_fails_is_said_and_tried_again(Exception trouble)
    {
        var (said, running, tries) = (new ConcurrentQueue<string>(), false, 0);
        await using var server = SupervisedServer.Watch(
            "postgres", _ => Task.FromResult(running), _ => ++tries == 1 ? Task.FromException(trouble) : Task.FromResult(running = true), new LineWriter(said.Enqueue), () => { });
        await Eventually.HoldsAsync(() => running, "it is started again");
        Assert.Equal(2, tries);
        Assert.Contains($"! postgres: {trouble.Message}", said);
    }

    [Theory]
    [MemberData(nameof(Troubles))]
    public async Task A_look_that_fails_is_said_and_it_is_looked_at_again(Exception trouble)
    {
        var (said, looks, started) = (new ConcurrentQueue<string>(), 0, false);
        await using var server = SupervisedServer.Watch(
            "rabbitmq", _ => ++looks == 1 ? Task.FromException<bool>(trouble) : Task.FromResult(started), _ => Task.FromResult(started = true), new LineWriter(said.Enqueue), () => { });
        await Eventually.HoldsAsync(() => started, "it is started again");
        Assert.Contains($"! rabbitmq: {trouble.Message}", said);
    }
}
