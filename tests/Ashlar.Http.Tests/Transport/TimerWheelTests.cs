using Ashlar.Http.Transport;

namespace Ashlar.Http.Tests.Transport;

public sealed class TimerWheelTests : ILoopTimerOwner
{
    private readonly List<LoopTimer> _fired = [];
    private readonly List<Exception> _faults = [];
    private readonly TimerWheel _wheel;
    private Action<LoopTimer> _onTimer = static _ => { };

    public TimerWheelTests() => _wheel = new TimerWheel(0, (_, fault) => _faults.Add(fault));

    void ILoopTimerOwner.OnTimer(LoopTimer timer)
    {
        _fired.Add(timer);
        _onTimer(timer);
    }

    [Fact]
    public void A_timer_fires_once_not_early_and_at_most_a_tick_late()
    {
        var timer = new LoopTimer(this);
        _wheel.Set(timer, 1000);

        _wheel.Advance(999);
        Assert.Empty(_fired);
        _wheel.Advance(1000 + TimerWheel.TickMs);
        Assert.Single(_fired);
        _wheel.Advance(1_000_000);
        Assert.Single(_fired);
    }

    [Fact]
    public void A_timer_moved_later_fires_later_and_one_moved_earlier_earlier()
    {
        var later = new LoopTimer(this);
        var earlier = new LoopTimer(this);
        _wheel.Set(later, 1000);
        _wheel.Set(earlier, 10_000);
        _wheel.Set(later, 5000);
        _wheel.Set(earlier, 500);

        _wheel.Advance(2000);
        Assert.Equal([earlier], _fired);
        _wheel.Advance(6000);
        Assert.Equal([earlier, later], _fired);
    }

    [Fact]
    public void A_timer_beyond_the_wheel_fires_in_its_time()
    {
        var timer = new LoopTimer(this);
        _wheel.Set(timer, 3_600_000);

        for (var now = 0L; now < 3_600_000; now += 20_000)
        {
            _wheel.Advance(now);
        }

        Assert.Empty(_fired);
        _wheel.Advance(3_600_000 + TimerWheel.TickMs);
        Assert.Single(_fired);
    }

    [Fact]
    public void The_loop_sleeps_until_something_may_be_due_and_for_ever_when_nothing_is_set()
    {
        Assert.Equal(-1, _wheel.NextTimeout(0));
        var timer = new LoopTimer(this);
        _wheel.Set(timer, 2000);
        Assert.InRange(_wheel.NextTimeout(0), 2000, 2000 + TimerWheel.TickMs);
        Assert.Equal(0, _wheel.NextTimeout(3000));
        _wheel.Remove(timer);
        Assert.Equal(-1, _wheel.NextTimeout(3000));
    }

    [Fact]
    public void A_timer_may_be_set_again_while_it_fires()
    {
        var timer = new LoopTimer(this);
        var next = 100L;
        _onTimer = fired => _wheel.Set(fired, next += 100);
        _wheel.Set(timer, next);

        for (var now = 0L; now <= 1000; now += 10)
        {
            _wheel.Advance(now);
        }

        Assert.InRange(_fired.Count, 7, 10);
    }

    [Fact]
    public void A_timer_that_throws_does_not_keep_the_others_from_firing()
    {
        var bad = new LoopTimer(this);
        _onTimer = timer =>
        {
            if (timer == bad)
            {
                throw new InvalidOperationException();
            }
        };
        _wheel.Set(bad, 100);
        _wheel.Set(new LoopTimer(this), 100);
        _wheel.Set(new LoopTimer(this), 200);

        _wheel.Advance(1000);

        Assert.Equal(3, _fired.Count);
        Assert.Single(_faults);
    }

    [Fact]
    public void Whatever_is_set_moved_and_removed_each_timer_fires_in_its_own_time()
    {
        const int Seed = 42;
        var random = new Random(Seed);
        var due = new Dictionary<LoopTimer, long>();
        var timers = Enumerable.Range(0, 200).Select(_ => new LoopTimer(this)).ToArray();
        var now = 0L;
        _onTimer = timer =>
        {
            Assert.True(due.Remove(timer, out var at), $"seed {Seed}: fired unset at {now}");
            Assert.InRange(now, at, long.MaxValue);
        };
        for (var step = 0; step < 20_000; step++)
        {
            var timer = timers[random.Next(timers.Length)];
            if (random.Next(10) == 0)
            {
                _wheel.Remove(timer);
                due.Remove(timer);
            }
            else
            {
                due[timer] = now + random.Next(1, random.Next(4) == 0 ? 200_000 : 500);
                _wheel.Set(timer, due[timer]);
            }

            now += random.Next(0, 40);
            _wheel.Advance(now);
            Assert.All(due.Values, at => Assert.True(at > now - (2 * TimerWheel.TickMs), $"seed {Seed}: {at} missed at {now}"));
        }

        Assert.Empty(_faults);
    }
}
