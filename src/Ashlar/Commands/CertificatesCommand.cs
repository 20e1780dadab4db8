using System.CommandLine;
using System.Globalization;
using System.Text;
using Ashlar.Agent;
using Ashlar.Agent.Api;
using Ashlar.Agents;
using Ashlar.Output;
using Ashlar.Trust;

namespace Ashlar.Commands;

/// <summary><c>ashlar certificates</c>, <c>certificates trust</c>.</summary>
internal static class CertificatesCommand
{
    public static Verb Verb { get; } = new("certificates", VerbGroup.Run, "List the certificates of the stack's hosts; have this machine trust the stack's own authority", Create,
        "ashlar certificates", "ashlar certificates --json", "ashlar certificates trust", "ashlar certificates trust --print");

    private static Command Create(Cli cli)
    {
        var print = new Option<bool>("--print") { Description = "only print the authority's certificate (PEM)" };
        return VerbCall.Command(cli, Verb,
        [
            VerbCall.Command(cli, "trust", "add the stack's own authority to those that this machine and its browsers trust", [print],
                (call, cancellation) => TrustAsync(call, call.Value(print), cancellation)),
        ], ShowAsync);
    }

    private static async Task<int> ShowAsync(VerbCall call, CancellationToken cancellation)
    {
        var result = await AskAsync(call, cancellation);
        call.Print(result, CliJson.Agent.CertificatesResult, Render);
        return ExitCodes.Ok;
    }

    private static async Task<int> TrustAsync(VerbCall call, bool print, CancellationToken cancellation)
    {
        var result = await AskAsync(call, cancellation);
        if (result.Authority.Length == 0)
        {
            throw CliErrors.NotPossible("the stack has no authority of its own yet.", "Give edge.listen an https port in the stack file, then run: ashlar up.");
        }

        if (print)
        {
            call.Cli.Out.Write(result.Authority.TrimEnd() + "\n");
            return ExitCodes.Ok;
        }

        var done = await TrustStores.AddAsync(result.Authority, call.Cli.Environment, cancellation);
        call.Print(new DoneReport("certificates trust", string.Join("; ", done)), CliJson.Default.DoneReport, (_, _) => string.Concat(done.Select(line => line + "\n")));
        return ExitCodes.Ok;
    }

    private static async Task<CertificatesResult> AskAsync(VerbCall call, CancellationToken cancellation)
    {
        await using var agent = await call.AgentAsync(cancellation);
        return await agent.AskAsync(AgentVerbs.Certificates, AgentJson.Default.CertificatesResult, null, cancellation) ?? throw AgentErrors.ConnectionLost(AgentVerbs.Certificates);
    }

    private static string Render(Screen screen, CertificatesResult result)
    {
        if (result.Certificates.IsEmpty)
        {
            return "none: the edge speaks no TLS (edge.listen.https)\n";
        }

        var text = new StringBuilder();
        var width = result.Certificates.Max(line => line.Name.Length);
        var issuers = result.Certificates.Max(line => line.Issuer.Length);
        foreach (var line in result.Certificates)
        {
            var until = line.Until?.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "-";
            var ink = line.State == CertificateStates.Good ? Ink.Good : line.State == CertificateStates.Ordered ? Ink.Plain : Ink.Bad;
            text.Append(CultureInfo.InvariantCulture, $"{line.Name.PadRight(width)}  {line.Issuer.PadRight(issuers)}  until {until,-10}  {screen.Paint(line.State, ink)}\n");
            if (line.Trouble is { } trouble)
            {
                text.Append(CultureInfo.InvariantCulture, $"  {trouble.Code}: {trouble.Message}\n  {trouble.NextStep}");
                text.Append(line.NextTry is { } next ? $" Tried again {next.UtcDateTime:yyyy-MM-dd HH:mm} UTC.\n" : "\n");
            }
        }

        return text.ToString();
    }
}
