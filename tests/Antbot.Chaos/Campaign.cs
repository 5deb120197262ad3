using System.Diagnostics;
using Antbot.Chaos.Checking;
using Antbot.Chaos.Running;
using Antbot.LocalServers;

namespace Antbot.Chaos;

/// <param name="Story">Of the trades that had no end, where there are any.</param>
/// <param name="Converged">From the end of the fault until nothing was under way any more; null where it never came to that.</param>
/// <param name="HeldBack">So much of that a breaker was open, which keeps entries back for a minute whether the venue is well again or not.</param>
/// <param name="P99">How long all but one in a hundred of the signals' senders waited for their answer.</param>
internal sealed record Result(
    string Case, bool Passed, IReadOnlyList<string> Faults, IReadOnlyList<string> Notes, int Accepted, int Closed, int Deaths, TimeSpan? Converged, TimeSpan HeldBack, TimeSpan P99, TimeSpan Took, string? Evidence, IReadOnlyList<string> Story);

/// <summary>Runs one case at a time, each with its load, and has it judged. What it ran on is kept for the next of its kind.</summary>
/// <param name="within">How soon after the end of a fault everything has to be at rest.</param>
/// <param name="previous">The commit of the build before this one; null for the one before the last that changed what runs.</param>
/// <param name="start">What a case runs on, in this folder; by default what its layout says.</param>
internal sealed class Campaign(
    Programs programs, string artifacts, TimeSpan within, string? previous, Func<Case, string, Task<Target>>? start = null) : IAsyncDisposable
{
    /// <summary>And as long as a look around takes.</summary>
    private static readonly TimeSpan BreakerOpen = TimeSpan.FromSeconds(65);

    private static readonly TimeSpan LookWithin = TimeSpan.FromSeconds(30);

    /// <summary>Of a load of so many signals at a rate: later than this it was another rate.</summary>
    private static readonly TimeSpan BehindMax = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan AcceptWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BetweenReadings = TimeSpan.FromSeconds(2);
    private const int ReadingsMax = 2;

    private static readonly TimeSpan CaseLimit = TimeSpan.FromMinutes(25);

    private readonly string _work = Directory.CreateTempSubdirectory("antbot-chaos-").FullName;
    private readonly string _run = $"{DateTimeOffset.UtcNow.ToUnixTimeSeconds():x}";
    private Programs? _previous;
    private Target? _target;
    private string? _folder;
    private (Layout? Layout, StandaloneLayout? Standalone) _kind;
    private HashSet<string> _promised = new(StringComparer.Ordinal);
    private int _number;
    private int _loads;

    /// <summary>Null where it was interrupted.</summary>
    public async Task<Result?> RunAsync(Case @case, Action<string> say, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(CaseLimit);
        try
        {
            return await JudgedAsync(@case, say, began, limit.Token);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception e)
        {
            // Whatever it is, it is this case's failure: it keeps its evidence, and the next case is run.
            var fault = e switch
            {
                OperationCanceledException when limit.IsCancellationRequested => $"it had not ended after {CaseLimit.TotalMinutes:0} minutes",
                ChaosException or ServerException => e.Message,
                _ => $"it could not be gone on with: {e}",
            };
            return await FailedAsync(@case, [fault], [], began, cancellationToken, evidence: await LookAsync());
        }
    }

    public async ValueTask DisposeAsync()
    {
        await DropAsync();
        if (_previous is not null)
            await PreviousBuild.RemoveAsync(programs, _previous.Root);
        Directory.Delete(_work, recursive: true);
    }

    private async Task<Result> JudgedAsync(Case @case, Action<string> say, long began, CancellationToken cancellationToken)
    {
        var target = await PrepareAsync(@case, say, cancellationToken);
        var deaths = target.Daemons.Sum(d => d.Deaths);
        await using var load = new Load(target.Signals, target.SignalKey, $"{_run}-{_loads++}", @case.Rate, @case.TurnsAway);
        var scene = new Scene(target, load, say, cancellationToken);
        // One that the case before opened holds back this one's entries as well.
        var mayBeOpen = @case.MayOpenBreaker || await target.HasOpenBreakerAsync(cancellationToken);
        load.Start(@case.Signals ?? int.MaxValue);
        await scene.AcceptedAsync(Math.Min(5, @case.Signals ?? 5));
        say(@case.What);
        await @case.Break(scene);
        var healed = scene.HealedAt ?? Stopwatch.GetTimestamp();
        if (@case.Signals is null)
            await scene.WaitAsync(1);
        else
            await load.FinishAsync(cancellationToken);
        if (@case.Signals is not null && load.Behind > BehindMax)
            scene.Fault($"the load was {load.Behind.TotalSeconds:0.0} s late: it was not {@case.Rate:0.#} a second");
        say("waiting until everything has come to its end");
        var faults = new List<string>(scene.Faults);
        if (!await load.StopAsync(AcceptWithin))
            faults.Add($"{load.Sent - load.AcceptedCount - load.TurnedAway} of {load.Sent} signals were neither accepted nor turned away {AcceptWithin.TotalSeconds:0} s after everything had healed");
        faults.AddRange(load.Refused.Take(3));
        _promised.UnionWith(load.Accepted);
        var (evidence, heldBack, converged) = await SettleAsync(target, healed, @case, cancellationToken);
        var open = Checker.Unsettled(evidence);
        if (heldBack > (mayBeOpen ? BreakerOpen : TimeSpan.Zero))
            faults.Add($"a breaker was open {heldBack.TotalSeconds:0} s after everything had healed");
        if (open.Count == 0 && converged - heldBack - @case.DueLater > within)
            faults.Add($"at rest after {converged.TotalSeconds:0} s, {heldBack.TotalSeconds:0} of them with an open breaker and {@case.DueLater.TotalSeconds:0} as the clock had it, and not within {within.TotalSeconds:0} beside those");
        faults.AddRange(open.Select(o => $"not at rest after {converged.TotalSeconds:0} s: {o}"));
        (evidence, var violations) = await JudgeAsync(evidence, () => target.ReadAsync(_promised, cancellationToken), BetweenReadings, cancellationToken);
        if (open.Count == 0)
            faults.AddRange(Checker.Unsettled(evidence).Select(o => $"at rest no more when it was read again: {o}"));
        var closed = Checker.Closed(evidence, load.Accepted);
        if (closed == 0 || closed < @case.EnteredPartMin * load.AcceptedCount)
            faults.Add($"only {closed} of {load.AcceptedCount} trades were entered and closed: the case says little");
        if (@case.Signals is not null)
            scene.Note($"{load.Sent:N0} signals sent, {load.TurnedAway:N0} of them turned away; ends: {string.Join(", ", Checker.EndsOf(evidence).Select(e => $"{e.Count} {e.End}"))}");
        faults.AddRange(violations);
        deaths = target.Daemons.Sum(d => d.Deaths) - deaths;
        var p99 = load.Waited().P99;
        if (faults.Count > 0)
            return await FailedAsync(@case, faults, scene.Notes, began, cancellationToken, load.AcceptedCount, closed, deaths, open.Count == 0 ? converged : null, heldBack, p99, evidence);
        if (@case.Spoils)
            await DropAsync();
        return new Result(@case.Name, Passed: true, [], scene.Notes, load.AcceptedCount, closed, deaths, converged, heldBack, p99, Stopwatch.GetElapsedTime(began), Evidence: null, Story: []);
    }

    /// <summary>Reads until nothing is under way, or its time is up. A server may still be on its way up when it begins.</summary>
    private async Task<(Evidence Evidence, TimeSpan HeldBack, TimeSpan Converged)> SettleAsync(Target target, long healed, Case @case, CancellationToken cancellationToken)
    {
        var heldBack = TimeSpan.Zero;
        var (looked, wasHeldBack) = (healed, false);
        while (true)
        {
            var began = Stopwatch.GetTimestamp();
            var limit = within + @case.LateWithin + heldBack + @case.DueLater;
            try
            {
                var isHeldBack = await target.HasOpenBreakerAsync(cancellationToken);
                var evidence = await target.ReadAsync(_promised, cancellationToken);
                // What a consumer has in its hands is dear to ask for: only when nothing else is under way, and not at the services' cost.
                var converged = Stopwatch.GetElapsedTime(healed);
                if (Checker.Unsettled(evidence).Count == 0)
                    evidence = evidence with { Queues = await target.AddUnacknowledgedAsync(evidence.Queues, cancellationToken) };
                if (Checker.Unsettled(evidence).Count == 0 || converged > limit)
                    return (evidence, heldBack, converged);
                // Only what lies between two looks that both saw it open: what came to rest beside an open breaker was not held back by it.
                if (isHeldBack && (wasHeldBack || looked == healed))
                    heldBack += Stopwatch.GetElapsedTime(looked, began);
                (looked, wasHeldBack) = (began, isHeldBack);
            }
            catch (Exception e) when (e is not ChaosException && !cancellationToken.IsCancellationRequested)
            {
                // A server is on its way up; and who does not answer in time cannot be read either.
                if (Stopwatch.GetElapsedTime(healed) > limit)
                    throw new ChaosException($"{Stopwatch.GetElapsedTime(healed).TotalSeconds:0} s after everything had healed it could not be read what is left: {e.Message}");
            }
            // A long history takes long to read; the services need the machine more than this does.
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(500, 2 * Stopwatch.GetElapsedTime(began).TotalMilliseconds)), cancellationToken);
        }
    }

    /// <summary>
    /// The venue and the store are read one after the other, and a position may be closed in between: what is wrong once stays wrong, so
    /// only what each further reading shows too is. Of how much it is, and of which, the last one tells: it may have become more.
    /// </summary>
    internal static async Task<(Evidence Evidence, IReadOnlyList<string> Violations)> JudgeAsync(Evidence evidence, Func<Task<Evidence>> read, TimeSpan between, CancellationToken cancellationToken)
    {
        var violations = Checker.Violations(evidence);
        for (var again = 0; again < ReadingsMax && violations.Count > 0; again++)
        {
            await Task.Delay(between, cancellationToken);
            evidence = await read();
            violations = [.. Checker.Violations(evidence).IntersectBy(violations.Select(Checker.KindOf), Checker.KindOf, StringComparer.Ordinal)];
        }
        return (evidence, violations);
    }

    /// <summary>What can be seen of it as it is; null where nothing can.</summary>
    private async Task<Evidence?> LookAsync()
    {
        if (_target is null)
            return null;
        using var limit = new CancellationTokenSource(LookWithin);
        try
        {
            return await _target.ReadAsync(_promised, limit.Token);
        }
        catch (Exception)
        {
            // It is broken: what can be had of its files is kept.
            return null;
        }
    }

    private async Task<Target> PrepareAsync(Case @case, Action<string> say, CancellationToken cancellationToken)
    {
        if (_target is not null && _kind == (@case.Layout, @case.Standalone))
        {
            await _target.ReadyAsync(TimeSpan.FromSeconds(90), cancellationToken);
            return _target;
        }
        await DropAsync();
        _folder = Path.Combine(_work, $"{_number++}");
        _target = start is null ? await StartAsync(@case, _folder, say, cancellationToken) : await start(@case, _folder);
        _kind = (@case.Layout, @case.Standalone);
        return _target;
    }

    private async Task<Target> StartAsync(Case @case, string folder, Action<string> say, CancellationToken cancellationToken)
    {
        Target target = @case.Standalone is { } standalone
            ? await StandaloneTarget.StartAsync(folder, programs, standalone, say, cancellationToken)
            : await ServicesTarget.StartAsync(folder, programs, @case.Layout with { Previous = @case.WithPrevious ? await PreviousAsync(say, cancellationToken) : null }, say, cancellationToken);
        await target.RememberDepositsAsync(cancellationToken);
        return target;
    }

    private async Task<Programs> PreviousAsync(Action<string> say, CancellationToken cancellationToken) =>
        _previous ??= await PreviousBuild.MakeAsync(programs, previous, Path.Combine(_work, "previous"), say, cancellationToken);

    private async Task DropAsync()
    {
        // What cannot be ended in order is no more for anybody else either.
        var (target, folder) = (_target, _folder);
        (_target, _folder, _promised) = (null, null, new HashSet<string>(StringComparer.Ordinal));
        if (target is not null)
            await target.DisposeAsync();
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private async Task<Result> FailedAsync(
        Case @case, IReadOnlyList<string> faults, IReadOnlyList<string> notes, long began, CancellationToken cancellationToken, int accepted = 0, int closed = 0, int deaths = 0, TimeSpan? converged = null,
        TimeSpan heldBack = default, TimeSpan p99 = default, Evidence? evidence = null)
    {
        var folder = Path.Combine(artifacts, @case.Name);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        // What did not even start has its logs all the same.
        if (_folder is not null)
            Target.SaveLogs(_folder, folder);
        if (_target is not null)
            await _target.SaveAsync(folder, evidence, cancellationToken);
        var story = evidence is null ? [] : Story.Of(evidence, Path.Combine(folder, "logs"));
        try
        {
            // What is wrong once stays wrong: the next case begins afresh.
            await DropAsync();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            faults = [.. faults, $"what was left of it could not be ended: {e.Message}"];
        }
        await File.WriteAllLinesAsync(Path.Combine(folder, "verdict.txt"), [@case.What, "", .. faults, "", .. notes, "", .. story], cancellationToken);
        return new Result(@case.Name, Passed: false, faults, notes, accepted, closed, deaths, converged, heldBack, p99, Stopwatch.GetElapsedTime(began), folder, story);
    }
}
