using System.Collections.Immutable;
using System.CommandLine;
using System.Text;
using Ashlar.Agents;
using Ashlar.Catalog;
using Ashlar.Output;
using Ashlar.Postgres.Administration;
using Ashlar.Postgres;

namespace Ashlar.Commands;

/// <summary><c>ashlar pg info</c>.</summary>
internal static class PgInfo
{
    private const int NameWidth = 14;

    public static Command Create(Cli cli) => VerbCall.Command(cli, "info", "show version, size, servers with role and lag, slots and settings", [], RunAsync);

    public static async Task<int> RunAsync(VerbCall call, CancellationToken cancellation)
    {
        var access = await PgCommand.AccessAsync(call, cancellation);
        StatusReport status;
        await using (var agent = await call.AgentAsync(cancellation)) status = await agent.StatusAsync(cancellation);
        var servers = status.Tiers.Where(tier => tier.Name == PostgresTier.Tier).SelectMany(tier => tier.Services).SelectMany(service => service.Instances);
        var report = new PgInfoReport(
            await ClusterQuestions.InfoAsync(access, cancellation),
            [.. servers.Select(s => new PgServerReport(s.Name, s.State.ToString().ToLowerInvariant(), s.Role, s.Port, s.LagBytes, s.LagSeconds, s.Detail))]);
        call.Print(report, CliJson.Default.PgInfoReport, Render);
        return ExitCodes.Ok;
    }

    private static string Render(Screen screen, PgInfoReport report)
    {
        var cluster = report.Cluster;
        var text = new StringBuilder();
        void Line(string name, string value) => text.Append(screen.Paint(name.PadRight(NameWidth), Ink.Dim)).Append(value).Append('\n');
        Line("PostgreSQL", cluster.Proven ? cluster.Version : $"{cluster.Version} (not proven with this Ashlar; {PostgresPrograms.Proven} is)");
        Line("database", $"{cluster.Database}, {Units.Bytes(cluster.Bytes)}; {Units.Bytes(cluster.DiskFree)} free on its disk");
        Line("connections", $"{cluster.Connections} of {cluster.MostConnections}");
        Line("cache hits", cluster.HitRatio is { } hits ? $"{hits * 100:0.0} %" : "nothing read yet");
        Line("checksums", (cluster.Checksums ? "on" : "off") + (cluster.ChecksumFailures > 0 ? $", {cluster.ChecksumFailures} FAILURES" : ""));
        text.Append('\n');
        var servers = new Table(new("SERVER"), new("STATE"), new("ROLE"), new("PORT", Right: true), new("LAG", Right: true), new("BEHIND", Right: true), new(""));
        foreach (var server in report.Servers)
        {
            servers.Add(server.Name, server.State, server.Role ?? "?", $"{server.Port}", server.LagBytes is { } bytes ? Units.Bytes(bytes) : "",
                server.LagSeconds is { } seconds ? $"{seconds:0.0}s" : "", server.Detail);
        }

        text.Append(servers.Render(screen));
        if (!cluster.Slots.IsEmpty)
        {
            var slots = new Table(new("SLOT"), new("STATE"), new("HOLDS", Right: true), new(""));
            foreach (var slot in cluster.Slots) slots.Add(slot.Name, slot.State ?? "unused", slot.HeldBytes is { } held ? Units.Bytes(Math.Max(0, held)) : "", slot.Active ? "" : "inactive");
            text.Append('\n').Append(slots.Render(screen));
        }

        var settings = new Table(new("SETTING"), new("VALUE"));
        foreach (var (name, value) in cluster.Settings) settings.Add(name, value);
        return text.Append('\n').Append(settings.Render(screen)).ToString();
    }
}

/// <summary>What <c>pg info --json</c> writes.</summary>
/// <param name="Cluster">What the primary says.</param>
/// <param name="Servers">What the agent knows of each server.</param>
internal sealed record PgInfoReport(ClusterReport Cluster, ImmutableArray<PgServerReport> Servers);

/// <summary>A server in <c>pg info</c>.</summary>
/// <param name="Name"><c>database.2</c>.</param>
/// <param name="State">As <c>ps</c> shows it.</param>
/// <param name="Role"><c>primary</c> or <c>replica</c>, as it says itself; null: not known.</param>
/// <param name="Port">Its port.</param>
/// <param name="LagBytes">Replica: bytes not replayed yet.</param>
/// <param name="LagSeconds">Replica: age of what is replayed.</param>
/// <param name="Detail">What there is to say.</param>
internal sealed record PgServerReport(string Name, string State, string? Role, int Port, long? LagBytes, double? LagSeconds, string Detail);
