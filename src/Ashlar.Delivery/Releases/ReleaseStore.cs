using System.Collections.Immutable;
using System.Globalization;
using Ashlar.Catalog.Store;
using Ashlar.Errors;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Delivery.Releases;

/// <summary>Has the data tiers of a release ready, and says what they add to the environment of its release command.</summary>
/// <param name="release">The release.</param>
public delegate Task<ImmutableSortedDictionary<string, string>> Backing(Release release);

/// <summary>
/// The releases of a stack: folders under <c>.ashlar/releases</c>, records and config vars in the store. A release is prepared
/// (copied, built, release command run), then made current or failed by whoever rolls it. One preparation at a time.
/// </summary>
/// <param name="stateFolder">The stack's <c>.ashlar</c> folder; it exists.</param>
/// <param name="store">Records and config vars.</param>
/// <param name="launcher">Starts the commands.</param>
/// <param name="time">Clock.</param>
public sealed class ReleaseStore(string stateFolder, IStore store, ProcessLauncher launcher, TimeProvider? time = null) : IDisposable
{
    /// <summary>Builds that can be gone back to, the one that runs among them: releases that share a folder count once.</summary>
    public const int Kept = 5;

    /// <summary>Releases of one folder, which differ in their settings alone, that can be gone back to.</summary>
    public const int KeptOfFolder = 5;

    private const int KeptRecords = 100;

    /// <summary>What the release command stands on.</summary>
    public Backing Backing
    {
        get => _maker.Backing;
        set => _maker.Backing = value;
    }

    private readonly ReleaseRecords _records = new(store, ReleaseFolder.AllOf(stateFolder));
    private readonly ReleasePlanner _planner = new(stateFolder, new ReleaseRecords(store, ReleaseFolder.AllOf(stateFolder)), time ?? TimeProvider.System);
    private readonly ReleaseMaker _maker = new(stateFolder, new ReleaseRecords(store, ReleaseFolder.AllOf(stateFolder)), launcher);
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>
    /// Cleans up after an agent that was killed: ends builds that still run, removes their folders and marks their releases failed.
    /// To be called once when the agent starts.
    /// </summary>
    public Task RecoverAsync(CancellationToken cancellation = default) => InTurnAsync(
        async () =>
        {
            foreach (var release in await _records.ListAsync(cancellation).ConfigureAwait(false))
            {
                if (release.Status == ReleaseStatus.Building)
                {
                    await _maker.SweepAsync(release).ConfigureAwait(false);
                    await _maker.FailAsync(release, "the agent ended while it was built").ConfigureAwait(false);
                }
            }

            ReleaseFolder.RemoveRubbish(ReleaseFolder.AllOf(stateFolder));
            return true;
        },
        cancellation);

    /// <summary>
    /// Makes a release of the stack as its folder is now. The one that runs is given back if nothing has changed; if only settings have,
    /// a new one shares its folder; else the folder is copied and built. Then the stack's release command runs once.
    /// </summary>
    /// <param name="stack">The stack.</param>
    /// <param name="configVars">Config vars of the new release; see <see cref="GetConfigVarsAsync"/>.</param>
    /// <param name="description">Why, for people.</param>
    /// <param name="user">User that the services run as; null: ours.</param>
    /// <param name="progress">Told what happens, a line each.</param>
    /// <param name="sources">Folder that holds the stack's files now; null: its own.</param>
    /// <param name="cancellation">Stops it, with what it runs; nothing is left.</param>
    /// <exception cref="AshlarException">ASH50xx: nothing that runs was touched.</exception>
    public Task<PreparedRelease> PrepareAsync(
        StackDefinition stack,
        ImmutableSortedDictionary<string, string> configVars,
        string description,
        SystemUser? user,
        Action<string> progress,
        string? sources = null,
        CancellationToken cancellation = default) => InTurnAsync(
        async () =>
        {
            var plan = await _planner.PlanAsync(stack, sources ?? stack.Directory, configVars, description, cancellation).ConfigureAwait(false);
            return plan.Changed
                ? new PreparedRelease(await _maker.MakeAsync(plan, user, progress, cancellation).ConfigureAwait(false), true)
                : new PreparedRelease(plan.Release, false);
        },
        cancellation);

