using Ashlar.Monitoring;

namespace Ashlar.Dns.Serving;

/// <summary>Series of a name server, and who counts them: each thread that answers UDP in a slot of its own, all of TCP in one under a lock.</summary>
internal sealed class DnsMetrics
{
    private const int Codes = 16;
    private readonly MetricsFile _file;
    private readonly Counter _udp;
    private readonly Counter _tcp;
    private readonly Counter[] _answers;
    private readonly Counter _ready;
    private readonly Counter _forwarded;
    private readonly Counter _dropped;
    private readonly Counter _cut;
    private readonly Counter _limited;
    private readonly Lock _gate = new();

    public DnsMetrics(MetricsFile file)
    {
        _file = file;
        _udp = file.Counter("dns_queries_udp");
        _tcp = file.Counter("dns_queries_tcp");
        _answers = [.. Enumerable.Range(0, Codes).Select(code => file.Counter($"dns_answers_{Name(code)}"))];
        _ready = file.Counter("dns_answers_ready");
        _forwarded = file.Counter("dns_queries_forwarded");
        _dropped = file.Counter("dns_queries_dropped");
        _cut = file.Counter("dns_answers_truncated");
        _limited = file.Counter("dns_answers_limited");
    }

    /// <summary>Slots for so many threads of UDP.</summary>
    public static int SlotsFor(int threads) => threads + 1;

    /// <summary>The slot of a thread of UDP.</summary>
    public MetricsSlot Slot(int thread) => _file.Slot(thread % Math.Max(1, _file.Slots - 1));

    /// <summary>A query over UDP and what became of it: the answer, or nothing.</summary>
    public void Udp(MetricsSlot slot, ReadOnlySpan<byte> answer, bool wasReady)
    {
        slot.Add(_udp);
        if (wasReady)
        {
            slot.Add(_ready);
        }

        Count(slot, answer);
    }

    /// <summary>A query over UDP whose answer is beyond the rate, and what goes out instead: one that is cut, or nothing.</summary>
    public void Limited(MetricsSlot slot, ReadOnlySpan<byte> instead)
    {
        slot.Add(_udp);
        slot.Add(_limited);
        Count(slot, instead);
    }

    /// <summary>A query over UDP that others are asked for.</summary>
    public void Forwarded(MetricsSlot slot)
    {
        slot.Add(_udp);
        slot.Add(_forwarded);
    }

    /// <summary>A query over TCP and its answer.</summary>
    public void Tcp(ReadOnlySpan<byte> answer, bool wasForwarded)
    {
        lock (_gate)
        {
            var slot = _file.Slot(_file.Slots - 1);
            slot.Add(_tcp);
            slot.Add(_forwarded, wasForwarded ? 1 : 0);
            Count(slot, answer);
        }
    }

    /// <summary>The answer to a forwarded query over UDP.</summary>
    public void Came(ReadOnlySpan<byte> answer)
    {
        lock (_gate)
        {
            Count(_file.Slot(_file.Slots - 1), answer);
        }
    }

    private void Count(MetricsSlot slot, ReadOnlySpan<byte> answer)
    {
        if (answer.Length < 4)
        {
            slot.Add(_dropped);
            return;
        }

        slot.Add(_answers[answer[3] & 0xF]);
        if ((answer[2] & 0x02) != 0)
        {
            slot.Add(_cut);
        }
    }

    private static string Name(int code) => code switch
    {
        0 => "noerror",
        1 => "formerr",
        2 => "servfail",
        3 => "nxdomain",
        4 => "notimp",
        5 => "refused",
        _ => $"code{code}",
    };
}
