using Ashlar.Agent.Hosting;
using Ashlar.Agent.Reconciling;
using Ashlar.Catalog;
using Ashlar.Monitoring;
using Ashlar.Stack;

namespace Ashlar.Agent.Supervision;

/// <summary>
/// Writes what every instance uses into <c>agent.PID.metrics</c>, each second. The loop says which instances there are whenever
/// something changes; the housekeeping thread alone writes, without a wake-up or a system call of its own.
/// </summary>
internal sealed class AgentMetrics : IDisposable
{
    private const string Own = "agent.1";
    private const int Series = 16_384;
    private const int Longs = 20_480;
    private readonly MetricsFile _file;
    private readonly MetricsSlot _slot;
    private readonly UsageMonitor _usage;
    private readonly Dictionary<string, Written> _written = new(StringComparer.Ordinal);
    private readonly Dictionary<int, long> _cpu = [];
    private readonly DateTimeOffset _began;
    private Instance[] _instances = [];

    public AgentMetrics(StateFolder state, UsageMonitor usage, TimeProvider time, AgentLog log)
    {
        _usage = usage;
        _began = time.GetUtcNow();
        _file = Create(state.Metrics, log);
        _slot = _file.Slot(0);
    }

    /// <summary>Tells which instances there are. From the loop.</summary>
    public void Know(IEnumerable<ObservedInstance> observed, StackDefinition stack)
    {
        var services = stack.Services.ToDictionary(service => service.Name, StringComparer.Ordinal);
        Volatile.Write(ref _instances, [.. observed.Select(o =>
        {
            var service = services.GetValueOrDefault(o.Service);
            return new Instance(o.Name, o.Tier, o.State, o.Process?.Pid ?? 0, o.Restarts, o.Started,
                (long)((service?.Limits.Cpu ?? 0) * 1000), service?.Limits.Memory ?? 0, service?.RequestLimit ?? 0);
        })]);
    }

    /// <summary>Writes what is known now. From one thread.</summary>
    public void Write()
    {
        var instances = Volatile.Read(ref _instances);
        Cpu(Environment.ProcessId, Own, _began);
        Write(Own, [new Instance(Own, "agent", InstanceState.Healthy, Environment.ProcessId, 0, _began, 0, 0, 0)]);
        foreach (var group in instances.GroupBy(instance => instance.Name, StringComparer.Ordinal))
        {
            foreach (var instance in group.Where(instance => instance.Pid != 0))
            {
                Cpu(instance.Pid, instance.Name, instance.Started);
            }

            Write(group.Key, [.. group]);
        }

        foreach (var (name, written) in _written)
        {
            if (name != Own && !Array.Exists(instances, instance => instance.Name == name))
            {
                Clear(written);
            }
        }

        foreach (var pid in _cpu.Keys.Where(pid => pid != Environment.ProcessId && !Array.Exists(instances, i => i.Pid == pid)).ToArray())
        {
            _cpu.Remove(pid);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _file.Dispose();

    // While one generation replaces another both are the instance, and the one that serves says its state.
    private void Write(string name, Instance[] generations)
    {
        var shown = generations.OrderBy(g => g.State is InstanceState.Healthy ? 0 : g.Pid != 0 ? 1 : 2).First();
        var of = Of(name);
        _slot.Set(of.Memory, generations.Where(g => g.Pid != 0).Sum(g => _usage.Of(g.Pid).Memory));
        _slot.Set(of.Restarts, generations.Max(g => g.Restarts));
        _slot.Set(of.State, (long)shown.State);
        _slot.Set(of.Started, shown.Pid != 0 ? shown.Started?.ToUnixTimeSeconds() ?? 0 : 0);
        _slot.Set(of.CpuLimit, shown.CpuLimit);
        _slot.Set(of.MemoryLimit, shown.MemoryLimit);
        _slot.Set(of.RequestsLimit, shown.RequestsLimit);
        if (of.TierName != shown.Tier)
        {
            _slot.Set(_file.Gauge(InstanceMetrics.Tier + shown.Tier, name), 1);
            of.TierName = shown.Tier;
        }
    }

    // The counter goes on where the process before it ended; of one that was here before us it begins with what it uses from now on.
    private void Cpu(int pid, string name, DateTimeOffset? started)
    {
        var usage = _usage.Of(pid);
        if (usage.Threads == 0)
        {
            return;
        }

        var now = (long)usage.CpuTime.TotalMilliseconds;
        var before = _cpu.TryGetValue(pid, out var known) ? known : started > _began ? 0 : now;
        _slot.Add(Of(name).Cpu, Math.Max(0, now - before));
        _cpu[pid] = now;
    }

    private void Clear(Written written)
    {
        _slot.Set(written.State, InstanceMetrics.Gone);
        foreach (var gauge in new[] { written.Memory, written.Restarts, written.Started, written.CpuLimit, written.MemoryLimit, written.RequestsLimit })
        {
            _slot.Set(gauge, 0);
        }
    }

    private Written Of(string name)
    {
        if (!_written.TryGetValue(name, out var written))
        {
            _written[name] = written = new Written(
                _file.Counter(InstanceMetrics.Cpu, name), _file.Gauge(InstanceMetrics.Memory, name), _file.Gauge(InstanceMetrics.Restarts, name),
                _file.Gauge(InstanceMetrics.State, name), _file.Gauge(InstanceMetrics.Started, name), _file.Gauge(InstanceMetrics.CpuLimit, name),
                _file.Gauge(InstanceMetrics.MemoryLimit, name), _file.Gauge(InstanceMetrics.RequestsLimit, name));
        }

        return written;
    }

    private static MetricsFile Create(string folder, AgentLog log)
    {
        var path = Path.Combine(folder, $"agent.{Environment.ProcessId}.metrics");
        try
        {
            foreach (var old in Directory.EnumerateFiles(folder, "agent.*.metrics"))
            {
                File.Delete(old);
            }

            return MetricsFile.Create(path, 1, Series, Longs);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.Warning(LogEvent.Fault, $"no metrics of instances: {path} cannot be written: {e.Message}");
            return MetricsFile.InMemory(1, Series, Longs);
        }
    }

    private sealed record Instance(
        string Name, string Tier, InstanceState State, int Pid, int Restarts, DateTimeOffset? Started, long CpuLimit, long MemoryLimit, long RequestsLimit);

    private sealed record Written(
        Counter Cpu, Gauge Memory, Gauge Restarts, Gauge State, Gauge Started, Gauge CpuLimit, Gauge MemoryLimit, Gauge RequestsLimit)
    {
        public string TierName { get; set; } = "";
    }
}
