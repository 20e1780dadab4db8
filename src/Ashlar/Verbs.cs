using Ashlar.Commands;

namespace Ashlar;

/// <summary>All verbs, in the order the help lists them.</summary>
internal static class Verbs
{
    /// <summary>The verbs.</summary>
    public static IReadOnlyList<Verb> All { get; } =
    [
        InitCommand.Verb, CheckCommand.Verb, UpCommand.Verb, DownCommand.Verb, DestroyCommand.Verb, DoctorCommand.Verb,
        ReleasesCommand.Verb, RollbackCommand.Verb, PackageCommand.Verb,
        PsCommand.Verb, StatusCommand.Verb, TopCommand.Verb, TraceCommand.Verb, DashboardCommand.Verb, LogsCommand.Verb, ScaleCommand.Verb, RestartCommand.Verb, StopCommand.Verb,
        StartCommand.Verb, RunCommand.Verb, ExecCommand.Verb, PgCommand.Verb, RedisCommand.Verb, JobsCommand.Verb, WaitCommand.Verb,
        MachinesCommand.Verb, JoinCommand.Verb, StateCommand.Verb, CertificatesCommand.Verb,
        CacheCommand.Verb, DnsCommand.Verb, ConfigCommand.Verb, MaintenanceCommand.Verb, ServiceCommand.Verb, SchemaCommand.Verb, CompletionCommand.Verb,
    ];

    /// <summary>The verb of that name, or null.</summary>
    public static Verb? Find(string name) => All.FirstOrDefault(verb => verb.Name == name);
}