    /// <summary>What <see cref="PrepareAsync"/> would give; makes nothing.</summary>
    /// <exception cref="AshlarException">ASH5003, ASH5008.</exception>
    public Task<ReleasePreview> PreviewAsync(
        StackDefinition stack, ImmutableSortedDictionary<string, string> configVars, string? sources = null, CancellationToken cancellation = default) => InTurnAsync(
        async () =>
        {
            var plan = await _planner.PlanAsync(stack, sources ?? stack.Directory, configVars, "up", cancellation).ConfigureAwait(false);
            return ReleasePreview.Of(plan);
        },
        cancellation);

    /// <summary>
    /// Changes config vars (null unsets) by a new release of the stack that runs, which has the new ones once it is current. Before the
    /// first release they are only kept: null is given back.
    /// </summary>
    /// <exception cref="AshlarException">ASH50xx.</exception>
    public async Task<PreparedRelease?> ConfigureAsync(
        ImmutableSortedDictionary<string, string?> changes, SystemUser? user, Action<string> progress, CancellationToken cancellation = default)
    {
        var next = ConfigVars.Change(await GetConfigVarsAsync(cancellation).ConfigureAwait(false), changes);
        var current = await CurrentAsync(cancellation).ConfigureAwait(false);
        if (current is null)
        {
            await _records.SetConfigVarsAsync(next, cancellation).ConfigureAwait(false);
            return null;
        }

        // Of the release that runs, not of the folder as it is now: who sets a variable does not ask for a deploy.
        return await InTurnAsync(
            async () =>
            {
                if (ConfigVars.Same(next, current.ConfigVars))
                {
                    return new PreparedRelease(current, false);
                }

                ConfigVars.CheckRequired(current.Stack, next);
                var release = current with { Description = $"config: {ConfigVars.Describe(changes)}", ConfigVars = next };
                var plan = new ReleasePlan(await _planner.NumberedAsync(release, cancellation).ConfigureAwait(false), true, null);
                return new PreparedRelease(await _maker.MakeAsync(plan, user, progress, cancellation).ConfigureAwait(false), true);
            },
            cancellation).ConfigureAwait(false);
    }

    /// <summary>Changes config vars (null unsets) and makes no release: the next one has them.</summary>
    /// <returns>False: they were so already.</returns>
    /// <exception cref="AshlarException">ASH5009, ASH5010.</exception>
    public async Task<bool> KeepAsync(ImmutableSortedDictionary<string, string?> changes, CancellationToken cancellation = default)
    {
        var present = await GetConfigVarsAsync(cancellation).ConfigureAwait(false);
        var next = ConfigVars.Change(present, changes);
        if (ConfigVars.Same(next, present))
        {
            return false;
        }

        await _records.SetConfigVarsAsync(next, cancellation).ConfigureAwait(false);
        return true;
    }

