using System.Collections;
using Ashlar.Catalog.Channel;

namespace Ashlar.Edge.Gateways.Cgi;

/// <summary>
/// The process <c>ashlar cgi</c>: an instance of a service that speaks CGI. It speaks FastCGI to the edge, and starts the script for each
/// request as the service's user, below the service's limits.
/// </summary>
public static class CgiTier
{
    /// <summary>First word of the program.</summary>
    public const string Word = "cgi";

    /// <summary>Runs until SIGTERM, and then until the requests under way have ended; a second one ends it at once.</summary>
    /// <param name="arguments">What follows the word: <c>--instance NAME --processes N --time SECONDS [--root FOLDER] [--run COMMAND]</c>.</param>
    /// <returns>0: told to end; 1: it could not start; 2: arguments that it does not understand.</returns>
    public static Task<int> RunAsync(string[] arguments) => TierMain.RunAsync(Word, arguments, EdgeErrors.CgiArgumentsCode, async log =>
    {
        var options = CgiOptions.Parse(arguments, Environment.GetEnvironmentVariable);
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(static entry => KeyValuePair.Create((string)entry.Key, (string?)entry.Value ?? ""));
        using var server = new CgiServer(options, Environment.CurrentDirectory, environment, log.Say);
        using var signals = new TierSignals(server.Stop);
        await server.Ended;
    });
}
