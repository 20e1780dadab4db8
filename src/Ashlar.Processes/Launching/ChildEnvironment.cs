using System.Collections.Immutable;

namespace Ashlar.Processes;

/// <summary>Makes the environment that a child really gets out of the one its spec names.</summary>
public static class ChildEnvironment
{
    /// <summary>PATH where nobody gives one.</summary>
    public const string DefaultPath = "/usr/local/bin:/usr/bin:/bin";

    /// <summary>Holds the tag of the start, by which processes that left their session are found.</summary>
    internal const string TagVariable = "ASHLAR_INSTANCE_ID";

    /// <summary>What a tier of this program needs in its environment: it finds its runtime where the program that plans has found it.</summary>
    public static ImmutableSortedDictionary<string, string> OfOwnProgram { get; } = RuntimeRoot.Present is { } root
        ? ImmutableSortedDictionary<string, string>.Empty.Add("DOTNET_ROOT", root)
        : ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>
    /// What keeps a process of ours small that is no data path: a first generation of 4 MiB, where .NET would take the size of the
    /// processor's cache (hundreds of MiB on a large one), memory given back, and the code as it was compiled beforehand: compiling it
    /// again was most of what an idle process used in its first minutes.
    /// </summary>
    public static ImmutableSortedDictionary<string, string> SmallProcess { get; } = ImmutableSortedDictionary<string, string>.Empty
        .Add("DOTNET_GCgen0size", "0x400000")
        .Add("DOTNET_GCConserveMemory", "6")
        .Add("DOTNET_TieredCompilation", "0");

    /// <summary>The variables of the child.</summary>
    /// <param name="spec">What is started.</param>
    /// <param name="user">The user it runs as.</param>
    /// <param name="changesUser">True: that is another user than ours, so ours must not shine through.</param>
    internal static ImmutableSortedDictionary<string, string> For(LaunchSpec spec, SystemUser user, bool changesUser)
    {
        var variables = spec.Environment.ToBuilder();
        variables[TagVariable] = spec.Tag;
        variables.TryAdd("PATH", DefaultPath);
        // Without a terminal Python holds back its output by blocks: the last lines before a crash would be lost.
        variables.TryAdd("PYTHONUNBUFFERED", "1");
        if (changesUser)
        {
            BecomeUser(variables, user, spec.WorkingDirectory);
        }
        return variables.ToImmutable();
    }

    /// <summary>Sets HOME, USER and LOGNAME to the user's, and leaves out of PATH what the user may not search.</summary>
    /// <param name="variables">The environment; without PATH it gets the ordinary one.</param>
    /// <param name="user">The user to become.</param>
    /// <param name="workingDirectory">HOME of a user who has none (<c>nobody</c>).</param>
    public static void BecomeUser(IDictionary<string, string> variables, SystemUser user, string workingDirectory)
    {
        variables["HOME"] = Directory.Exists(user.Home) ? user.Home : workingDirectory;
        variables["USER"] = user.Name;
        variables["LOGNAME"] = user.Name;
        variables["PATH"] = Searchable(variables.TryGetValue("PATH", out var path) ? path : DefaultPath, user);
    }

    /// <summary>
    /// PATH without the folders that the user may not search (root's own, mostly): a shell stops at "permission denied" there
    /// although the program is in a later folder.
    /// </summary>
    private static string Searchable(string path, SystemUser user)
    {
        var folders = path.Split(':', StringSplitOptions.RemoveEmptyEntries);
        var answers = UserAccess.Execute(user, folders);
        return string.Join(':', folders.Where((_, i) => answers[i] != Libc.EACCES));
    }
}
