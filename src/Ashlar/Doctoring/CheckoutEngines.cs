using Ashlar.Output;
using Ashlar.Stack;

namespace Ashlar.Doctoring;

/// <summary>In a checkout, <c>up</c> installs the engines that a stack asks for from the distribution, where it may; elsewhere it says the line.</summary>
internal static class CheckoutEngines
{
    /// <summary>Installs what is missing, if this is a checkout and we may.</summary>
    /// <exception cref="Errors.AshlarException">ASH6022: the package manager fails.</exception>
    public static async Task InstallAsync(VerbCall call, StackDefinition stack, CancellationToken cancellation)
    {
        var missing = Packages(Missing(stack));
        if (missing.Count == 0 || !MayInstall(call))
        {
            return;
        }

        using var progress = new Progress(call.Cli.Error, call.Cli.Time, "installing", silent: call.Json);
        await PackageInstaller.InstallAsync(missing, progress, cancellation);
    }

    /// <summary>What <see cref="InstallAsync"/> would do, a line each.</summary>
    /// <exception cref="Errors.AshlarException">ASH6022: an engine is missing, and nothing would be installed.</exception>
    public static IEnumerable<string> Preview(VerbCall call, StackDefinition stack)
    {
        var missing = Missing(stack);
        return missing.Count == 0 || MayInstall(call)
            ? Packages(missing).Select(package => $"install {package} from the distribution")
            : throw CliErrors.NotPossible($"{missing[0].Name}: {missing[0].Finding}.", missing[0].Next);
    }

    private static bool MayInstall(VerbCall call) =>
        call.Cli.Environment("ASHLAR_CHECKOUT") is { Length: > 0 } && Environment.IsPrivilegedProcess && Programs.Find("apt-get") is not null;

    private static List<Check> Missing(StackDefinition stack) =>
        [.. StackChecks.Database(stack).Concat(EngineChecks.All(stack)).Where(check => check is { Verdict: Verdict.Failed, Package: not null })];

    private static List<string> Packages(IEnumerable<Check> missing) => [.. missing.Select(check => check.Package!).Distinct()];
}
