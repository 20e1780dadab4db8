using System.CommandLine;
using Ashlar.Agent;
using Ashlar.Agent.Api;
using Ashlar.Agents;
using Ashlar.Catalog;
using Ashlar.Postgres;

namespace Ashlar.Commands;

/// <summary><c>ashlar pg …</c>: the stack's database. Each second word has its own file.</summary>
internal static class PgCommand
{
    public static Verb Verb { get; } = new("pg", VerbGroup.Run, "The database: psql, info, ps, locks, backup, restore", Create,
        "ashlar pg psql", "ashlar pg psql -- -c 'select now()'", "ashlar pg info", "ashlar pg ps", "ashlar pg locks",
        "ashlar pg backup", "ashlar pg backup ../nightly.dump --drill", "ashlar pg restore ../nightly.dump --yes");

    private static Command Create(Cli cli) => VerbCall.Command(cli, Verb,
        [PgPsql.Create(cli), PgInfo.Create(cli), PgSessions.Create(cli), PgLocks.Create(cli), PgBackup.Create(cli), PgRestore.Create(cli)], PgInfo.RunAsync);

    /// <summary>How to reach the primary.</summary>
    /// <exception cref="Errors.AshlarException">ASH6013: the stack does not run. ASH7021: it has no database. ASH7027: its primary is stopped.</exception>
    public static async Task<TierAccess> AccessAsync(VerbCall call, CancellationToken cancellation)
    {
        await using var agent = await call.AgentAsync(cancellation);
        var status = await agent.StatusAsync(cancellation);
        var database = status.Tiers.FirstOrDefault(tier => tier.Name == PostgresTier.Tier) ?? throw PostgresErrors.NoDatabase(status.Stack);
        const string primary = $"{PostgresTier.Tier}.1";
        var servers = database.Services.SelectMany(service => service.Instances).ToArray();
        if (!servers.Any(server => server.Name == primary))
        {
            throw PostgresErrors.Stopped(servers.Length == 0 ? PostgresTier.Tier : primary);
        }

        return await agent.AskAsync(AgentVerbs.Access, new AccessArguments(PostgresTier.Tier), AgentJson.Default.AccessArguments,
            AgentJson.Default.TierAccess, null, cancellation) ?? throw AgentErrors.ConnectionLost(AgentVerbs.Access);
    }
}
