using System.Collections.Immutable;

namespace Ashlar.Stack;

/// <summary>Joins what the files say into one stack: ashlar.yaml before Procfile before app.json.</summary>
internal static class StackAssembly
{
    public static StackDefinition Join(
        string folder,
        string mainFile,
        StackFile file,
        Procfile? procfile,
        AppJson app,
        ImmutableSortedDictionary<string, string> dotEnv,
        Report report)
    {
        var written = file.Services ?? FromProcfile(procfile);
        if (written.IsEmpty && !report.HasErrors)
        {
            report.Add(StackErrors.NoServices(file.Services is null ? Position.Whole(mainFile) : file.ServicesAt));
        }

        var services = written.Select(w => Complete(w, procfile, app, report)).ToList();
        GiveWebTheRoot(services, written);
        RefuseSharedRoutes(services, written, report);
        var data = AddOnTiers.Add(file.Data, app.AddOns);
        JobsReader.Check(file.Jobs, data, services, report);
        RefuseTierNames(services, written, data, file, report);
        var env = app.Env.SetItems(file.Env);
        WarnOfHiddenTiers(mainFile, folder, data, env, dotEnv, services, report);
        MachineReader.WarnOfUnknownLabels(mainFile, file.Machines, Placed(services, data), report);
        return new StackDefinition
        {
            Name = file.Name ?? Names.Fit(Path.GetFileName(folder), "stack"),
            Directory = folder,
            Domains = file.Domains,
            Services = [.. services],
            Release = file.Release ?? procfile?.Release,
            Edge = file.Edge,
            Database = data.Database,
            Cache = data.Cache,
            Queue = data.Queue,
            Jobs = file.Jobs.Queues,
            Schedule = file.Jobs.Schedules,
            Dashboard = file.Dashboard,
            Dns = file.Dns,
            Machines = file.Machines,
            Env = env,
            DotEnv = dotEnv,
            User = file.User,
            AddOns = app.AddOns,
            GeneratedVariables = [.. app.Generated.Where(g => !env.ContainsKey(g) && !dotEnv.ContainsKey(g))],
            RequiredVariables = Required(app, env, dotEnv, report),
        };
    }

    private static IEnumerable<(string Path, PlacementDefinition Placement)> Placed(List<ServiceDefinition> services, DataTiers data) =>
    [
        .. services.Select(service => ($"services.{service.Name}", service.Machines)),
        ("database", data.Database?.Machines ?? PlacementDefinition.Anywhere),
        ("cache.redis", data.Cache?.Redis?.Machines ?? PlacementDefinition.Anywhere),
        ("cache.memcached", data.Cache?.Memcached?.Machines ?? PlacementDefinition.Anywhere),
        ("queue.redis", data.Queue?.Redis?.Machines ?? PlacementDefinition.Anywhere),
    ];

    private static ImmutableArray<WrittenService> FromProcfile(Procfile? procfile) => procfile is null ? [] :
        [.. procfile.Entries.Select(e => new WrittenService(new ServiceDefinition { Name = e.Name, Run = e.Command }, e.At) { Run = e.Command })];

    private static ServiceDefinition Complete(WrittenService written, Procfile? procfile, AppJson app, Report report)
    {
        var name = written.Definition.Name;
        var run = written.Run ?? procfile?.CommandOf(name);
        if (run is null && written.Definition is not { Interface: ServiceInterface.Cgi, Root: not null })
        {
            report.Add(StackErrors.NoCommand(written.At, name));
        }

        int? quantity = app.Formation.TryGetValue(name, out var found) ? found : null;
        return written.Definition with
        {
            Run = run ?? "",
            Instances = written.Instances ?? quantity ?? written.Definition.Instances,
        };
    }

