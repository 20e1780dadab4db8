using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Engines.Etcd;
using Ashlar.Fleet;

namespace Ashlar.Agent.Machines;

/// <summary>What a machine of a fleet knows before it can ask anybody: <c>.ashlar/machine.json</c>. Where it is missing, the stack stands on this machine alone.</summary>
public sealed record MachineFile
{
    /// <summary>Name of the stack.</summary>
    public required string Stack { get; init; }

    /// <summary>Name of this machine.</summary>
    public required string Name { get; init; }

    /// <summary>Address at which the other machines reach it.</summary>
    public required string Address { get; init; }

    /// <summary>Port for the other agents.</summary>
    public required int PeerPort { get; init; }

    /// <summary>Port for the other edges.</summary>
    public required int HopPort { get; init; }

    /// <summary>Where etcd answers.</summary>
    public ImmutableArray<Uri> Endpoints { get; init; } = [];

    /// <summary>The member of etcd that runs here; null: none.</summary>
    public EtcdMember? Member { get; init; }

    /// <summary>How often the state has been restored, and one, as far as this machine knows: <see cref="StateRecord.Epoch"/>.</summary>
    public int Epoch { get; init; } = 1;

    /// <summary>The state was ordered to be restored here and is not known to stand yet: the machines that there were then. Null: it was not.</summary>
    public ImmutableArray<MachineRecord>? Restoring { get; init; }

    /// <summary>Where this machine listens for other agents.</summary>
    [JsonIgnore]
    public IPEndPoint PeerAddress => new(IPAddress.Parse(Address), PeerPort);

    /// <summary>True: the one member of the shared state is here, as on the machine that founded the fleet.</summary>
    [JsonIgnore]
    public bool HoldsStateAlone => Member is not null && Endpoints.Length == 1;

    /// <summary>Reads it; null where there is none.</summary>
    /// <exception cref="Errors.AshlarException">ASH7507.</exception>
    public static MachineFile? Load(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), MachineJson.Default.MachineFile) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw FleetErrors.IdentityUnusable(path, e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>Writes it, whole or not at all.</summary>
    public void Save(string path)
    {
        const UnixFileMode mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var next = $"{path}.next";
        File.Delete(next);
        using (var stream = new FileStream(next, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = mine }))
        {
            JsonSerializer.Serialize(stream, this, MachineJson.Default.MachineFile);
            stream.Flush(flushToDisk: true);
        }

        File.Move(next, path, overwrite: true);
    }
}

/// <summary>A machine as all know it.</summary>
public sealed record MachineRecord
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Address at which the others reach it.</summary>
    public required string Address { get; init; }

    /// <summary>Port for other agents.</summary>
    public required int PeerPort { get; init; }

    /// <summary>Port for other edges.</summary>
    public required int HopPort { get; init; }

    /// <summary>Labels that people gave it.</summary>
    public ImmutableSortedSet<string> Labels { get; init => field = value ?? []; } = [];

    /// <summary>Bytes of memory for instances.</summary>
    public long Memory { get; init; }

    /// <summary>Cores.</summary>
    public int Cores { get; init; }

    /// <summary>What it takes, as people ordered it.</summary>
    public Fleet.Placement.Admission Admission { get; init; }

    /// <summary>True: it is being removed, and its member of etcd goes first: without that the others might have no majority.</summary>
    public bool Going { get; init; }

    /// <summary>SHA-256 of its public key, by which it is the same machine; empty: of a time before that was kept.</summary>
    public string Key { get; init => field = value ?? ""; } = "";

    /// <summary>When it joined.</summary>
    public DateTimeOffset Joined { get; init; }
}

/// <summary>What a machine tells of itself, while it lives.</summary>
public sealed record MachineReport
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Build that its agent runs.</summary>
    public string ProgramVersion { get; init; } = "";

    /// <summary>Revision of the orders that it pursues.</summary>
    public long Pursues { get; init; }

    /// <summary>True: all that it pursues is reached.</summary>
    public bool Reached { get; init; }

    /// <summary>True: the orders are carried out, but for what had failed before they were given. Null: its agent is too old to tell.</summary>
    public bool? CarriedOut { get; init; }

    /// <summary>Why it is not, for good; null: it is on its way.</summary>
    public Errors.AshlarError? Failure { get; init; }

    /// <summary>Its clock when it told this.</summary>
    public DateTimeOffset Clock { get; init; }

    /// <summary>End of its certificate's life.</summary>
    public DateTimeOffset CertificateUntil { get; init; }

    /// <summary>Protocol that its agent speaks with others.</summary>
    public int Protocol { get; init; }

    /// <summary>What people should know of it.</summary>
    public ImmutableArray<string> Notes { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>What runs there.</summary>
    public ImmutableArray<MachineInstance> Instances { get; init => field = value.IsDefault ? [] : value; } = [];
}

/// <summary>An instance on another machine.</summary>
/// <param name="Id">Unique on its machine: <c>web.1/17</c>.</param>
/// <param name="Tier">Its tier.</param>
/// <param name="Service">Its service.</param>
/// <param name="Index">From 1.</param>
/// <param name="HasEndpoint">True: it serves requests.</param>
/// <param name="Report">As its agent reports it.</param>
public sealed record MachineInstance(string Id, string Tier, string Service, int Index, bool HasEndpoint, Catalog.InstanceReport Report);

/// <summary>Which instance belongs on which machine.</summary>
public sealed record PlacementRecord
{
    /// <summary>Nothing is said yet: what a machine that joins knows until it hears from the others.</summary>
    public static PlacementRecord Nothing { get; } = new();

    /// <summary>Machine by instance.</summary>
    public ImmutableSortedDictionary<string, string> Machines { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Instances that fit nowhere, with the reason.</summary>
    public ImmutableSortedDictionary<string, string> Pending { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Machines that were lost then: what could leave them has left.</summary>
    public ImmutableSortedSet<string> Lost { get; init => field = value ?? []; } = [];

    /// <summary>How many times machines were lost lately, by name.</summary>
    public ImmutableSortedDictionary<string, int> Losses { get; init => field = value ?? ImmutableSortedDictionary<string, int>.Empty; } = ImmutableSortedDictionary<string, int>.Empty;

    /// <summary>Where the data of instances lies that keep any, by instance; also while they are pending or not wanted.</summary>
    public ImmutableSortedDictionary<string, string> Homes { get; init => field = value ?? ImmutableSortedDictionary<string, string>.Empty; } = ImmutableSortedDictionary<string, string>.Empty;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MachineFile))]
[JsonSerializable(typeof(MachineRecord))]
[JsonSerializable(typeof(MachineReport))]
[JsonSerializable(typeof(PlacementRecord))]
[JsonSerializable(typeof(StateRecord))]
[JsonSerializable(typeof(JoinRequest))]
[JsonSerializable(typeof(JoinAnswer))]
[JsonSerializable(typeof(AuthorityAnswer))]
[JsonSerializable(typeof(FetchRequest))]
[JsonSerializable(typeof(PeerRefusal))]
[JsonSerializable(typeof(SourcesRequest))]
[JsonSerializable(typeof(SourcesAnswer))]
[JsonSerializable(typeof(LeaseQuestion))]
[JsonSerializable(typeof(LeaseAgreement))]
[JsonSerializable(typeof(Sessions.SessionRequest))]
[JsonSerializable(typeof(PeerHello))]
[JsonSerializable(typeof(RenewRequest))]
[JsonSerializable(typeof(RenewAnswer))]
internal sealed partial class MachineJson : JsonSerializerContext;
