namespace Ashlar.Edge.Balancing;

/// <summary>What became of a request for an instance.</summary>
public enum AcquireResult
{
    /// <summary>An instance is taken; give it back with <see cref="ServiceTarget.Release"/>.</summary>
    Acquired,

    /// <summary>None is free now, but one may become so: wait with <see cref="ServiceTarget.Enqueue"/>, or answer 503.</summary>
    Full,

    /// <summary>None runs and none is coming: answer 503 at once.</summary>
    None,
}

/// <summary>How the use of an instance ended, told with <see cref="ServiceTarget.Release"/>.</summary>
public enum Outcome
{
    /// <summary>It answered, whatever the status.</summary>
    Answered,

    /// <summary>Its endpoint refused the connection: nothing listens there.</summary>
    Refused,

    /// <summary>No connection came about for another reason (time, unreachable, reset during connect).</summary>
    ConnectFailed,

    /// <summary>No connection to its machine came about, so none of the machine's instances can be asked.</summary>
    MachineFailed,

    /// <summary>The connection broke, or no answer came in time, after it had been made.</summary>
    Broken,

    /// <summary>It was not asked after all, or the client left before it answered.</summary>
    Abandoned,
}

/// <summary>Why a waiter was woken.</summary>
public enum WaitResult
{
    /// <summary>It holds an instance now.</summary>
    Granted,

    /// <summary>It waited as long as the service allows.</summary>
    TimedOut,

    /// <summary>The service has been stopped or removed.</summary>
    None,
}
