using Antbot.Runtime.Pipeline;
using MassTransit;

namespace Antbot.Messaging;

/// <summary>From a delivery to the input of a decision.</summary>
public static class Inputs
{
    public static Input From<TMessage>(ConsumeContext<TMessage> context, string actor)
        where TMessage : class
    {
        var id = context.MessageId ?? throw new UnprocessableMessageException($"The {typeof(TMessage).Name} bears no message id: what is decided on it could not be found again.");
        return new Input(id, context.Message, (context.CorrelationId ?? id).ToString("N"), actor, context.Headers.Get<string>(MessageHeaders.TraceId));
    }
}

public static class MessageHeaders
{
    public const string TraceId = "antbot-trace-id";
}
