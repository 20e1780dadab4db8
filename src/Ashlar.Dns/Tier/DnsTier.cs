using Ashlar.Catalog.Channel;

namespace Ashlar.Dns.Tier;

/// <summary>The process <c>ashlar dns --instance …</c>.</summary>
public static class DnsTier
{
    /// <summary>Runs the name server until it has drained after SIGTERM or the agent's command.</summary>
    /// <param name="arguments">What follows the word <c>dns</c>: <c>--instance NAME --channel PATH --state FOLDER [--grace SECONDS]</c>.</param>
    /// <returns>0: drained or told to end; 1: it could not start; 2: arguments that it does not understand.</returns>
    public static Task<int> RunAsync(string[] arguments) => TierMain.RunAsync("dns", arguments, DnsErrors.ArgumentsCode, async log =>
    {
        await using var process = new DnsProcess(DnsOptions.Parse(arguments), log, TimeProvider.System);
        using var signals = new TierSignals(process.Stop);
        await process.RunAsync();
    });
}
