using Ashlar.Agent.Hosting;
using Ashlar.Processes;

namespace Ashlar.Agent.Supervision;

/// <summary>Keeps every log of the stack within bounds, and notes when it grew. For one thread.</summary>
internal sealed class LogRotator(StateFolder state, TimeProvider time, AgentLog log)
{
    // A program that floods its output writes gigabytes in seconds: its log is looked at more often from this growth on.
    private const long Flood = 8 << 20;
    private readonly LogRotation _rotation = new();
    private readonly LogClock _clock = new(time);
    private readonly Dictionary<string, long> _lengths = [];
    private readonly HashSet<string> _failing = [];

    /// <summary>Rotates what is due.</summary>
    /// <returns>True: a log grows so fast that it should be looked at again soon.</returns>
    public bool RotateAll()
    {
        try
        {
            var flooded = false;
            foreach (var path in Directory.EnumerateFiles(state.Logs, "*.log").Append(state.AccessLog))
            {
                flooded |= Rotate(path);
            }

            return flooded;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The folder is gone: there is nothing to rotate.
            return false;
        }
    }

    private bool Rotate(string path)
    {
        var flooded = false;
        try
        {
            if (new FileInfo(path) is { Exists: true } file)
            {
                flooded = file.Length - _lengths.GetValueOrDefault(path) > Flood;
                _lengths[path] = file.Length;
                if (path != state.AccessLog) // Its lines have times of their own.
                {
                    _clock.Note(file);
                }

                if (_rotation.RotateIfDue(path, time))
                {
                    _lengths[path] = 0;
                    _clock.Forget(path);
                }
            }

            _failing.Remove(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_failing.Add(path))
            {
                log.Warning(LogEvent.LogNotRotated, $"{path} is due for rotation but stays as it is: {e.Message}");
            }
        }

        return flooded;
    }
}
