using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Signals.Core;
using Xunit;

namespace Antbot.Core.Tests.Signals;

/// <summary>A signal is taken where those before it leave it time to be entered.</summary>
public sealed class BacklogTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 0, TimeSpan.Zero);
    private static readonly TimeSpan Life = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly Backlog _backlog = new();

    [Fact]
    public void Where_nothing_waits_and_where_trades_begin_as_fast_as_signals_come_all_are_taken()
    {
        Assert.Null(Refuse(at: 0));
        for (var n = 0; n < 10_000; n++)
        {
            Record(n, at: n * 0.01);
            if (n >= 100)
                Begin(n - 100);
            Assert.Null(Refuse(at: n * 0.01));
        }
    }

    [Fact]
    public void A_burst_is_taken_whole_where_all_of_it_can_be_entered_in_time()
    {
        for (var n = 0; n < 5_000; n++)
            Record(n, at: 0, Hour);
        for (var n = 0; n < 5_000; n++)
        {
            // Ten a second: it takes 500 of the 1,200 s that it may.
            Assert.Null(Refuse(at: n * 0.1, Hour));
            Begin(n);
        }
    }

    [Fact]
    public void No_more_wait_than_begin_in_a_third_of_a_life_at_the_pace_since_the_oldest_came()
    {
        // Twenty come every second, five begin: in the third of a life, ten seconds, fifty do.
        var (came, begun, most) = (0, 0, 0);
        for (var second = 0; second < 300; second++)
        {
            for (var i = 0; i < 20; i++)
            {
                if (Refuse(at: second) is null)
                    Record(came++, at: second);
            }
            for (var i = 0; i < 5 && begun < came; i++)
                Begin(begun++);
            most = second > 60 ? Math.Max(most, _backlog.Waiting) : 0;
        }
        Assert.InRange(most, 40, 60);
        Assert.Equal(1_500, begun);
    }

    [Fact]
    public void While_nothing_begins_a_few_are_taken_to_find_when_it_goes_on_and_the_others_come_again_later()
    {
        for (var n = 0; n < Backlog.RoomMin - 1; n++)
            Record(n, at: 0);
        Assert.Null(Refuse(at: 5));
        Record(100, at: 5);
        Assert.Equal(Life / 3, Refuse(at: 5));
        // Those of the beginning will not be entered any more, and hold no place.
        Assert.Null(Refuse(at: 21));
        Assert.Equal(TimeSpan.FromSeconds(1), new[] { Refuse(at: 5, TimeSpan.FromSeconds(1)) }.Single());
    }

    [Fact]
    public void Nobody_is_refused_before_the_oldest_has_waited_for_a_while()
    {
        for (var n = 0; n < 1_000; n++)
            Record(n, at: 0);
        Assert.Null(Refuse(at: 2.4));
        Assert.NotNull(Refuse(at: 2.6));
        Assert.Null(Refuse(at: 2.6, Hour));
    }

    [Fact]
    public void What_came_too_late_to_its_turn_says_nothing_of_how_many_are_entered()
    {
        for (var n = 0; n < 100; n++)
            Record(n, at: n < 50 ? 0 : 18);
        for (var n = 0; n < 40; n++)
            Decide(n, tooLate: true);
        Assert.NotNull(Refuse(at: 22));
    }

    /// <summary>A message that was lost, or is a dead letter, would else slow down for ever what is counted.</summary>
    [Fact]
    public void What_was_overtaken_or_is_long_over_keeps_nobody_out()
    {
        Record(0, at: 0, Hour);
        for (var n = 1; n < 100; n++)
            Record(n, at: 60 + n);
        Assert.NotNull(Refuse(at: 159));
        Begin(99);
        Assert.Null(Refuse(at: 159));

        _backlog.Clear();
        for (var n = 0; n < 100; n++)
            Record(n, at: 0);
        for (var n = 100; n < 200; n++)
            Record(n, at: 95);
        Assert.Null(Refuse(at: 95));
    }

    [Fact]
    public void What_was_saved_is_known_again()
    {
        for (var n = 0; n < 100; n++)
            Record(n, at: n * 0.1);
        for (var n = 0; n < 30; n++)
            Begin(n);
        var again = new Backlog();
        again.Load(_backlog.Save());
        Assert.Equal((70, _backlog.Refuse(Life, Start.AddSeconds(14))), (again.Waiting, again.Refuse(Life, Start.AddSeconds(14))));
        Assert.Equal(_backlog.Save(), again.Save());
    }

    /// <summary>What is counted while signals come and go is what would be found by looking at all that wait, whatever the clock does.</summary>
    [Fact]
    public void Whatever_comes_and_goes_it_answers_as_one_that_looks_at_all_of_them()
    {
        var (refused, taken) = (0, 0);
        for (var seed = 1; seed <= 40; seed++)
        {
            var (random, backlog, plain, now, known) = (new Random(seed), new Backlog(), new PlainBacklog(), Start, 0);
            for (var step = 0; step < 2_000; step++)
            {
                now += TimeSpan.FromMilliseconds(random.Next(100) switch { 0 => -20_000, 1 => 40_000, _ => random.Next(500) });
                switch (random.Next(100))
                {
                    case < 60:
                        var trade = random.Next(20) == 0 && plain.Waiting > 0 ? plain[random.Next(plain.Waiting)] : Trade(known++);
                        var (at, until) = (now.AddMilliseconds(-random.Next(2_000)), now.AddSeconds(random.Next(4) switch { 0 => 3, 1 => 3_600, _ => 30 }));
                        backlog.Recorded(trade, at, until);
                        plain.Recorded(trade, at, until);
                        break;
                    case < 98 when known > 0:
                        var (decided, tooLate) = (Trade(Math.Max(0, known - 1 - random.Next(60))), random.Next(4) == 0);
                        backlog.Decided(decided, tooLate);
                        plain.Decided(decided, tooLate);
                        break;
                    case 98:
                        var again = new Backlog();
                        again.Load(backlog.Save());
                        backlog = again;
                        plain.Reload();
                        break;
                }
                var life = TimeSpan.FromSeconds(random.Next(3) switch { 0 => 1, 1 => 30, _ => 600 });
                var answer = backlog.Refuse(life, now);
                Assert.Equal((seed, step, plain.Waiting, plain.Refuse(life, now)), (seed, step, backlog.Waiting, answer));
                (refused, taken) = answer is null ? (refused, taken + 1) : (refused + 1, taken);
            }
        }
        Assert.True(refused > 10_000 && taken > 10_000, $"{refused} refused, {taken} taken: it says little");
    }

    private void Record(int n, double at, TimeSpan? life = null) => _backlog.Recorded(Trade(n), Start.AddSeconds(at), Start.AddSeconds(at) + (life ?? Life));

    private void Begin(int n) => Decide(n, tooLate: false);

    private void Decide(int n, bool tooLate) => _backlog.Decided(Trade(n), tooLate);

    private TimeSpan? Refuse(double at, TimeSpan? life = null) => _backlog.Refuse(life ?? Life, Start.AddSeconds(at));

    private static TradeId Trade(int n) => new(DeterministicId.From("backlog", n.ToString()));

    /// <summary>The same rule with nothing kept but what waits.</summary>
    private sealed class PlainBacklog
    {
        private readonly List<(TradeId Trade, int Number, int BegunBefore, DateTimeOffset At, DateTimeOffset Until)> _waiting = [];
        private (int Came, int Begun, int Passed) _so;

        public int Waiting => _waiting.Count;

        public TradeId this[int n] => _waiting[n].Trade;

        public void Recorded(TradeId trade, DateTimeOffset at, DateTimeOffset until)
        {
            _so.Came++;
            if (_waiting.Exists(w => w.Trade == trade))
                return;
            _waiting.Add((trade, _so.Came, _so.Begun, at, until));
            if (_so.Came % 1_000 == 0)
                _waiting.RemoveAll(w => at > w.Until.AddMinutes(1));
        }

        public void Decided(TradeId trade, bool tooLate)
        {
            if (_waiting.Find(w => w.Trade == trade) is not { Number: > 0 } waiter)
                return;
            _waiting.Remove(waiter);
            _so = (_so.Came, _so.Begun + (tooLate ? 0 : 1), Math.Max(_so.Passed, waiter.Number));
        }

        public void Reload() => _so = (_waiting.Select(w => w.Number).LastOrDefault(), _so.Begun, 0);

        public TimeSpan? Refuse(TimeSpan life, DateTimeOffset now)
        {
            // Whoever was once passed over is so for good.
            while (_waiting.Find(w => w.Number > _so.Passed) is { Number: > 0 } first && now > first.Until.AddMinutes(1))
                _so.Passed = first.Number;
            if (_waiting.Find(w => w.Number > _so.Passed) is not { Number: > 0 } oldest || now - oldest.At < life / 3 / 4)
                return null;
            var (waited, before, begun) = (now - oldest.At, _waiting.Count(w => now < w.Until - ((w.Until - w.At) / 3)), _so.Begun - oldest.BegunBefore);
            if (before < Backlog.RoomMin || before * waited <= begun * (life / 3))
                return null;
            var again = begun == 0 ? life / 3 : (before * waited / begun) - (life / 3);
            return TimeSpan.FromTicks(Math.Max(Math.Min(again.Ticks, (life / 3).Ticks), TimeSpan.TicksPerSecond));
        }
    }
}
