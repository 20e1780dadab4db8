using System.Collections.Immutable;
using Ashlar.Delivery.Contents;
using Ashlar.Stack;

namespace Ashlar.Delivery.Releases;

/// <summary>Decides what the next release is: the one that runs, one that shares its folder, or one to be copied and built.</summary>
/// <param name="stateFolder">The stack's <c>.ashlar</c> folder.</param>
/// <param name="records">The releases there are.</param>
/// <param name="time">Clock.</param>
internal sealed class ReleasePlanner(string stateFolder, ReleaseRecords records, TimeProvider time)
{
    private readonly string _releasesFolder = ReleaseFolder.AllOf(stateFolder);

    /// <summary>Plans the release of a stack as its folder is now.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="sources">Folder that holds its files now.</param>
    /// <param name="configVars">Config vars of the release.</param>
    /// <param name="description">Why, for people.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="Errors.AshlarException">ASH5003, ASH5008.</exception>
    public async Task<ReleasePlan> PlanAsync(
        StackDefinition stack, string sources, ImmutableSortedDictionary<string, string> configVars, string description, CancellationToken cancellation)
    {
        foreach (var (name, value) in configVars)
        {
            ConfigVars.Check(name, value);
        }

        configVars = ConfigVars.WithGenerated(stack, configVars);
        ConfigVars.CheckRequired(stack, configVars);
        var content = ContentHash.Compute(stack, sources, Path.Combine(stateFolder, "content-hashes"), time, cancellation);
        var current = await records.CurrentAsync(cancellation).ConfigureAwait(false);
        if (current is not null && current.Tree == content.Tree && SameBuilds(current.Stack, stack) && Directory.Exists(current.Folder))
        {
            if (ConfigVars.Same(current.ConfigVars, configVars) && StackJson.Serialize(current.Stack) == StackJson.Serialize(stack))
            {
                return new ReleasePlan(current, false, null);
            }

            var settings = current with { Description = description, ConfigVars = configVars, Stack = stack, Contents = content.Services };
            return new ReleasePlan(await NumberedAsync(settings, cancellation).ConfigureAwait(false), true, null);
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
        return new ReleasePlan(release with { Folder = Path.Combine(_releasesFolder, release.Name) }, true, content);
    }

    /// <summary>The release under a new number: above all that ever were, also if the store was lost and only the folders are left.</summary>
    public async Task<Release> NumberedAsync(Release release, CancellationToken cancellation)
    {
        var highest = Math.Max(await records.LastNumberAsync(cancellation).ConfigureAwait(false), ReleaseFolder.NumbersIn(stateFolder).DefaultIfEmpty().Max());
        return release with { Number = highest + 1, Created = time.GetUtcNow(), Failure = "" };
    }

    private static bool SameBuilds(StackDefinition a, StackDefinition b) =>
        a.Directory == b.Directory
        && a.User == b.User // the folder belongs to the user that it was made for
        && a.Services.Select(service => (service.Name, service.Build, service.Folder))
            .SequenceEqual(b.Services.Select(service => (service.Name, service.Build, service.Folder)));
}

/// <summary>What <see cref="ReleasePlanner"/> has decided.</summary>
/// <param name="Release">The release to be made.</param>
/// <param name="Changed">False: it runs already.</param>
/// <param name="Content">What to copy; null: it shares the folder of an earlier one.</param>
internal sealed record ReleasePlan(Release Release, bool Changed, Content? Content);
