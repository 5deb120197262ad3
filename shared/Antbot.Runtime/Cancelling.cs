namespace Antbot.Runtime;

public static class Cancelling
{
    /// <summary>On the caller's own thread, which <see cref="CancellationTokenSource.CancelAsync"/> is not.</summary>
    public static void CancelHere(this CancellationTokenSource source) => source.Cancel();
}
