using System.Collections.Immutable;
using Ashlar.Stack;

namespace Ashlar.Delivery.Releases;

/// <summary>An immutable build of the services with its settings.</summary>
public sealed record Release
{
    /// <summary>From 1; never given twice.</summary>
    public required int Number { get; init; }

    /// <summary>When it was begun.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>Why, for people: <c>up</c>, <c>config: set A, B</c>, <c>rollback to v9</c>.</summary>
    public required string Description { get; init; }

    /// <summary>How far it has come.</summary>
    public required ReleaseStatus Status { get; init; }

    /// <summary>Why it failed; empty if it did not.</summary>
    public string Failure { get; init; } = "";

    /// <summary>Absolute real path of the folder its instances start from; several releases may share one.</summary>
    public required string Folder { get; init; }

    /// <summary>The stack as it was.</summary>
    public required StackDefinition Stack { get; init; }

    /// <summary>Config vars as they were. Secret.</summary>
    public required ImmutableSortedDictionary<string, string> ConfigVars { get; init; }

    /// <summary>Hash of what each service is made of, by service.</summary>
    public required ImmutableSortedDictionary<string, string> Contents { get; init; }

    /// <summary>Hash of all that was copied.</summary>
    public required string Tree { get; init; }

    /// <summary><c>v12</c>.</summary>
    public string Name => NameOf(Number);

    internal static string NameOf(int number) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"v{number}");
}

/// <summary>How far a release has come.</summary>
public enum ReleaseStatus
{
    /// <summary>Its folder is being copied and built.</summary>
    Building,

    /// <summary>Built; its instances have not all been healthy yet.</summary>
    Prepared,

    /// <summary>It runs.</summary>
    Current,

    /// <summary>It ran, and can be gone back to.</summary>
    Good,

    /// <summary>Its build, release command or start failed.</summary>
    Failed,

    /// <summary>Its folder has been removed.</summary>
    Pruned,
}

/// <summary>A release to run.</summary>
/// <param name="Release">The release.</param>
/// <param name="Changed">False: it is the one that runs already; nothing was made.</param>
public sealed record PreparedRelease(Release Release, bool Changed);
