using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Ashlar.TestApp;

/// <summary>
/// Notes the jobs that come by POST: how many, when the first began and the last ended, and how long those took to come whose payload says when they
/// were enqueued. Times are nanoseconds of the machine's monotonic clock, which is the same in every process.
/// </summary>
internal sealed class JobLog
{
    private readonly Lock _gate = new();
    private readonly List<double> _waits = [];
    private int _count;
    private long _first;
    private long _last;

    /// <summary>A job has come.</summary>
    /// <param name="payload">Its payload, with the member <c>t</c>: when it was enqueued; 0: it is not said.</param>
    public void Begin(ReadOnlySpan<byte> payload)
    {
        var now = Now();
        var reader = new Utf8JsonReader(payload);
        var enqueued = 0L;
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("t"u8) && reader.Read())
            {
                enqueued = reader.GetInt64();
            }
        }

        lock (_gate)
        {
            _first = _first == 0 ? now : _first;
            if (enqueued > 0)
            {
                _waits.Add((now - enqueued) / 1e6);
            }
        }
    }

    /// <summary>A job is done.</summary>
    public void End()
    {
        lock (_gate)
        {
            (_count, _last) = (_count + 1, Now());
        }
    }

    /// <summary>All of it, as JSON; waits in ms.</summary>
    public string Tell()
    {
        lock (_gate)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{{\"count\":{_count},\"first\":{_first},\"last\":{_last},\"waits\":[{string.Join(',', _waits.Select(wait => wait.ToString(CultureInfo.InvariantCulture)))}]}}\n");
        }
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            (_count, _first, _last) = (0, 0, 0);
            _waits.Clear();
        }
    }

    private static long Now() => Stopwatch.GetTimestamp() * (1_000_000_000L / Stopwatch.Frequency);
}
