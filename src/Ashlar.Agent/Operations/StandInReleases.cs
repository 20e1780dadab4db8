using System.Collections.Immutable;
using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Stack;

namespace Ashlar.Agent.Operations;

internal sealed class StandInReleases(AgentOptions options) : IReleases
{
    private ImmutableSortedDictionary<string, string> _vars = ImmutableSortedDictionary<string, string>.Empty;
    private int _number;

    public ImmutableSortedDictionary<string, string> ConfigVars => _vars;

    public Task<(ReleaseInfo Release, bool Changed)> PrepareAsync(StackDefinition stack, string current, Action<string> progress, CancellationToken cancellation) =>
        Task.FromResult((Load($"v{++_number}"), true));

    public Task<(ReleaseInfo Release, bool Changed)> PreviewAsync(StackDefinition stack, string current, Action<string> progress, CancellationToken cancellation) =>
        Task.FromResult((Load($"v{_number + 1}"), true));

    public Task<ReleaseInfo?> ConfigureAsync(string current, ImmutableSortedDictionary<string, string?> changes, Action<string> progress, CancellationToken cancellation) =>
        Task.FromResult<ReleaseInfo?>(null);

    public Task<ReleaseInfo> RollbackAsync(string current, string? to, Action<string> progress, CancellationToken cancellation) => Task.FromResult(Load("v1"));

    public ReleaseInfo Load(string name) => new(
        name, options.StackFolder, StackLoader.Load(options.StackFolder).Require(), ImmutableSortedDictionary<string, string>.Empty, _vars);

    public ImmutableArray<ReleaseReport> List(string current) => [];

    public Task SucceededAsync(string name, IReadOnlySet<string> inUse) => Task.CompletedTask;

    public Task FailedAsync(string name) => Task.CompletedTask;
}
