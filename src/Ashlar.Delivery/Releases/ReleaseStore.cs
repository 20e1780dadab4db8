using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ashlar.Catalog.Store;
using Ashlar.Delivery.Contents;
using Ashlar.Delivery.Plans;
using Ashlar.Errors;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Delivery.Releases;

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
    /// <summary>Good releases that are kept, the current one among them.</summary>
    public const int Kept = 5;

    private const int KeptRecords = 100;
    private const int GeneratedBytes = 32;
    private const int LongestVariable = 32 << 10;
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly ReleaseRecords _records = new(store);
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly string _stackKey = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(stateFolder)))[..8];

    private string ReleasesFolder => Path.Combine(stateFolder, "releases");

    private string HashCachePath => Path.Combine(stateFolder, "content-hashes");

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
                    await launcher.SweepAsync(TagOf(release.Number)).ConfigureAwait(false);
                    await FailAsync(release, "the agent ended while it was built").ConfigureAwait(false);
                }
            }

            ReleaseFolder.RemoveRubbish(ReleasesFolder);
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
    /// <param name="cancellation">Stops it, with what it runs; nothing is left.</param>
    /// <exception cref="AshlarException">ASH50xx: nothing that runs was touched.</exception>
    public Task<PreparedRelease> PrepareAsync(
        StackDefinition stack,
        ImmutableSortedDictionary<string, string> configVars,
        string description,
        SystemUser? user,
        Action<string> progress,
        CancellationToken cancellation = default) => InTurnAsync(
        async () =>
        {
            var plan = await PlanAsync(stack, configVars, description, cancellation).ConfigureAwait(false);
            return plan.Changed
                ? new PreparedRelease(await MakeAsync(plan, user, progress, cancellation).ConfigureAwait(false), true)
                : new PreparedRelease(plan.Release, false);
        },
        cancellation);

    /// <summary>What <see cref="PrepareAsync"/> would give; makes nothing.</summary>
    /// <exception cref="AshlarException">ASH5003, ASH5008.</exception>
    public Task<PreparedRelease> PreviewAsync(
        StackDefinition stack, ImmutableSortedDictionary<string, string> configVars, CancellationToken cancellation = default) => InTurnAsync(
        async () =>
        {
            var plan = await PlanAsync(stack, configVars, "up", cancellation).ConfigureAwait(false);
            return new PreparedRelease(plan.Release, plan.Changed);
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
        var variables = (await GetConfigVarsAsync(cancellation).ConfigureAwait(false)).ToBuilder();
        foreach (var (name, value) in changes)
        {
            CheckVariable(name, value);
            if (value is null)
            {
                variables.Remove(name);
            }
            else
            {
                variables[name] = value;
            }
        }

        var current = await CurrentAsync(cancellation).ConfigureAwait(false);
        if (current is null)
        {
            await _records.SetConfigVarsAsync(variables.ToImmutable(), cancellation).ConfigureAwait(false);
            return null;
        }

        // Of the release that runs, not of the folder as it is now: who sets a variable does not ask for a deploy.
        var set = changes.Where(change => change.Value is not null).Select(change => change.Key).ToArray();
        var unset = changes.Where(change => change.Value is null).Select(change => change.Key).ToArray();
        string[] parts = [.. set.Length > 0 ? [$"set {string.Join(", ", set)}"] : (string[])[], .. unset.Length > 0 ? [$"unset {string.Join(", ", unset)}"] : (string[])[]];
        return await InTurnAsync(
            async () =>
            {
                var next = variables.ToImmutable();
                if (Same(next, current.ConfigVars))
                {
                    return new PreparedRelease(current, false);
                }

                CheckRequired(current.Stack, next);
                var release = current with { Description = $"config: {string.Join("; ", parts)}", ConfigVars = next };
                var plan = new Plan(await NumberedAsync(release, cancellation).ConfigureAwait(false), true, null);
                return new PreparedRelease(await MakeAsync(plan, user, progress, cancellation).ConfigureAwait(false), true);
            },
            cancellation).ConfigureAwait(false);
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

            var release = await NumberedAsync(
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
    /// that a kept release shares stays.
    /// </summary>
    /// <param name="inUse">Names of releases that instances run; their folders stay whatever else holds.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>Names of the releases that can no longer be gone back to.</returns>
    public Task<ImmutableArray<string>> PruneAsync(IReadOnlySet<string> inUse, CancellationToken cancellation = default) => InTurnAsync(
        async () =>
        {
            var all = await _records.ListAsync(cancellation).ConfigureAwait(false);
            var keptGood = all.Where(CanRun).Reverse().Take(Kept).Select(release => release.Name).ToHashSet(StringComparer.Ordinal);
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
                    TryRemove(release.Folder);
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

    /// <inheritdoc />
    public void Dispose() => _turn.Dispose();

    private async Task<Plan> PlanAsync(
        StackDefinition stack, ImmutableSortedDictionary<string, string> configVars, string description, CancellationToken cancellation)
    {
        foreach (var (name, value) in configVars)
        {
            CheckVariable(name, value);
        }

        configVars = WithGenerated(stack, configVars);
        CheckRequired(stack, configVars);
        var content = ContentHash.Compute(stack, HashCachePath, _time, cancellation);
        var current = await CurrentAsync(cancellation).ConfigureAwait(false);
        if (current is not null && current.Tree == content.Tree && SameBuilds(current.Stack, stack) && Directory.Exists(current.Folder))
        {
            if (Same(current.ConfigVars, configVars) && StackJson.Serialize(current.Stack) == StackJson.Serialize(stack))
            {
                return new Plan(current, false, null);
            }

            var settings = current with { Description = description, ConfigVars = configVars, Stack = stack, Contents = content.Services };
            return new Plan(await NumberedAsync(settings, cancellation).ConfigureAwait(false), true, null);
        }

        var release = new Release
        {
            Number = 0,
            Created = default,
            Description = description,
            Status = ReleaseStatus.Building,
            Folder = "",
            Stack = stack,
            ConfigVars = configVars,
            Contents = content.Services,
            Tree = content.Tree,
        };
        release = await NumberedAsync(release, cancellation).ConfigureAwait(false);
        return new Plan(release with { Folder = Path.Combine(ReleasesFolder, release.Name) }, true, content);
    }

    private async Task<Release> MakeAsync(Plan plan, SystemUser? user, Action<string> progress, CancellationToken cancellation)
    {
        var release = plan.Release with { Status = ReleaseStatus.Building, Failure = "" };
        await _records.AddAsync(release, cancellation).ConfigureAwait(false);
        try
        {
            if (plan.Content is { } content)
            {
                release = await BuildAsync(release, content, user, progress, cancellation).ConfigureAwait(false);
            }

            if (release.Stack.Release is { Length: > 0 } command)
            {
                progress($"{release.Name}: release command: {command}");
                var step = Step(release, null, command, user);
                var (exit, lines) = await step.RunAsync(launcher, progress, cancellation).ConfigureAwait(false);
                if (!exit.Success)
                {
                    throw DeliveryErrors.ReleaseCommandFailed(release.Name, command, exit.ToString(), step.Log, lines);
                }
            }

            release = release with { Status = ReleaseStatus.Prepared };
            await _records.UpdateAsync([release], cancellation).ConfigureAwait(false);
            return release;
        }
        catch (Exception e)
        {
            try
            {
                var reason = e is AshlarException known ? FirstLine(known.Error.Message) : e is OperationCanceledException ? "cancelled" : e.Message;
                await FailAsync(release, reason).ConfigureAwait(false);
            }
            catch (AshlarException)
            {
                // The store is full as well: the record stays as building, which the agent's next start mends.
            }

            throw;
        }
    }

    private async Task<Release> BuildAsync(
        Release release, Content content, SystemUser? user, Action<string> progress, CancellationToken cancellation)
    {
        var files = content.Entries.Count(entry => entry.Status.Kind == FileKind.File);
        progress(string.Create(CultureInfo.InvariantCulture, $"{release.Name}: copying {files:N0} files"));
        MakeReleasesFolder();
        var owner = user is not null && SystemUsers.IsRoot ? user : null;
        await Task.Run(
            () => ReleaseFolder.Copy(release.Stack.Directory, content.Entries, release.Folder, release.Name, owner, cancellation), cancellation)
            .ConfigureAwait(false);
        foreach (var service in release.Stack.Services)
        {
            if (service.Build is not { Length: > 0 } command)
            {
                continue;
            }

            progress($"{release.Name}: building {service.Name}: {command}");
            var step = Step(release, service, command, user);
            var (exit, lines) = await step.RunAsync(launcher, progress, cancellation).ConfigureAwait(false);
            if (!exit.Success)
            {
                throw DeliveryErrors.BuildFailed(release.Name, service.Name, command, exit.ToString(), step.Log, lines);
            }
        }

        return release;
    }

    private BuildStep Step(Release release, ServiceDefinition? service, string command, SystemUser? user)
    {
        var logs = Directory.CreateDirectory(Path.Combine(stateFolder, "logs")).FullName;
        var home = Path.Combine(stateFolder, "build-home");
        if (user is not null && !Directory.Exists(home))
        {
            ReleaseFolder.Make(home, release.Name, SystemUsers.IsRoot ? user : null);
        }

        return new BuildStep(
            command,
            service is null ? "release" : $"build {service.Name}",
            service is null ? release.Folder : Path.Combine(release.Folder, service.Folder),
            ServiceEnvironment.Of(ServiceEnvironment.FromAgent(), release.Stack, service, release.ConfigVars, release.Name).ToImmutable(),
            user,
            home,
            Path.Combine(logs, $"release-{release.Name}.log"),
            TagOf(release.Number));
    }

    private void MakeReleasesFolder()
    {
        try
        {
            // Others may pass through to the release that is theirs, and see nothing.
            const UnixFileMode passable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
            Directory.CreateDirectory(ReleasesFolder, passable);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw DeliveryErrors.FolderUnusable(ReleasesFolder, e.Message.TrimEnd('.'), e);
        }
    }

    private async Task FailAsync(Release release, string reason)
    {
        var all = await _records.ListAsync(CancellationToken.None).ConfigureAwait(false);
        if (release.Folder.Length > 0 && !all.Exists(other => other.Number != release.Number && other.Folder == release.Folder))
        {
            TryRemove(release.Folder);
        }

        await _records.UpdateAsync([release with { Status = ReleaseStatus.Failed, Failure = reason }], CancellationToken.None).ConfigureAwait(false);
    }

    private static void TryRemove(string folder)
    {
        try
        {
            ReleaseFolder.Remove(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What cannot be removed now is tried again when the agent starts; no release stands on it.
        }
    }

    // A number above all that ever were, also if the store was lost and only the folders are left.
    private async Task<Release> NumberedAsync(Release release, CancellationToken cancellation)
    {
        var highest = await _records.LastNumberAsync(cancellation).ConfigureAwait(false);
        if (Directory.Exists(ReleasesFolder))
        {
            foreach (var folder in Directory.EnumerateDirectories(ReleasesFolder, "v*"))
            {
                if (int.TryParse(Path.GetFileName(folder.AsSpan())[1..], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                {
                    highest = Math.Max(highest, number);
                }
            }
        }

        return release with { Number = highest + 1, Created = _time.GetUtcNow(), Failure = "" };
    }

    private static ImmutableSortedDictionary<string, string> WithGenerated(
        StackDefinition stack, ImmutableSortedDictionary<string, string> configVars) =>
        stack.GeneratedVariables.Aggregate(
            configVars,
            (variables, name) => variables.ContainsKey(name)
                ? variables
                : variables.Add(name, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(GeneratedBytes))));

    private static void CheckRequired(StackDefinition stack, ImmutableSortedDictionary<string, string> configVars)
    {
        var missing = stack.RequiredVariables.Where(name => !configVars.ContainsKey(name)).ToArray();
        if (missing.Length > 0)
        {
            throw DeliveryErrors.VariablesMissing(missing);
        }
    }

    private static void CheckVariable(string name, string? value)
    {
        if (name.Length == 0 || char.IsAsciiDigit(name[0]) || !name.All(c => c == '_' || char.IsAsciiLetterOrDigit(c)))
        {
            throw DeliveryErrors.BadVariable(name, "that is no name of a variable");
        }

        if (value is not null && (value.Contains('\0') || value.Length > LongestVariable))
        {
            throw DeliveryErrors.BadVariable(name, $"its value holds a NUL or more than {LongestVariable} characters");
        }
    }

    private async Task<Release> RequireAsync(string name, CancellationToken cancellation) =>
        await GetAsync(name, cancellation).ConfigureAwait(false) ?? throw DeliveryErrors.UnknownRelease(name, []);

    private static bool CanRun(Release release) => release.Status is ReleaseStatus.Current or ReleaseStatus.Good;

    private static bool SameBuilds(StackDefinition a, StackDefinition b) =>
        a.Directory == b.Directory
        && a.Services.Select(service => (service.Name, service.Build, service.Folder))
            .SequenceEqual(b.Services.Select(service => (service.Name, service.Build, service.Folder)));

    private static bool Same(ImmutableSortedDictionary<string, string> a, ImmutableSortedDictionary<string, string> b) =>
        a.Count == b.Count && a.All(pair => b.TryGetValue(pair.Key, out var value) && value == pair.Value);

    // Another stack of this machine may build a release of the same number: its processes are not strays of ours.
    private string TagOf(int number) => $"{_stackKey}-release-{Release.NameOf(number)}";

    private static string Show(ReleaseStatus status) => status.ToString().ToLowerInvariant();

    private static string FirstLine(string text) => text.Split('\n')[0];

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

    /// <param name="Release">The release to be made.</param>
    /// <param name="Changed">False: it runs already.</param>
    /// <param name="Content">What to copy; null: it shares the folder of an earlier one.</param>
    private sealed record Plan(Release Release, bool Changed, Content? Content);
}