    /// <summary>As on Heroku, the service called web is the one that the public reaches, unless the file says otherwise.</summary>
    private static void GiveWebTheRoot(List<ServiceDefinition> services, ImmutableArray<WrittenService> written)
    {
        var root = new RouteDefinition(null, "/");
        var web = services.FindIndex(s => s.Name == "web");
        if (web >= 0 && !written[web].SaysRoute && !services.Exists(s => s.Routes.Contains(root)))
        {
            services[web] = services[web] with
            {
                Routes = [root],
                Interface = services[web].Interface == ServiceInterface.None ? ServiceInterface.Http : services[web].Interface,
            };
        }
    }

    private static void RefuseSharedRoutes(List<ServiceDefinition> services, ImmutableArray<WrittenService> written, Report report)
    {
        var owners = new Dictionary<RouteDefinition, string>();
        for (var i = 0; i < services.Count; i++)
        {
            foreach (var route in services[i].Routes)
            {
                if (!owners.TryAdd(route, services[i].Name))
                {
                    report.Add(StackErrors.RouteTaken(written[i].RouteAt, services[i].Name, route.Host + route.PathPrefix, owners[route]));
                }
            }
        }
    }

    /// <summary>A service may have the name of a tier only while the stack has no such tier: commands and logs name both alike.</summary>
    private static void RefuseTierNames(
        List<ServiceDefinition> services, ImmutableArray<WrittenService> written, DataTiers data, StackFile file, Report report)
    {
        var taken = new Dictionary<string, bool>(StringComparer.Ordinal)
        {
            ["agent"] = true,
            ["edge"] = true,
            ["dashboard"] = file.Dashboard.Enabled,
            ["dns"] = file.Dns is not null,
            ["database"] = data.Database is not null,
            ["cache"] = data.Cache?.Redis is not null,
            ["memcached"] = data.Cache?.Memcached is not null,
            ["queue"] = data.Queue?.Redis is not null,
            ["jobs"] = !(file.Jobs.Queues.IsEmpty && file.Jobs.Schedules.IsEmpty),
        };
        for (var i = 0; i < services.Count; i++)
        {
            if (taken.GetValueOrDefault(services[i].Name))
            {
                report.Add(StackErrors.TierName(written[i].At, services[i].Name));
            }
        }
    }

    /// <summary>What people set stands above what a tier gives; often it is left over from before the stack had the tier.</summary>
    private static void WarnOfHiddenTiers(
        string mainFile, string folder, DataTiers data, ImmutableSortedDictionary<string, string> env, ImmutableSortedDictionary<string, string> dotEnv,
        List<ServiceDefinition> services, Report report)
    {
        (string Name, string Tier, bool Asked)[] given =
        [
            ("DATABASE_URL", "database", data.Database is not null), ("DATABASE_REPLICA_URL", "database", data.Database is not null),
            ("REDIS_URL", "cache", data.Cache?.Redis is not null), ("MEMCACHED_SERVERS", "cache", data.Cache?.Memcached is not null),
            ("REDIS_QUEUE_URL", "queue", data.Queue?.Redis is not null),
        ];
        foreach (var (name, tier, _) in given.Where(g => g.Asked))
        {
            if (dotEnv.ContainsKey(name))
            {
                report.Add(StackErrors.TierHidden(Path.Combine(folder, ".env"), name, ".env", tier));
            }

            if (env.ContainsKey(name))
            {
                report.Add(StackErrors.TierHidden(mainFile, name, "env", tier));
            }

            foreach (var service in services.Where(s => s.Env.ContainsKey(name)))
            {
                report.Add(StackErrors.TierHidden(mainFile, name, $"services.{service.Name}.env", tier));
            }
        }
    }

    private static ImmutableArray<string> Required(
        AppJson app, ImmutableSortedDictionary<string, string> env, ImmutableSortedDictionary<string, string> dotEnv, Report report)
    {
        var wanted = app.Required.Where(r => !env.ContainsKey(r.Key) && !dotEnv.ContainsKey(r.Key)).ToList();
        foreach (var (name, at) in wanted)
        {
            report.Add(StackErrors.VariableWanted(at, name));
        }

        return [.. wanted.Select(w => w.Key)];
    }
}
