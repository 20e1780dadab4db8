using System.Globalization;
using Ashlar.Errors;

namespace Ashlar.Agent.Hosting;

/// <summary>How much a line of the log matters.</summary>
internal enum LogLevel
{
    /// <summary>What was done.</summary>
    Info,

    /// <summary>Something is not as it should be; it goes on.</summary>
    Warning,

    /// <summary>Something could not be done.</summary>
    Error,
}

/// <summary>What the agent says, a line an event: time, level, number of the event, text. Never throws.</summary>
/// <param name="output">Where it goes; the launcher points it to <c>agent.log</c>.</param>
/// <param name="time">Clock of the time stamps.</param>
internal sealed class AgentLog(TextWriter output, TimeProvider time)
{
    private readonly Lock _lock = new();

    public void Info(LogEvent id, string text) => Write(LogLevel.Info, id, text);

    public void Warning(LogEvent id, string text) => Write(LogLevel.Warning, id, text);

    public void Error(LogEvent id, string text) => Write(LogLevel.Error, id, text);

    public void Error(LogEvent id, AshlarError error) => Write(LogLevel.Error, id, error.ToString());

    public void Error(LogEvent id, string what, Exception exception) => Write(LogLevel.Error, id, $"{what}: {exception}");

    private void Write(LogLevel level, LogEvent id, string text)
    {
        var name = level switch { LogLevel.Info => "info", LogLevel.Warning => "warn", _ => "error" };
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {name} {(int)id} {text.ReplaceLineEndings("\n  ")}\n");
        try
        {
            lock (_lock)
            {
                output.Write(line);
                output.Flush();
            }
        }
        catch (IOException)
        {
            // A full disk must not stop the agent: what runs matters more than what is said about it.
        }
    }
}

/// <summary>Numbers of the agent's log lines; they never change their meaning.</summary>
internal enum LogEvent
{
    /// <summary>The agent has begun.</summary>
    Started = 1,

    /// <summary>The agent ends.</summary>
    Ended = 2,

    /// <summary>A signal came.</summary>
    Signal = 3,

    /// <summary>The agent becomes another program.</summary>
    Upgrade = 4,

    /// <summary>The agent is root and found no user to drop to.</summary>
    RunsAsRoot = 5,

    /// <summary>A log grows past its bound because it cannot be rotated.</summary>
    LogNotRotated = 6,

    /// <summary>A step of the reconciler is carried out.</summary>
    Step = 10,

    /// <summary>A step failed.</summary>
    StepFailed = 11,

    /// <summary>An instance changed its state.</summary>
    State = 12,

    /// <summary>A process ended.</summary>
    Exit = 13,

    /// <summary>A process of an earlier agent was taken over.</summary>
    Adopted = 14,

    /// <summary>Processes that no record names were ended.</summary>
    Strays = 15,

    /// <summary>Something about the stack's machines.</summary>
    Machine = 18,

    /// <summary>What looks after a tier's engines has something to say.</summary>
    Tier = 19,

    /// <summary>A tier said hello, or went.</summary>
    Channel = 20,

    /// <summary>A listening socket was opened, taken back or closed.</summary>
    Listener = 21,

    /// <summary>A tier reported something.</summary>
    Fact = 22,

    /// <summary>An order came over the API.</summary>
    Order = 30,

    /// <summary>An order failed.</summary>
    OrderFailed = 31,

    /// <summary>The store could not be written.</summary>
    Store = 40,

    /// <summary>A fault that should not be.</summary>
    Fault = 90,

    /// <summary>A certificate of the edge was made, renewed or could not be.</summary>
    Certificate = 91,
}
