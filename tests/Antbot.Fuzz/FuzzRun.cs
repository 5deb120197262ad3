using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Serialization;
using Antbot.Kernel.Identity;

namespace Antbot.Fuzz;

/// <param name="Index">Together with the run's seed it makes the case again.</param>
/// <param name="Hangs">It never returned: the target is left alone, for the case keeps its thread.</param>
public sealed record FuzzFailure(string Target, long Seed, int Index, string Why, bool Hangs = false)
{
    public override string ToString() => $"{Target}, case {Index} of seed {Seed}: {Why}";
}

public sealed record FuzzResult(string Target, int Cases, int Taken, int Refused, TimeSpan Took, TimeSpan Slowest, IReadOnlyList<FuzzFailure> Failures)
{
    /// <summary>Nothing more is tried of it.</summary>
    [JsonIgnore]
    public bool IsGivenUp => Failures.Count >= FuzzRun.FailuresMax || Failures.Any(f => f.Hangs);

    /// <summary>Where nothing is taken, or nothing refused, nothing was tried. Of a few cases that says nothing.</summary>
    public string? WhatIsMissing(IFuzzTarget target) => Cases < FuzzRun.BothWithin ? null
        : Taken == 0 ? $"{Target}: of {Cases:N0} cases none was taken"
        : Refused == 0 && target.Refuses ? $"{Target}: of {Cases:N0} cases none was refused"
        : null;

    public static FuzzResult None(string target) => new(target, 0, 0, 0, TimeSpan.Zero, TimeSpan.Zero, []);

    public static FuzzResult operator +(FuzzResult some, FuzzResult more) => new(
        some.Target, some.Cases + more.Cases, some.Taken + more.Taken, some.Refused + more.Refused, some.Took + more.Took, some.Slowest > more.Slowest ? some.Slowest : more.Slowest,
        [.. some.Failures, .. more.Failures]);
}

/// <summary>
/// Runs the cases of one target on a thread of its own, and looks at how long each takes. Whoever waits for them looks on: a case that
/// never returns is named, and left behind with its thread.
/// </summary>
public static class FuzzRun
{
    public static readonly TimeSpan CaseMax = TimeSpan.FromSeconds(1);

    /// <summary>Of so many cases some are taken and some refused.</summary>
    public const int BothWithin = 100;

    /// <summary>A target that has failed so often is left alone.</summary>
    public const int FailuresMax = 20;

    private const int Tries = 3;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How often somebody looks at a case that does not return. Looks are counted and not seconds: on a machine that is too busy to look
    /// nothing is concluded. A minute of them is more than the slowest case has ever taken, many times over.
    /// </summary>
    public const int LooksMax = 600;

    /// <param name="looksMax">After so many looks at the same case it is said to hang.</param>
    public static FuzzResult Of(IFuzzTarget target, long seed, int from, int count, int looksMax = LooksMax, CancellationToken cancellationToken = default)
    {
        var cases = new Cases(target, seed, from, count, cancellationToken);
        var thread = new Thread(cases.Run) { IsBackground = true };
        thread.Start();
        var (looks, last) = (0, -1L);
        while (!thread.Join(Look))
        {
            var now = cases.Begun;
            (looks, last) = now == last ? (looks + 1, last) : (0, now);
            if (looks >= looksMax)
                return cases.LeaveBehind($"it never returned: {looks * Look.TotalSeconds:0.#} s after it had begun it was still at it");
            // Whoever asks for an end is not held up by a case that hangs.
            if (cancellationToken.IsCancellationRequested && !thread.Join(EndsWithin))
                return cases.LeaveBehind(hangs: null);
        }
        return cases.Result;
    }

    private sealed class Cases(IFuzzTarget target, long seed, int from, int count, CancellationToken cancellationToken)
    {
        private readonly Lock _lock = new();
        private readonly long _since = Stopwatch.GetTimestamp();
        private FuzzResult _result = FuzzResult.None(target.Name);
        private long _begun;
        private bool _isLeft;

        /// <summary>Tries of cases so far, the one that is being made among them.</summary>
        public long Begun => Interlocked.Read(ref _begun);

        public FuzzResult Result
        {
            get
            {
                lock (_lock)
                    return _result;
            }
        }

        public void Run()
        {
            for (var index = from; index < from + count && !Result.IsGivenUp && !cancellationToken.IsCancellationRequested; index++)
                Note(index);
        }

        /// <summary>What the thread still does counts no more.</summary>
        public FuzzResult LeaveBehind(string? hangs)
        {
            lock (_lock)
            {
                _isLeft = true;
                return hangs is null ? _result : _result += new FuzzResult(target.Name, 1, 0, 0, Elapsed - _result.Took, TimeSpan.Zero, [new FuzzFailure(target.Name, seed, from + _result.Cases, hangs, Hangs: true)]);
            }
        }

        private TimeSpan Elapsed => Stopwatch.GetElapsedTime(_since);

        private void Note(int index)
        {
            var (outcome, took, why) = Begin(index);
            // On a busy machine anything may take long once; what takes long each time hangs.
            for (var tries = 1; why is null && took > CaseMax && tries < Tries; tries++)
            {
                cancellationToken.WaitHandle.WaitOne(Pause);
                (outcome, took, why) = Begin(index);
            }
            why ??= took > CaseMax ? $"it took {took.TotalSeconds:0.0} s, {Tries} times" : null;
            IReadOnlyList<FuzzFailure> failures = why is null ? [] : [new FuzzFailure(target.Name, seed, index, why)];
            lock (_lock)
            {
                if (!_isLeft)
                    _result += new FuzzResult(target.Name, 1, Count(FuzzOutcome.Taken), Count(FuzzOutcome.Refused), Elapsed - _result.Took, took, failures);
            }

            int Count(FuzzOutcome which) => why is null && outcome == which ? 1 : 0;
        }

        private (FuzzOutcome Outcome, TimeSpan Took, string? Why) Begin(int index)
        {
            Interlocked.Increment(ref _begun);
            return Try(target, seed, index);
        }
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
