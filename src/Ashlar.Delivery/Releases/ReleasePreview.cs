using System.Collections.Immutable;
using System.Globalization;
using Ashlar.Delivery.Contents;

namespace Ashlar.Delivery.Releases;

/// <summary>A release that has not been made: what it would be, and what making it would do.</summary>
/// <param name="Release">The release; with nothing changed, the one that runs.</param>
/// <param name="Changed">False: nothing would be made.</param>
/// <param name="Making">What would be copied and built, a line each, in order.</param>
/// <param name="Command">The stack's release command, if it would run.</param>
public sealed record ReleasePreview(Release Release, bool Changed, ImmutableArray<string> Making, string? Command)
{
    /// <summary>The preview of a plan.</summary>
    internal static ReleasePreview Of(ReleasePlan plan)
    {
        var release = plan.Release;
        if (!plan.Changed)
        {
            return new ReleasePreview(release, false, [], null);
        }

        var command = release.Stack.Release is { Length: > 0 } wanted ? wanted : null;
        if (plan.Content is not { } content)
        {
            return new ReleasePreview(release, true, [$"make {release.Name} with the build of {Path.GetFileName(release.Folder)}"], command);
        }

        var files = content.Entries.Count(entry => entry.Status.Kind == FileKind.File);
        var builds = release.Stack.Services.Where(service => service.Build is { Length: > 0 }).Select(service => $"build {service.Name}: {service.Build}");
        return new ReleasePreview(release, true, [string.Create(CultureInfo.InvariantCulture, $"copy {files:N0} file{(files == 1 ? "" : "s")} to {release.Name}"), .. builds], command);
    }
}
