using Ashlar.Errors;

namespace Ashlar.Engines.Watching;

/// <summary>Says once what people should know of an engine, and again when it has gone and come back. Pure but for what it has said.</summary>
/// <param name="tier">Its tier.</param>
/// <param name="instance">Its name.</param>
/// <param name="keeps">True: it must forget nothing.</param>
internal sealed class EngineAlarms(string tier, string instance, bool keeps)
{
    /// <summary>Part of its memory, in percent, from which a queue is nearly full.</summary>
    public const int NearlyFull = 80;

    // It is said again only after there was clearly room in between.
    private const int RoomAgain = 70;

    // A pool that comes up in one go is turned away many times in a row: that is one thing to say.
    private const int QuietSeconds = 60;

    private EngineFigures? _last;
    private bool _full;
    private int _quiet;

    /// <summary>What is to be said now. Called once a second.</summary>
    public IEnumerable<AshlarError> Look(EngineFigures now)
    {
        var before = _last?.Run == now.Run ? _last : null;
        _last = now;
        _quiet = Math.Max(0, _quiet - 1);
        return Alarms(before, now).ToArray();
    }

    /// <summary>What people see beside its name; empty if all is well.</summary>
    public string Detail(EngineFigures now) => now switch
    {
        { Loaded: { } part } => $"reading its log, {part:0} %",
        { WriteTrouble: { } trouble } => $"refuses writes: cannot write {trouble}",
        _ when keeps && Part(now) >= NearlyFull => $"{Part(now)} % full",
        _ => "",
    };

    private IEnumerable<AshlarError> Alarms(EngineFigures? before, EngineFigures now)
    {
        if (keeps)
        {
            var part = Part(now);
            if (part >= NearlyFull && !_full)
            {
                yield return EngineErrors.NearlyFull(tier, instance, now.Memory, now.MemoryLimit);
            }

            _full = part >= NearlyFull || (_full && part > RoomAgain);
            if (now.Evictions > (before?.Evictions ?? 0))
            {
                yield return EngineErrors.Evicted(tier, instance, now.Evictions - (before?.Evictions ?? 0));
            }

            if (now.WriteTrouble is { } trouble && before?.WriteTrouble is null)
            {
                yield return EngineErrors.LogNotWritten(tier, instance, trouble);
            }
        }

        if (before is not null && now.Rejected > before.Rejected && _quiet == 0)
        {
            _quiet = QuietSeconds;
            yield return EngineErrors.Rejected(tier, instance, now.Rejected - before.Rejected, now.Connections);
        }
    }

    private static long Part(EngineFigures now) => now.MemoryLimit > 0 ? 100 * now.Memory / now.MemoryLimit : 0;
}
