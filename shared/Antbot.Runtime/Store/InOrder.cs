namespace Antbot.Runtime.Store;

/// <summary>What engines share in <see cref="IEventStore.AppendInOrder"/>.</summary>
public static class InOrder
{
    /// <summary>The answer to an append whose ground was not laid.</summary>
    public static AppendOutcome CutOff(AppendRequest request) => new AppendOutcome.Conflict(request.Stream, request.Expected, Actual: -1);

    /// <summary>Right with every engine: each is sent once the one before it is in.</summary>
    public static IReadOnlyList<Task<AppendOutcome>> OneByOne(IEventStore store, IReadOnlyList<AppendRequest> requests, CancellationToken cancellationToken)
    {
        Check(requests);
        var appends = new Task<AppendOutcome>[requests.Count];
        for (var i = 0; i < appends.Length; i++)
            appends[i] = i == 0 ? store.AppendAsync(requests[i], cancellationToken) : AfterAsync(appends[i - 1], store, requests[i], cancellationToken);
        return appends;
    }

    public static void Check(IReadOnlyList<AppendRequest> requests)
    {
        if (requests.Any(r => r.Stream != requests[0].Stream || r.Expected.Value < 0))
            throw new ArgumentException("Appends in order go to one stream, each to an exact version of it.", nameof(requests));
    }

    private static async Task<AppendOutcome> AfterAsync(Task<AppendOutcome> before, IEventStore store, AppendRequest request, CancellationToken cancellationToken)
    {
        await ((Task)before).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (before.IsCompletedSuccessfully && await before is AppendOutcome.Appended)
            return await store.AppendAsync(request, cancellationToken);
        try
        {
            // What was decided before rests on nothing that failed now.
            var there = await store.FindDecisionAsync(request.Decision, cancellationToken);
            return there.Count > 0 ? new AppendOutcome.AlreadyThere(there) : CutOff(request);
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Archived)
        {
            return new AppendOutcome.AlreadyThere([]);
        }
    }
}
