using System.Collections.Immutable;
using Ashlar.Agent.Api;
using Ashlar.Stack;

namespace Ashlar.Agent.Operations;

/// <summary>A release as the agent needs it.</summary>
internal sealed record ReleaseInfo(
    string Name, string Folder, StackDefinition Stack, ImmutableSortedDictionary<string, string> Contents, ImmutableSortedDictionary<string, string> ConfigVars);

/// <summary>Stand-in until Delivery lands.</summary>
internal interface IReleases
{
    Task<(ReleaseInfo Release, bool Changed)> PrepareAsync(StackDefinition stack, string current, Action<string> progress, CancellationToken cancellation);

    Task<(ReleaseInfo Release, bool Changed)> PreviewAsync(StackDefinition stack, string current, Action<string> progress, CancellationToken cancellation);

    Task<ReleaseInfo?> ConfigureAsync(string current, ImmutableSortedDictionary<string, string?> changes, Action<string> progress, CancellationToken cancellation);

    Task<ReleaseInfo> RollbackAsync(string current, string? to, Action<string> progress, CancellationToken cancellation);

    ReleaseInfo Load(string name);

    ImmutableSortedDictionary<string, string> ConfigVars { get; }

    ImmutableArray<ReleaseReport> List(string current);

    Task SucceededAsync(string name, IReadOnlySet<string> inUse);

    Task FailedAsync(string name);
}
