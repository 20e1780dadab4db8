using System.Text.Json.Serialization;
using Ashlar.Catalog;

namespace Ashlar.Agent.Api;

/// <summary>The API's records as JSON.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AgentRequest))]
[JsonSerializable(typeof(AgentReply))]
[JsonSerializable(typeof(UpArguments))]
[JsonSerializable(typeof(UpResult))]
[JsonSerializable(typeof(PlanResult))]
[JsonSerializable(typeof(DownArguments))]
[JsonSerializable(typeof(ScaleArguments))]
[JsonSerializable(typeof(TargetArguments))]
[JsonSerializable(typeof(EnvironmentArguments))]
[JsonSerializable(typeof(EnvironmentResult))]
[JsonSerializable(typeof(ConfigArguments))]
[JsonSerializable(typeof(ConfigResult))]
[JsonSerializable(typeof(ReleasesResult))]
[JsonSerializable(typeof(RollbackArguments))]
[JsonSerializable(typeof(MaintenanceArguments))]
[JsonSerializable(typeof(DashboardResult))]
[JsonSerializable(typeof(UpgradeArguments))]
[JsonSerializable(typeof(CacheArguments))]
[JsonSerializable(typeof(CacheResult))]
[JsonSerializable(typeof(AccessArguments))]
[JsonSerializable(typeof(DnsResult))]
[JsonSerializable(typeof(DnsArguments))]
[JsonSerializable(typeof(DnsChange))]
[JsonSerializable(typeof(CertificatesResult))]
[JsonSerializable(typeof(MachinesResult))]
[JsonSerializable(typeof(FoundArguments))]
[JsonSerializable(typeof(MachineArguments))]
[JsonSerializable(typeof(RebalanceArguments))]
[JsonSerializable(typeof(RebalanceResult))]
[JsonSerializable(typeof(TokenResult))]
[JsonSerializable(typeof(StateResult))]
[JsonSerializable(typeof(StateFileArguments))]
[JsonSerializable(typeof(StateBackupResult))]
[JsonSerializable(typeof(StateTold))]
[JsonSerializable(typeof(Ashlar.Catalog.TierAccess))]
[JsonSerializable(typeof(StatusReport))]
public sealed partial class AgentJson : JsonSerializerContext
{
    /// <summary>The arguments of a verb that takes none.</summary>
    public static System.Text.Json.JsonElement Nothing { get; } = System.Text.Json.JsonElement.Parse("{}");
}
