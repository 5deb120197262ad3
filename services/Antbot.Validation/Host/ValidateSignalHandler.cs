using Antbot.Contracts.Messages;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;
using Antbot.Validation.Core;

namespace Antbot.Validation;

public sealed class ValidateSignalHandler(StreamPipeline<SymbolMemory> pipeline) : IMessageHandler<ValidateSignal>
{
    public Task HandleAsync(ValidateSignal message, Input input, CancellationToken cancellationToken) =>
        pipeline.HandleAsync(ValidationDecider.StreamOf(message), input, cancellationToken);
}
