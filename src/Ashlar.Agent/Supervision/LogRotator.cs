using Ashlar.Agent.Hosting;
using Ashlar.Processes;

namespace Ashlar.Agent.Supervision;

/// <summary>Keeps every log of the stack within bounds, off the agent's loop.</summary>
internal sealed class LogRotator : IDisposable
{
    // A program that floods its output writes gigabytes in seconds; a look costs a few system calls a log.
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);
    private readonly StateFolder _state;
    private readonly TimeProvider _time;
    private readonly AgentLog _log;
    private readonly LogRotation _rotation = new();
    private readonly HashSet<string> _failing = [];
    private readonly Lock _rotating = new();
    private readonly ITimer _timer;

    public LogRotator(StateFolder state, TimeProvider time, AgentLog log)
    {
        (_state, _time, _log) = (state, time, log);
        _timer = time.CreateTimer(_ => RotateAll(), null, Interval, Interval);
    }

    /// <inheritdoc />
    public void Dispose() => _timer.Dispose();

    private void RotateAll()
    {
        // Copying a large log may take longer than that; the next turn then leaves it alone.
        if (!_rotating.TryEnter())
        {
            return;
        }

        try
        {
            foreach (var path in Directory.EnumerateFiles(_state.Logs, "*.log").Append(_state.AccessLog))
            {
                Rotate(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The folder is gone: there is nothing to rotate.
        }
        finally
        {
            _rotating.Exit();
        }
    }

    private void Rotate(string path)
    {
        try
        {
            _rotation.RotateIfDue(path, _time);
            _failing.Remove(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_failing.Add(path))
            {
                _log.Warning(LogEvent.LogNotRotated, $"{path} is due for rotation but stays as it is: {e.Message}");
            }
        }
    }
}
