using Antbot.Contracts.Events;

namespace Antbot.Forensics;

/// <summary>Says of a chain what is not in it: a link that is missing is named, and so is what was never kept.</summary>
internal static class TraceGaps
{
    private const int GapsMax = 200;

    private static readonly OrderInputKind[] Answers = [OrderInputKind.Said, OrderInputKind.Refused, OrderInputKind.NotSent, OrderInputKind.Unknown, OrderInputKind.Unanswered];

    public static IEnumerable<TraceGap> Of(IReadOnlyList<Traced> chain, IReadOnlyList<TraceStep> steps, TraceGathering gathered) =>
        Links(chain, steps).Concat(Holes(chain, gathered)).Take(GapsMax).Concat(NotKept(chain, steps));

    private static IEnumerable<TraceGap> Links(IReadOnlyList<Traced> chain, IReadOnlyList<TraceStep> steps)
    {
        var answered = chain.Select(e => e.Event).OfType<OrderInput>().Where(i => Answers.Contains(i.Kind)).Select(i => (i.Order, i.Attempt)).ToHashSet();
        for (var i = 0; i < steps.Count; i++)
        {
            var step = steps[i];
            // The other events of the decision say the same.
            if (step.Cause.Kind == CauseKind.Missing && !(i > 0 && steps[i - 1].Cause == step.Cause))
                yield return new TraceGap(GapKind.Missing, step.Number, $"what {step.Type} follows from: {step.Cause.What}");
            if (chain[i].Event is null && !step.Stream.StartsWith("process-", StringComparison.Ordinal))
                yield return new TraceGap(GapKind.Missing, step.Number, $"what '{step.Type}' means: this build does not know it, nor what follows from it");
            foreach (var message in step.Messages.Where(m => m.Effects.Count == 0 && m.Letters.Count == 0))
                yield return new TraceGap(GapKind.Open, step.Number, $"{message.Type} to {message.Endpoint} ({message.Id:N}): nothing is recorded that was decided on it; it is under way, or changed nothing");
            if (chain[i].Event is OrderAttempted attempted && !answered.Contains((attempted.Order, attempted.Attempt)))
                yield return new TraceGap(GapKind.Open, step.Number, $"what the venue made of attempt {attempted.Attempt} at {attempted.Order}: it is under way, or was found out otherwise");
        }
    }

    /// <summary>The streams of a trade are read whole; a version that is not there was.</summary>
    private static IEnumerable<TraceGap> Holes(IReadOnlyList<Traced> chain, TraceGathering gathered)
    {
        if (gathered.More)
            yield break;
        foreach (var stream in chain.Where(e => e.Owner is { } owner && gathered.Trades.Contains(owner)).GroupBy(e => e.Stored.Stream, StringComparer.Ordinal))
        {
            var there = stream.Select(e => e.Stored.Version).ToHashSet();
            for (var version = 1L; version < there.Max(); version++)
            {
                if (!there.Contains(version))
                    yield return new TraceGap(GapKind.Missing, null, $"version {version} of {stream.Key}: run 'antbot verify'");
            }
        }
    }

    private static IEnumerable<TraceGap> NotKept(IReadOnlyList<Traced> chain, IReadOnlyList<TraceStep> steps)
    {
        for (var i = 0; i < chain.Count; i++)
        {
            if (chain[i].Event is not SignalRecorded { Signal: var signal } raised)
                continue;
            yield return signal.Source.StartsWith("strategy:", StringComparison.Ordinal)
                ? new TraceGap(GapKind.NotKept, i + 1, "the candles before it: they are the market's; what the strategy made of them is in its inputs")
                : new TraceGap(GapKind.NotKept, i + 1, $"what {signal.Source} sent, of which only the hash is kept ({raised.BodyHash}), because senders put their secrets into it");
        }
        if (steps.Count(s => s.Process is null) is var unnamed and > 0)
            yield return new TraceGap(GapKind.NotKept, null, $"the process, and with it the build and configuration, that recorded {unnamed:N0} of the {steps.Count:N0} events: they name none");
    }
}
