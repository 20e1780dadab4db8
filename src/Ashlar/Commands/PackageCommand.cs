using System.CommandLine;

namespace Ashlar.Commands;

/// <summary><c>ashlar package</c>: the launcher script of a source checkout does it, the program explains.</summary>
internal static class PackageCommand
{
    public static Verb Verb { get; } = new("package", VerbGroup.Ship, "Make the self-contained release archive of Ashlar (in a source checkout)", Create,
        "./ashlar package", "./ashlar package --output DIR");

    private static Command Create(Cli cli)
    {
        var output = new Option<string?>("--output", "-o") { Description = "folder for the archive; default: dist", HelpName = "DIR" };
        return VerbCall.Command(cli, Verb, [output], (_, _) => throw CliErrors.NotPossible(
            "an installed program cannot make a release of itself.",
            "run ./ashlar package in a checkout of the sources."));
    }
}
