using Ashlar.Catalog;

namespace Ashlar.Agent.Reconciling;

/// <summary>One thing to do next. Carrying it out changes what is observed; the next pass goes on from there.</summary>
internal abstract record Step
{
    /// <summary>The step in words, for a dry run and the agent's log.</summary>
    public abstract string Describe();

    /// <summary>Start a new generation.</summary>
    public sealed record Start(DesiredInstance Instance) : Step
    {
        /// <inheritdoc />
        public override string Describe() => Instance.Release.Length == 0 ? $"start {Instance.Name}" : $"start {Instance.Name} ({Instance.Release})";
    }

    /// <summary>Start an instance again that waits (backoff) or was never started, as the same generation.</summary>
    public sealed record Restart(string Id, DesiredInstance Instance) : Step
    {
        /// <inheritdoc />
        public override string Describe() => $"start {Instance.Name} again";
    }

    /// <summary>Give it nothing new and let it finish what it has.</summary>
    public sealed record MarkDraining(string Id) : Step
    {
        /// <inheritdoc />
        public override string Describe() => $"drain {NameOf(Id)}";
    }

    /// <summary>SIGTERM to its group.</summary>
    public sealed record Stop(string Id) : Step
    {
        /// <inheritdoc />
        public override string Describe() => $"stop {NameOf(Id)}";
    }

    /// <summary>SIGKILL to its group.</summary>
    public sealed record Kill(string Id) : Step
    {
        /// <inheritdoc />
        public override string Describe() => $"kill {NameOf(Id)}";
    }

    /// <summary>SIGTERM to a group that has been unhealthy for too long; its end counts as a crash, after which it is started again.</summary>
    public sealed record Recycle(string Id) : Step
    {
        /// <inheritdoc />
        public override string Describe() => $"restart {NameOf(Id)}, which hangs";
    }

    /// <summary>It has no process and is not wanted: drop the record of it, and its port with it.</summary>
    public sealed record Forget(string Id) : Step
    {
        /// <inheritdoc />
        public override string Describe() => $"forget {NameOf(Id)}";
    }

    private static string NameOf(string id) => id[..id.IndexOf('/', StringComparison.Ordinal)];
}
