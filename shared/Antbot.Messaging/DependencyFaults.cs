using Antbot.Runtime.Health;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;

namespace Antbot.Messaging;

/// <summary>Tells what is a message's own fault from what would have befallen any message.</summary>
public static class DependencyFaults
{
    /// <summary>The dependency that is down, somewhere within what a handler threw; null where the message itself is to blame.</summary>
    public static string? Find(Exception exception)
    {
        foreach (var e in Chain(exception))
        {
            switch (e)
            {
                case DependencyDownException down:
                    return down.Dependency;
                // Somebody else was faster: loaded and decided again, it goes through.
                case GuardedStreamMovedException:
                    return StoreProbe.Dependency;
                case EventStoreException { Fault: StoreFault.Unavailable or StoreFault.Busy or StoreFault.ReadOnly or StoreFault.Full or StoreFault.OutcomeUnknown or StoreFault.Damaged or StoreFault.Closed }:
                    return StoreProbe.Dependency;
                // A newer build has been at work on the stream: it is there, or will be again, and can handle the message.
                case EventStoreException { Fault: StoreFault.UnknownType }:
                    return StoreProbe.Dependency;
                // Credentials that do not suffice are an operator's mistake before they are a message's.
                case EventStoreException { Fault: StoreFault.Forbidden }:
                    return StoreProbe.Dependency;
                default:
                    // What it was made of may say more.
                    break;
            }
        }
        return null;
    }

    private static IEnumerable<Exception> Chain(Exception exception)
    {
        const int DepthMax = 20;
        var open = new Stack<(Exception Exception, int Depth)>([(exception, 0)]);
        while (open.TryPop(out var next))
        {
            yield return next.Exception;
            if (next.Depth == DepthMax)
                continue;
            if (next.Exception is AggregateException many)
            {
                foreach (var inner in many.InnerExceptions)
                    open.Push((inner, next.Depth + 1));
            }
            else if (next.Exception.InnerException is { } inner)
            {
                open.Push((inner, next.Depth + 1));
            }
        }
    }
}
