using System.Runtime.InteropServices;
using Ashlar.Catalog.Channel;
using Ashlar.Errors;

namespace Ashlar.Dns.Tier;

/// <summary>The process <c>ashlar dns --instance …</c>.</summary>
public static class DnsTier
{
    /// <summary>Runs the name server until it has drained after SIGTERM or the agent's command.</summary>
    /// <param name="arguments">What follows the word <c>dns</c>: <c>--instance NAME --channel PATH --state FOLDER [--grace SECONDS]</c>.</param>
    /// <returns>0: drained or told to end; 1: it could not start; 2: arguments that it does not understand.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var log = TierLog.ToStandardError("dns");
        try
        {
            var options = DnsOptions.Parse(arguments);
            log = TierLog.ToStandardError(options.Instance);
            await using var process = new DnsProcess(options, log, TimeProvider.System);
            void OnSignal(PosixSignalContext context)
            {
                context.Cancel = true;
                process.Stop();
            }

            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
            await process.RunAsync();
            return 0;
        }
        catch (AshlarException e)
        {
            log.Say(e.Error);
            return e.Error.Code == DnsErrors.ArgumentsCode ? 2 : 1;
        }
        catch (Exception e)
        {
            // Whatever it is, the agent shows it as the last line of a name server that did not start.
            log.Say($"the name server ends: {e}");
            return 1;
        }
    }
}
