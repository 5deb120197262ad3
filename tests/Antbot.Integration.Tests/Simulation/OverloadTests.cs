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
        Assert.Equal((easy.Signals, 0), (easy.Entered + easy.EnteredLater, easy.Refused));
        var appendsATrade = (double)easy.Appends / easy.Signals;
        var hard = Overload.Run(seed, perSecond, Seconds, Milliseconds);
        // Each signal that is taken is recorded, whatever becomes of it.
        var allowed = ((Seconds * 1_000 / Milliseconds) - hard.Signals + hard.Refused) / (appendsATrade - 1);
        output.WriteLine($"{appendsATrade:0.0} appends a trade; of {hard.Signals} signals {hard.Entered} were entered, {hard.Entered / allowed:P0} of the {allowed:0} that the appends allow");
        Assert.True(allowed < hard.Signals / 2.0, $"The store can do {allowed:0} of {hard.Signals} trades: that is no overload.");
        Assert.Empty(hard.Violations);
        Assert.Empty(hard.Silent);
        Assert.True(hard.Entered >= 0.6 * allowed, $"{hard.Entered} of {hard.Signals} signals were entered, where the appends allow {allowed:0}.");
    }

    /// <summary>All of them were taken, and most refused one by one afterwards, long after the last had come.</summary>
    [Theory]
    [InlineData(1, 20)]
    [InlineData(2, 60)]
    public void Far_above_what_it_can_do_it_takes_what_it_can_enter_and_tells_the_others_so(ulong seed, double perSecond)
    {
        var hard = Overload.Run(seed, perSecond, Seconds, Milliseconds);
        var taken = hard.Signals - hard.Refused;
        output.WriteLine($"of {hard.Signals} signals {taken} were taken and {hard.Entered} entered while they came, {hard.EnteredLater} later; at rest {hard.AtRestAfter:0} s after the last");
        Assert.Empty(hard.Violations);
        Assert.Empty(hard.Silent);
        Assert.True(hard.Entered + hard.EnteredLater >= 0.7 * taken, $"{hard.Entered + hard.EnteredLater} of the {taken} that were taken were entered.");
        Assert.True(hard.AtRestAfter <= 90, $"At rest {hard.AtRestAfter:0} s after the last signal.");
    }
}
