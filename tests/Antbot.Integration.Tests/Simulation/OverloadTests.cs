using Antbot.Simulation.World;
using Xunit;

namespace Antbot.Integration.Tests.Simulation;

/// <summary>With more signals than the store can do, what it can do is done.</summary>
public sealed class OverloadTests(ITestOutputHelper output)
{
    private const double Milliseconds = 10;
    private const double Seconds = 60;

    [Theory]
    [InlineData(1, 10)]
    [InlineData(2, 20)]
    public void More_signals_than_the_store_can_do_leave_it_entering_what_it_can(ulong seed, double perSecond)
    {
        // What a trade costs, where nothing is in its way.
        var easy = Overload.Run(seed, 0.5, Seconds, Milliseconds);
        Assert.Equal(easy.Signals, easy.Entered + easy.EnteredLater);
        var appendsATrade = (double)easy.Appends / easy.Signals;
        var hard = Overload.Run(seed, perSecond, Seconds, Milliseconds);
        // Each signal is recorded, whatever becomes of it.
        var allowed = ((Seconds * 1_000 / Milliseconds) - hard.Signals) / (appendsATrade - 1);
        output.WriteLine($"{appendsATrade:0.0} appends a trade; of {hard.Signals} signals {hard.Entered} were entered, {hard.Entered / allowed:P0} of the {allowed:0} that the appends allow");
        Assert.True(allowed < hard.Signals / 2.0, $"The store can do {allowed:0} of {hard.Signals} trades: that is no overload.");
        Assert.Empty(hard.Violations);
        Assert.Empty(hard.Silent);
        Assert.True(hard.Entered >= 0.6 * allowed, $"{hard.Entered} of {hard.Signals} signals were entered, where the appends allow {allowed:0}.");
    }
}
