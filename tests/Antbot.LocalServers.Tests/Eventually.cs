namespace Antbot.LocalServers.Tests;

internal static class Eventually
{
    // Generous on purpose: a loaded machine is slow, and a passing test never waits for it.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static async Task IsTrueAsync(Func<bool> condition, string what) =>
        Assert.True(
            await Deadline.WaitAsync(condition, Limit, TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken),
            $"not within {Limit.TotalSeconds:0} s: {what}");
}
