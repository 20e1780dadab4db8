namespace Ashlar.Monitoring;

/// <summary>Something that happened to the stack and stands as a mark in charts.</summary>
/// <param name="At">When.</param>
/// <param name="Kind">One of <see cref="StackEventKinds"/>.</param>
/// <param name="Subject">What it is about: <c>v12</c>, <c>web.1</c>, <c>web</c>.</param>
/// <param name="Text">What happened, in words.</param>
public sealed record StackEvent(DateTimeOffset At, string Kind, string Subject, string Text);

/// <summary>Kinds of events.</summary>
public static class StackEventKinds
{
    /// <summary>A release began to run, or failed to.</summary>
    public const string Release = "release";

    /// <summary>A process was started again, by order or after its end.</summary>
    public const string Restart = "restart";

    /// <summary>A process ended that should not have.</summary>
    public const string Crash = "crash";

    /// <summary>A number of instances was changed.</summary>
    public const string Scale = "scale";
}
