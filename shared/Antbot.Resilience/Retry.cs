using Polly;
using Polly.Retry;

namespace Antbot.Resilience;

/// <summary>For what may be repeated without harm: connecting, reading. Never for orders.</summary>
public static class Retry
{
    /// <summary>Tries until it works or is cancelled, ever more slowly, never in step with others.</summary>
    public static ResiliencePipeline UntilItWorks(TimeProvider clock, TimeSpan first, TimeSpan most, Action<Exception>? failed = null) =>
        new ResiliencePipelineBuilder { TimeProvider = clock }
            .AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = first,
                MaxDelay = most,
                ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Exception is not null and not OperationCanceledException),
                OnRetry = arguments =>
                {
                    failed?.Invoke(arguments.Outcome.Exception!);
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
}
