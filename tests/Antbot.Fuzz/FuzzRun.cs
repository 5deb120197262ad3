using System.Diagnostics;
using System.Globalization;
using Antbot.Kernel.Identity;

namespace Antbot.Fuzz;

/// <param name="Index">Together with the run's seed it makes the case again.</param>
public sealed record FuzzFailure(string Target, long Seed, int Index, string Why)
{
    public override string ToString() => $"{Target}, case {Index} of seed {Seed}: {Why}";
}

public sealed record FuzzResult(string Target, int Cases, int Taken, int Refused, TimeSpan Took, TimeSpan Slowest, IReadOnlyList<FuzzFailure> Failures)
{
    public static FuzzResult None(string target) => new(target, 0, 0, 0, TimeSpan.Zero, TimeSpan.Zero, []);

    public static FuzzResult operator +(FuzzResult some, FuzzResult more) => new(
        some.Target, some.Cases + more.Cases, some.Taken + more.Taken, some.Refused + more.Refused, some.Took + more.Took, some.Slowest > more.Slowest ? some.Slowest : more.Slowest,
        [.. some.Failures, .. more.Failures]);
}

/// <summary>Runs the cases of one target, and looks at how long each takes.</summary>
public static class FuzzRun
{
    public static readonly TimeSpan CaseMax = TimeSpan.FromSeconds(1);

    /// <summary>A target that has failed so often is left alone.</summary>
    public const int FailuresMax = 20;

    private const int Tries = 3;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    public static FuzzResult Of(IFuzzTarget target, long seed, int from, int count, CancellationToken cancellationToken = default)
    {
        var (taken, refused, slowest, failures, began) = (0, 0, TimeSpan.Zero, new List<FuzzFailure>(), Stopwatch.GetTimestamp());
        var done = 0;
        for (var index = from; index < from + count && failures.Count < FailuresMax && !cancellationToken.IsCancellationRequested; index++, done++)
        {
            var (outcome, took, why) = Try(target, seed, index);
            // On a busy machine anything may take long once; what takes long each time hangs.
            for (var tries = 1; why is null && took > CaseMax && tries < Tries; tries++)
            {
                cancellationToken.WaitHandle.WaitOne(Pause);
                (outcome, took, why) = Try(target, seed, index);
            }
            why ??= took > CaseMax ? $"it took {took.TotalSeconds:0.0} s, {Tries} times" : null;
            if (why is not null)
                failures.Add(new FuzzFailure(target.Name, seed, index, why));
            else if (outcome == FuzzOutcome.Taken)
                taken++;
            else
                refused++;
            slowest = took > slowest ? took : slowest;
        }
        return new FuzzResult(target.Name, done, taken, refused, Stopwatch.GetElapsedTime(began), slowest, failures);
    }

    private static (FuzzOutcome Outcome, TimeSpan Took, string? Why) Try(IFuzzTarget target, long seed, int index)
    {
        var bytes = DeterministicId.From("fuzz", target.Name, seed.ToString(CultureInfo.InvariantCulture), index.ToString(CultureInfo.InvariantCulture)).ToByteArray();
        var random = new Random(BitConverter.ToInt32(bytes));
        var began = Stopwatch.GetTimestamp();
        try
        {
            var outcome = target.Try(random);
            return (outcome, Stopwatch.GetElapsedTime(began), null);
        }
        catch (FuzzException e)
        {
            return (default, Stopwatch.GetElapsedTime(began), e.InnerException is { } cause ? $"{e.Message}: {cause}" : e.Message);
        }
        catch (Exception e)
        {
            return (default, Stopwatch.GetElapsedTime(began), e.ToString());
        }
    }
}
