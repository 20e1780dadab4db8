using Ashlar.Agent.Api;
using Ashlar.Agents;

namespace Ashlar.Adding;

/// <summary>Asks for a token by which one machine may join.</summary>
internal static class MachineToken
{
    private static readonly string LostCode = Agent.AgentErrors.ConnectionLost("").Error.Code;

    /// <summary>A token; where the stack stands on one machine it becomes the first of several.</summary>
    /// <param name="call">Who asks.</param>
    /// <param name="arguments">How the first machine is to be known.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<TokenResult> GetAsync(VerbCall call, FoundArguments arguments, CancellationToken cancellation)
    {
        var progress = new Action<string>(line => call.Cli.Error.Write(line + "\n"));
        while (true)
        {
            await using var agent = await call.AgentAsync(cancellation);
            try
            {
                if (await agent.AskAsync(AgentVerbs.Token, arguments, AgentJson.Default.FoundArguments, AgentJson.Default.TokenResult, progress, cancellation) is { } token)
                {
                    return token;
                }
            }
            catch (Errors.AshlarException e) when (e.Error.Code == LostCode)
            {
                // It became one of many and started anew in place; the next question finds it so.
            }
        }
    }
}
