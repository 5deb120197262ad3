using Antbot.Contracts.Messages;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;

namespace Antbot.Testing.BusWorker;

internal sealed class TakesAndNeverFinishes : IMessageHandler<CloseTrade>
{
    public async Task HandleAsync(CloseTrade message, Input input, CancellationToken cancellationToken)
    {
        Console.WriteLine($"took {input.Id:D}");
        await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
    }
}
