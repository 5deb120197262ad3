using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;
using Antbot.Validation.Core;

namespace Antbot.Validation;

/// <summary>Signals for one symbol are decided in the order of that symbol's stream.</summary>
public sealed class ValidateSignalHandler(StreamPipeline<SymbolMemory> pipeline) : IMessageHandler<ValidateSignal>
{
    public Task HandleAsync(ValidateSignal message, Input input, CancellationToken cancellationToken) =>
        pipeline.HandleAsync(Streams.Validation(message.Signal.Symbol), input, cancellationToken);
}
