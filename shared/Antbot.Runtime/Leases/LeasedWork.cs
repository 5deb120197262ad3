namespace Antbot.Runtime.Leases;

/// <summary>Runs a piece of work whenever this process holds its lease, and again after it failed; ends only when asked to.</summary>
public sealed class LeasedWork(ILeases leases, string name, Func<CancellationToken, Task> work, TimeProvider clock)
{
    public static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    public string Name { get; } = name;

    public bool Holding { get; private set; }

    /// <summary>Why it last stopped, or null while it runs.</summary>
    public Exception? Trouble { get; private set; }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await TurnAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                Trouble = e;
            }
            finally
            {
                Holding = false;
            }
            await Task.Delay(Again, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    private async Task TurnAsync(CancellationToken cancellationToken)
    {
        var lease = await leases.TryTakeAsync(Name, cancellationToken);
        if (lease is null)
            return;
        await using (lease)
        {
            using var until = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lease.Lost);
            Holding = true;
            Trouble = null;
            try
            {
                await work(until.Token);
            }
            catch (OperationCanceledException e) when (lease.Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new InvalidOperationException($"The lease '{Name}' was lost.", e);
            }
        }
    }
}
