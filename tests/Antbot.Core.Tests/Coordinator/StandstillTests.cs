using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Coordinator.Core;
using Antbot.Kernel.Identity;
using Xunit;

namespace Antbot.Core.Tests.Coordinator;

/// <summary>Prevents what a burst once did: every trade in a long queue was taken for forgotten and said again, which made the queue longer without end.</summary>
public sealed class StandstillTests
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(5);

    private readonly OpenTrades _trades = new();

    [Fact]
    public void A_burst_that_is_being_worked_off_in_its_order_is_left_alone_however_long_it_takes()
    {
        for (var n = 0; n < 1_000; n++)
            Raise(n, at: n * 0.001);
        for (var n = 0; n < 500; n++)
            Validate(n, at: 1 + n * 0.1);
        Assert.Empty(Still(at: 51));
    }

    /// <summary>A trade that has just had news within its phase came to it long ago; it has overtaken nobody.</summary>
    [Fact]
    public void News_within_a_phase_does_not_make_the_others_look_overtaken()
    {
        for (var n = 0; n < 100; n++)
            Raise(n, at: n * 0.01);
        for (var n = 0; n < 50; n++)
        {
            _trades.Apply(Of(n), new TradeMessageAbsorbed(Of(n), nameof(SignalRaised), TradePhase.Validating), Some.Now.AddSeconds(10 + n), 2);
            _trades.Apply(Of(n), new TradeValidated(SignalOf(n), 0.7m, Some.Verdicts, Some.Now.AddHours(1)), Some.Now.AddSeconds(10.5 + n), 3);
        }
        Assert.Empty(Still(at: 60));
    }

    [Fact]
    public void One_that_later_ones_have_overtaken_is_driven_on()
    {
        Raise(0, at: 0);
        Raise(1, at: 3);
        Raise(2, at: 6);
        Validate(1, at: 7);
        Assert.Empty(Still(at: 7));
        Validate(2, at: 8);
        Assert.Equal([Of(0)], Still(at: 8));
    }

    /// <summary>It never waited: those that came before it have been overtaken by nobody.</summary>
    [Fact]
    public void One_that_was_refused_when_it_came_has_overtaken_nobody()
    {
        for (var n = 0; n < 100; n++)
            Raise(n, at: n * 0.01);
        Validate(0, at: 40);
        _trades.Apply(Of(500), new TradeRaised(SignalOf(500), Some.Now.AddHours(1), TooLate: true), Some.Now.AddSeconds(41), 1);
        _trades.Apply(Of(500), new TradeExpired(Of(500), "late"), Some.Now.AddSeconds(41), 2);
        Assert.Empty(Still(at: 42));
        Assert.Equal(100, _trades.Count);
    }

    [Fact]
    public void Where_a_whole_phase_stands_its_oldest_are_driven_on_and_no_more_than_a_queue_bears()
    {
        for (var n = 0; n < 1_000; n++)
            Raise(n, at: n * 0.001);
        Assert.Empty(Still(at: 4));
        Assert.Equal(Enumerable.Range(0, Standstill.ProbesMax).Select(Of), Still(at: 10));
    }

    [Fact]
    public void An_open_position_owes_nobody_an_answer()
    {
        foreach (var (e, version) in Some.PathTo(TradePhase.Open).Select((e, i) => (e, i + 1)))
            _trades.Apply(Some.Trade, e, Some.Now, version);
        Assert.Empty(Still(at: 1_000));
    }

    private static TradeId Of(int n) => new(DeterministicId.From("standstill", $"{n}"));

    private static Signal SignalOf(int n) => Some.Signal with { Trade = Of(n) };

    private void Raise(int n, double at) => _trades.Apply(Of(n), new TradeRaised(SignalOf(n), Some.Now.AddHours(1)), Some.Now.AddSeconds(at), 1);

    private void Validate(int n, double at) => _trades.Apply(Of(n), new TradeValidated(SignalOf(n), 0.7m, Some.Verdicts, Some.Now.AddHours(1)), Some.Now.AddSeconds(at), 2);

    private IEnumerable<TradeId> Still(double at) => Standstill.Of([.. _trades.All.Where(t => t.Phase == TradePhase.Validating || t.Phase == TradePhase.Open)], _trades.Progress, Some.Now.AddSeconds(at), Wait).Select(t => t.Trade);
}