    /// <summary>
    /// A new release that is an earlier one again, with its folder, settings and config vars. The release command does not run: a way back
    /// must not depend on it.
    /// </summary>
    /// <param name="name"><c>v9</c>; null: the good one before the current.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="AshlarException">ASH5006, ASH5007.</exception>
    public Task<Release> RollbackAsync(string? name, CancellationToken cancellation = default) => InTurnAsync(
        async () =>
        {
            var all = await _records.ListAsync(cancellation).ConfigureAwait(false);
            var current = await CurrentAsync(cancellation).ConfigureAwait(false);
            var possible = all.Where(CanRun).Where(release => release.Number != current?.Number).Reverse().ToArray();
            var names = possible.Select(release => release.Name);
            var target = name is null
                ? possible.FirstOrDefault(release => current is null || release.Number < current.Number)
                    ?? throw DeliveryErrors.NoWayBack("the release before", "there is none whose folder is kept", names)
                : all.FirstOrDefault(release => release.Name == name) ?? throw DeliveryErrors.UnknownRelease(name, names);
            if (target.Number == current?.Number)
            {
                throw DeliveryErrors.NoWayBack(target.Name, "it runs now", names);
            }

            if (!CanRun(target))
            {
                var reason = target.Status == ReleaseStatus.Pruned ? "its folder has been removed" : $"it has never run ({Show(target.Status)})";
                throw DeliveryErrors.NoWayBack(target.Name, reason, names);
            }

            var release = await _planner.NumberedAsync(
                target with { Description = $"rollback to {target.Name}", Status = ReleaseStatus.Prepared }, cancellation).ConfigureAwait(false);
            await _records.AddAsync(release, cancellation).ConfigureAwait(false);
            return release;
        },
        cancellation);

    /// <summary>All releases that are remembered, the newest first.</summary>
    public async Task<ImmutableArray<Release>> ListAsync(CancellationToken cancellation = default) =>
        [.. Enumerable.Reverse(await _records.ListAsync(cancellation).ConfigureAwait(false))];

