namespace Ashlar.Monitoring.Tests;

/// <summary>A clock that stands still until it is told.</summary>
internal sealed class ManualTime(DateTimeOffset now) : TimeProvider
{
    private long _timestamp = 1;

    public DateTimeOffset Now { get; set; } = now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => Now;

    public override long GetTimestamp() => _timestamp;

    public void Advance(double seconds)
    {
        Now += TimeSpan.FromSeconds(seconds);
        _timestamp += TimeSpan.FromSeconds(seconds).Ticks;
    }
}
