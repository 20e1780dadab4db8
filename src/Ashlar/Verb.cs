using System.CommandLine;

namespace Ashlar;

/// <summary>The parts that <c>ashlar --help</c> has.</summary>
internal enum VerbGroup
{
    /// <summary>Begin and end.</summary>
    Start,

    /// <summary>Releases.</summary>
    Ship,

    /// <summary>What runs.</summary>
    Run,

    /// <summary>Settings.</summary>
    Settings,
}

/// <summary>A verb of the command line, known without building its options.</summary>
/// <param name="Name">What is typed.</param>
/// <param name="Group">Where the help lists it.</param>
/// <param name="Summary">One line, no full stop.</param>
/// <param name="Create">Builds its options and action; called only for the verb that was typed.</param>
/// <param name="Examples">Command lines, the most common first.</param>
internal sealed record Verb(string Name, VerbGroup Group, string Summary, Func<Cli, Command> Create, params string[] Examples);
