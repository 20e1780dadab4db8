namespace Ashlar.Processes.Tests.Restarting;

public sealed class RestartPolicyTests
{
    private static readonly ExitReport Crash = new() { Code = 1 };
    private static readonly ExitReport End = new() { Code = 0 };
    private readonly ManualTime _time = new();

    private RestartPolicy Policy(bool worker = false) => new(_time, new Random(1), worker, RestartPace.Patient);

    private double CrashAfter(RestartPolicy policy, double seconds, bool healthy = false)
    {
        policy.Started();
        if (healthy)
            policy.Healthy();
        _time.Advance(seconds);
        policy.Ended(Crash);
        return policy.Wait!.Value.TotalSeconds;
    }

    [Fact] // 21
    public void The_wait_doubles_from_1_to_60_seconds_with_jitter()
    {
        var policy = Policy();
        foreach (var expected in new[] { 1, 2, 4, 8, 16, 32, 60, 60 })
        {
            var wait = CrashAfter(policy, 30);
            Assert.InRange(wait, expected, Math.Min(60, expected * 1.2));
            Assert.False(policy.CrashLoop);
            _time.Advance(wait);
        }
        var others = Enumerable.Range(2, 20).Select(seed => CrashAfter(new RestartPolicy(_time, new Random(seed), false, RestartPace.Patient), 1)).Distinct();
        Assert.True(others.Count() > 10);
    }

    [Fact]
    public void What_every_request_passes_is_back_soon_even_in_a_crash_loop()
    {
        var policy = new RestartPolicy(_time, new Random(1), true, RestartPace.Urgent);
        foreach (var expected in new[] { 0.1, 0.2, 0.4, 0.8 })
            Assert.InRange(CrashAfter(policy, 1, healthy: true), expected, expected * 1.2);
        Assert.Equal(5, CrashAfter(policy, 1, healthy: true));
        Assert.True(policy.CrashLoop);
    }

    [Fact]
    public void Three_crashes_at_once_show_that_it_will_not_come_up_unless_it_once_did()
    {
        var policy = Policy();
        CrashAll(policy, 1, 1);
        Assert.Null(policy.HopelessFor);
        CrashAll(policy, 0.5);
        Assert.Equal(2.5, policy.HopelessFor!.Value.TotalSeconds, 3);
        Assert.False(policy.CrashLoop);
        policy.Restart();
        CrashAll(policy, 1, 1);
        Assert.Null(policy.HopelessFor);

        // One that took its time has waited for something, and one that was healthy has come up before.
        var slow = Policy();
        CrashAll(slow, 30, 30, 30, 30);
        Assert.Null(slow.HopelessFor);
        var proven = Policy();
        CrashAfter(proven, 1, healthy: true);
        CrashAll(proven, 1, 1, 1);
        Assert.Null(proven.HopelessFor);

        void CrashAll(RestartPolicy of, params double[] seconds) => Array.ForEach(seconds, second => CrashAfter(of, second));
    }

    [Fact] // 21
    public void Sixty_healthy_seconds_reset_it()
    {
        var policy = Policy();
        CrashAfter(policy, 30);
        CrashAfter(policy, 30);
        Assert.InRange(CrashAfter(policy, 59, healthy: true), 4, 4.8);
        Assert.InRange(CrashAfter(policy, 60, healthy: true), 1, 1.2);
        // A minute of running without being healthy counts for nothing.
        Assert.InRange(CrashAfter(policy, 60), 2, 2.4);
    }

    [Fact] // 22
    public void Five_crashes_in_sixty_seconds_are_a_crash_loop_and_then_it_is_tried_once_a_minute()
    {
        var policy = Policy();
        for (var i = 0; i < 4; i++)
            _time.Advance(CrashAfter(policy, 0.1));
        Assert.False(policy.CrashLoop);
        Assert.Equal(60, CrashAfter(policy, 0.1));
        Assert.True(policy.CrashLoop);
        Assert.Equal(5, policy.Crashes);
        _time.Advance(60);
        Assert.Equal(60, CrashAfter(policy, 0.1));
        CrashAfter(policy, 61, healthy: true);
        Assert.False(policy.CrashLoop);
    }

    [Fact] // 23
    public void A_person_restarting_it_skips_the_wait()
    {
        var policy = Policy();
        for (var i = 0; i < 5; i++)
            CrashAfter(policy, 0.1);
        policy.Restart();
        Assert.Equal(TimeSpan.Zero, policy.Wait);
        Assert.False(policy.CrashLoop);
        Assert.InRange(CrashAfter(policy, 0.1), 1, 1.2);
    }

    [Fact] // 23
    public void A_stop_during_the_wait_wins()
    {
        var policy = Policy();
        CrashAfter(policy, 0.1);
        policy.Stop();
        _time.Advance(3600);
        Assert.Null(policy.Wait);
    }

    [Theory] // 9
    [InlineData(143)]
    [InlineData(130)]
    public void An_end_by_143_or_130_after_our_own_stop_is_no_crash(int code)
    {
        var policy = Policy();
        policy.Started();
        policy.Stop();
        // The agent does not even tell an end that it asked for; told, it starts nothing.
        policy.Ended(new ExitReport { Code = code });
        Assert.Null(policy.Wait);
    }

    [Fact]
    public void Exit_0_of_a_worker_is_an_end_and_never_counts()
    {
        var policy = Policy(worker: true);
        for (var i = 0; i < 100; i++)
        {
            policy.Started();
            _time.Advance(5);
            policy.Ended(End);
            Assert.Equal(TimeSpan.Zero, policy.Wait);
        }
        Assert.Equal((0, 99, false), (policy.Crashes, policy.Restarts, policy.CrashLoop));
        Assert.InRange(CrashAfter(policy, 5), 1, 1.2);
    }

    [Fact]
    public void A_worker_that_ends_at_once_is_started_once_a_second_at_most()
    {
        var policy = Policy(worker: true);
        policy.Started();
        _time.Advance(0.25);
        Assert.Equal("ended (exit 0), next start in 1 s", policy.Ended(End));
        Assert.Equal(0.75, policy.Wait!.Value.TotalSeconds, 3);
        _time.Advance(0.75);
        Assert.Equal(TimeSpan.Zero, policy.Wait);
    }

    [Fact]
    public void Exit_0_of_a_server_that_was_never_healthy_is_a_crash()
    {
        var policy = Policy();
        policy.Started();
        policy.Ended(End);
        Assert.Equal(1, policy.Crashes);
        policy.Started();
        policy.Healthy();
        policy.Ended(End);
        Assert.Equal(1, policy.Crashes);
    }

    [Fact] // 25
    public void An_end_by_lack_of_memory_is_a_crash_whatever_the_code()
    {
        var policy = Policy(worker: true);
        policy.Started();
        var text = policy.Ended(new ExitReport { Code = 0, OutOfMemory = true, MemoryLimit = 512 << 20 });
        Assert.Equal(1, policy.Crashes);
        Assert.StartsWith("out of memory (limit 512 MiB), next start in ", text);
    }
}
