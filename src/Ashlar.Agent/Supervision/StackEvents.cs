using Ashlar.Monitoring;

namespace Ashlar.Agent.Supervision;

/// <summary>Writes down what happens to the stack, for the marks in charts. An event that cannot be written is lost, and nothing else.</summary>
internal sealed class StackEvents(EventFile file, TimeProvider time)
{
    /// <summary>Writes an event.</summary>
    /// <param name="kind">One of <see cref="StackEventKinds"/>.</param>
    /// <param name="subject">What it is about.</param>
    /// <param name="text">What happened, in words.</param>
    public void Add(string kind, string subject, string text) => file.Add(new StackEvent(time.GetUtcNow(), kind, subject, text));
}
