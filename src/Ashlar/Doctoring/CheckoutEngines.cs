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
        var missing = StackChecks.Database(stack).Concat(EngineChecks.All(stack)).Where(check => check.Verdict == Verdict.Failed).Select(check => check.Package).OfType<string>().Distinct().ToList();
        if (missing.Count == 0 || call.Cli.Environment("ASHLAR_CHECKOUT") is not { Length: > 0 } || !Environment.IsPrivilegedProcess || Programs.Find("apt-get") is null)
        {
            return;
        }

        using var progress = new Progress(call.Cli.Error, call.Cli.Time, "installing", silent: call.Json);
        await PackageInstaller.InstallAsync(missing, progress, cancellation);
    }
}