    /// <summary>A release by its name; null if there is none.</summary>
    public async Task<Release?> GetAsync(string name, CancellationToken cancellation = default) =>
        name.StartsWith('v') && int.TryParse(name.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? await _records.GetAsync(number, cancellation).ConfigureAwait(false)
            : null;

    /// <summary>The release that was made current last; null before the first.</summary>
    public Task<Release?> CurrentAsync(CancellationToken cancellation = default) => _records.CurrentAsync(cancellation);

    /// <summary>The config vars that the next release has.</summary>
    public Task<ImmutableSortedDictionary<string, string>> GetConfigVarsAsync(CancellationToken cancellation = default) =>
        _records.GetConfigVarsAsync(cancellation);

    /// <summary>Its instances are healthy: it is the current release, and its config vars are the stack's.</summary>
    /// <exception cref="AshlarException">ASH5006.</exception>
    public Task MarkCurrentAsync(string name, CancellationToken cancellation = default) => InTurnAsync(
        async () =>
        {
            var release = await RequireAsync(name, cancellation).ConfigureAwait(false);
            var before = (await _records.ListAsync(cancellation).ConfigureAwait(false))
                .Where(other => other.Status == ReleaseStatus.Current && other.Number != release.Number)
                .Select(other => other with { Status = ReleaseStatus.Good });
            await _records.MakeCurrentAsync(release with { Status = ReleaseStatus.Current, Failure = "" }, before, cancellation).ConfigureAwait(false);
            return true;
        },
        cancellation);

    /// <summary>Its instances did not become healthy. Its folder is removed by the next <see cref="PruneAsync"/>.</summary>
    /// <exception cref="AshlarException">ASH5006.</exception>
    public Task MarkFailedAsync(string name, string reason, CancellationToken cancellation = default) => InTurnAsync(
        async () =>
        {
            var release = await RequireAsync(name, cancellation).ConfigureAwait(false);
            await _records.UpdateAsync([release with { Status = ReleaseStatus.Failed, Failure = reason }], cancellation).ConfigureAwait(false);
            return true;
        },
        cancellation);

    /// <summary>
    /// Removes the folders of old releases: all but the current one, the newest good ones, those not yet decided and those in use. A folder
    /// that a kept release shares stays, and counts once: changes of config vars do not push older code out.
    /// </summary>
    /// <param name="inUse">Names of releases that instances run; their folders stay whatever else holds.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>Names of the releases that can no longer be gone back to.</returns>
    public Task<ImmutableArray<string>> PruneAsync(IReadOnlySet<string> inUse, CancellationToken cancellation = default) => InTurnAsync(
        async () =>
        {
            var all = await _records.ListAsync(cancellation).ConfigureAwait(false);
            var keptGood = all.Where(CanRun).Reverse().GroupBy(release => release.Folder, StringComparer.Ordinal)
                .Take(Kept).SelectMany(ofFolder => ofFolder.Take(KeptOfFolder))
                .Select(release => release.Name).ToHashSet(StringComparer.Ordinal);
            var kept = all
                .Where(release => release.Status is ReleaseStatus.Building or ReleaseStatus.Prepared or ReleaseStatus.Current
                    || keptGood.Contains(release.Name) || inUse.Contains(release.Name))
                .ToArray();
            var keptFolders = kept.Select(release => release.Folder).ToHashSet(StringComparer.Ordinal);
            var pruned = new List<Release>();
            foreach (var release in all.Except(kept).Where(release => release.Status != ReleaseStatus.Pruned))
            {
                if (!keptFolders.Contains(release.Folder))
                {
                    ReleaseFolder.TryRemove(release.Folder);
                }

                // What it was is history; its secrets need not be.
                var status = release.Status == ReleaseStatus.Failed ? ReleaseStatus.Failed : ReleaseStatus.Pruned;
                if (release.Status != status || release.ConfigVars.Count > 0)
                {
                    pruned.Add(release with { Status = status, ConfigVars = ImmutableSortedDictionary<string, string>.Empty });
                }
            }

            foreach (var some in pruned.Chunk(StoreLimits.TransactionLength))
            {
                await _records.UpdateAsync(some, cancellation).ConfigureAwait(false);
            }

            var keptNumbers = kept.Select(release => release.Number).ToHashSet();
            var forgotten = all.SkipLast(KeptRecords).Where(release => !keptNumbers.Contains(release.Number));
            foreach (var some in forgotten.Chunk(StoreLimits.TransactionLength))
            {
                await _records.DeleteAsync(some, cancellation).ConfigureAwait(false);
            }

            return pruned.Where(release => release.Status == ReleaseStatus.Pruned).Select(release => release.Name).ToImmutableArray();
        },
        cancellation);

    /// <summary>
    /// Removes the folders on this machine that no release can run from any more, as the records say that another machine has written. What
    /// is newer than the current release stays: it may be on its way.
    /// </summary>
    /// <param name="inUse">Names of releases that instances run here; their folders stay whatever else holds.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>Names of the folders that are gone.</returns>
    public Task<ImmutableArray<string>> PruneHereAsync(IReadOnlySet<string> inUse, CancellationToken cancellation = default) => InTurnAsync(
        async () =>
        {
            var here = ReleaseFolder.NumbersIn(stateFolder);
            var all = await _records.ListAsync(cancellation).ConfigureAwait(false);
            if (await _records.CurrentAsync(cancellation).ConfigureAwait(false) is not { } current)
            {
                return [];
            }

            var kept = all.Where(release => release.Status is not (ReleaseStatus.Failed or ReleaseStatus.Pruned) || inUse.Contains(release.Name))
                .Select(release => Path.GetFileName(release.Folder)).Append(Path.GetFileName(current.Folder)).Concat(inUse).ToHashSet(StringComparer.Ordinal);
            var gone = here.Where(number => number < current.Number).Select(Release.NameOf).Where(name => !kept.Contains(name)).ToImmutableArray();
            foreach (var name in gone)
            {
                ReleaseFolder.TryRemove(Path.Combine(ReleaseFolder.AllOf(stateFolder), name));
            }

            return gone;
        },
        cancellation);

    /// <inheritdoc />
    public void Dispose() => _turn.Dispose();

    private async Task<Release> RequireAsync(string name, CancellationToken cancellation) =>
        await GetAsync(name, cancellation).ConfigureAwait(false) ?? throw DeliveryErrors.UnknownRelease(name, []);

    private static bool CanRun(Release release) => release.Status is ReleaseStatus.Current or ReleaseStatus.Good;

    private static string Show(ReleaseStatus status) => status.ToString().ToLowerInvariant();

    private async Task<T> InTurnAsync<T>(Func<Task<T>> action, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await action().ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }
}
