using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;
using Antbot.Core.Tests.Kernel;
using Antbot.Reconciliation;
using FsCheck;
using FsCheck.Fluent;
using Xunit;
using static Antbot.Core.Tests.Reconciliation.Given;

namespace Antbot.Core.Tests.Reconciliation;

public sealed class AccountLookTests
{
    private static readonly Difference Unknown = new(DifferenceKind.UnknownOrder, "web_1", null, Ours: false, "open at the venue", "words");
    private static readonly Difference Usdt = new(DifferenceKind.Balance, "USDT", null, Ours: true, "-5 USDT", "words");

    [Fact]
    public void A_difference_is_recorded_once_and_a_second_look_at_the_same_adds_nothing()
    {
        var found = Assert.IsType<DifferenceFound>(Assert.Single(Decide(State(), Look(1, Unknown))));
        Assert.Empty(Decide(State(found), Look(2, Unknown)));
    }

    [Fact]
    public void A_difference_that_changes_is_recorded_again_and_one_that_is_gone_is_settled()
    {
        var found = Decide(State(), Look(1, Unknown))[0];
        Assert.IsType<DifferenceFound>(Assert.Single(Decide(State(found), Look(2, Unknown with { What = "more" }))));
        var settled = Assert.IsType<DifferenceSettled>(Assert.Single(Decide(State(found), Look(2))));
        Assert.Equal(Now, settled.Since);
        Assert.Empty(State(found, settled).Differences);
    }

    [Fact]
    public void What_is_seen_but_not_confirmed_is_neither_recorded_nor_settled()
    {
        var seen = Look(2) with { Present = new HashSet<string>([Unknown.Key]) };
        Assert.Empty(Decide(State(Decide(State(), Look(1, Unknown))[0]), seen));
    }

    [Fact]
    public void A_balance_is_settled_only_by_a_look_that_compared_balances()
    {
        var state = State(Decide(State(), Look(1, Usdt))[0]);
        Assert.Empty(Decide(state, Look(2) with { BalancesCompared = false }));
        Assert.IsType<DifferenceSettled>(Assert.Single(Decide(state, Look(2))));
    }

    [Fact]
    public void A_venue_that_does_not_say_stalls_once_settles_nothing_and_completes_nothing()
    {
        var found = Decide(State(), Look(1, Unknown))[0];
        var away = Look(2) with { OpenOrders = null, Trouble = "timed out", Completes = true };
        var stalled = Assert.IsType<ReconciliationStalled>(Assert.Single(Decide(State(found), away)));
        Assert.Empty(Decide(State(found, stalled), away with { Number = 3 }));
        var back = Decide(State(found, stalled), Look(3, Unknown) with { Completes = true });
        Assert.Equal([typeof(ReconciliationResumed), typeof(StartReconciled)], back.Select(e => e.GetType()));
    }

    /// <summary>Prevents a stop that is gone and not missed because the venue does not say its balances.</summary>
    [Fact]
    public void A_venue_that_says_its_orders_alone_stalls_and_what_it_says_of_them_counts_all_the_same()
    {
        var found = Decide(State(), Look(1, Unknown))[0];
        var half = Look(2, Usdt) with { Trouble = "balances: timed out", BalancesCompared = false, Completes = true };
        Assert.Equal([typeof(ReconciliationStalled), typeof(DifferenceSettled), typeof(DifferenceFound)], Decide(State(found), half).Select(e => e.GetType()));
    }

    [Fact]
    public void The_look_after_a_start_says_up_to_where_it_knew_the_history()
    {
        var done = Assert.IsType<StartReconciled>(Assert.Single(Decide(State(), Look(1) with { Completes = true })));
        Assert.Equal(42, done.Through);
        Assert.Equal((1, 42L), (State(done).Looks, State(done).Through));
    }

    [Fact]
    public void A_baseline_is_set_once_for_a_venue()
    {
        var baseline = AccountComparison.Baseline(Book(), "paper", [new Balance("USDT", 10, 0)], 42);
        var set = Assert.IsType<BalanceBaselineSet>(Assert.Single(Decide(State(), Look(1) with { Baseline = baseline })));
        Assert.Empty(Decide(State(set), Look(2) with { Baseline = baseline }));
        Assert.Single(Decide(State(set), Look(2) with { Baseline = baseline with { Venue = "other" } }));
    }

    [Fact]
    public void A_look_that_another_process_has_overtaken_records_nothing()
    {
        var found = Decide(State(), Look(1, Unknown))[0];
        Assert.Empty(Decide(State(found), Look(1, Usdt) with { Completes = true }));
    }

    /// <summary>Any order of looks and verifications, repeated or not: nothing throws, decisions repeat, the fold survives storage and stays small.</summary>
    [Fact]
    public void Whatever_comes_the_decisions_repeat_and_the_fold_survives_storage() => Holds.ForAll(Inputs().ListOf().ToArbitrary(), inputs =>
    {
        var (state, copy) = (State(), State());
        foreach (var input in inputs)
        {
            var body = input is AccountLook look ? look with { Number = state.Looks + look.Number } : input;
            var events = ReconciliationDecider.Decide(state, body, Now);
            Assert.Equal(events.Select(Json), ReconciliationDecider.Decide(state, body, Now).Select(Json));
            foreach (var e in events)
            {
                _ = ReconciliationDecider.React(e);
                state = ReconciliationState.Fold.Apply(state, e);
                copy = ReconciliationState.Fold.Apply(copy, Stored(e));
            }
            // A second look at the same adds nothing.
            if (input is AccountLook { Number: 1, Completes: false } again)
                Assert.Empty(ReconciliationDecider.Decide(state, again with { Number = state.Looks + 1 }, Now));
        }
        Assert.Equal(Json(state), Json(copy));
        Assert.True(state.Pending.Count <= 2 && state.Differences.Count <= 2);
    });

    private static Gen<object> Inputs()
    {
        var looks = from n in Gen.Elements(0L, 1L, 1L, 1L, 2L)
                    from differences in Gen.SubListOf(Unknown, Usdt)
                    from what in Gen.Elements("a", "b")
                    from trouble in Gen.Elements(null, null, "away")
                    from balances in Gen.Elements(true, false)
                    from completes in Gen.Elements(true, false)
                    select (object)(Look(n, [.. differences.Select(d => d with { What = what })]) with { Trouble = trouble, OpenOrders = trouble is null || balances ? 3 : null, BalancesCompared = balances, Completes = completes });
        var trades = from closed in Gen.Elements(true, false)
                     from executed in Gen.Elements(0m, 0.5m, 1m)
                     from trouble in Gen.Elements(null, null, "away")
                     from message in Gen.Elements(Message, Guid.Parse("00000000-0000-0000-0000-000000000001"))
                     select (object)(At(Verify(1, closed), Seen(Entry(), Side.Buy, executed), Seen(Exit(), Side.Sell, closed ? executed : 0)) with { Trouble = trouble, Message = message });
        return Gen.OneOf(looks, trades);
    }

    private static AccountLook Look(long number, params Difference[] confirmed) =>
        new(number, Account, "paper", 42, 0, null, confirmed, confirmed.Select(d => d.Key).ToHashSet(StringComparer.Ordinal), BalancesCompared: true, null, Completes: false, [], []);

    private static IReadOnlyList<object> Decide(ReconciliationState state, AccountLook look) => ReconciliationDecider.Decide(state, look, Now);
}
