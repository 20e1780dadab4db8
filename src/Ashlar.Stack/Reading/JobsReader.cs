using System.Collections.Immutable;
using System.Text.Json;

namespace Ashlar.Stack;

/// <summary>Queues and schedules as they are written, with the places of what only the whole stack can tell to be right.</summary>
internal sealed record JobsFile(ImmutableArray<JobQueueDefinition> Queues, ImmutableArray<ScheduleDefinition> Schedules)
{
    public static readonly JobsFile None = new([], []);

    /// <summary>Where each service is named, by queue.</summary>
    public ImmutableArray<(string Service, string Queue, Position At)> Targets { get; init; } = [];

    /// <summary>Where the first of the keys stands.</summary>
    public Position At { get; init; }
}

/// <summary>Reads <c>jobs</c> and <c>schedule</c>.</summary>
internal static class JobsReader
{
    private const int LongestPayload = 1 << 20;

    public static JobsFile Read(Section root, Report report)
    {
        var queues = ImmutableArray.CreateBuilder<JobQueueDefinition>();
        var targets = ImmutableArray.CreateBuilder<(string, string, Position)>();
        foreach (var (name, s) in Sections(root, "jobs", JobKeys.Queue, "{to: SERVICE, path: /PATH} or {run: COMMAND}", report))
        {
            queues.Add(Queue(name, s, report));
            if (queues[^1].To is { } service)
            {
                targets.Add((service, name, s.Place("to")));
            }
        }

        var schedules = Sections(root, "schedule", JobKeys.Schedule, "{cron: \"0 3 * * *\", run: COMMAND}", report)
            .Select(section => Schedule(section.Name, section.Section, queues.ToImmutable(), report)).ToImmutableArray();
        return new JobsFile(queues.ToImmutable(), schedules)
        {
            Targets = targets.ToImmutable(),
            At = root.Has("jobs") ? root.Place("jobs") : root.Place("schedule"),
        };
    }

    /// <summary>Refuses what nothing could carry out.</summary>
    public static void Check(JobsFile jobs, DataTiers data, List<ServiceDefinition> services, Report report)
    {
        if (jobs.Queues.IsEmpty && jobs.Schedules.IsEmpty)
        {
            return;
        }

        if (data.Database is null)
        {
            report.Add(StackErrors.JobIncomplete(jobs.At, jobs.Queues.IsEmpty ? "schedule" : "jobs", "needs a database, in which jobs and times fired are kept", "add \"database: {}\""));
        }

        foreach (var (service, queue, at) in jobs.Targets)
        {
            var found = services.Find(s => s.Name == service);
            if (found is null)
            {
                report.Add(StackErrors.BadValue(at, $"jobs.{queue}.to", $"\"{service}\"", "the name of a service", NearestName.Of(service, services.Select(s => s.Name))));
            }
            else if (found.Interface != ServiceInterface.Http)
            {
                report.Add(StackErrors.JobIncomplete(at, $"jobs.{queue}.to", $"names {service}, which has no port", $"give {service} \"interface: http\", or the queue a command: \"run: …\""));
            }
        }
    }

    private static JobQueueDefinition Queue(string name, Section s, Report report)
    {
        var defaults = new JobQueueDefinition { Name = name };
        var (to, run) = (s.Text("to", Names.IsLabel, "the name of a service"), s.Text("run", expected: "a command"));
        if (s.Has("to") == s.Has("run"))
        {
            report.Add(StackErrors.JobIncomplete(s.At, $"jobs.{name}", s.Has("to") ? "has both to and run" : "says nobody who does its jobs", "give it either \"to: SERVICE\" or \"run: COMMAND\""));
        }

        return defaults with
        {
            To = to,
            Run = run,
            Path = s.Text("path", path => path.StartsWith('/') && path.All(c => c is > ' ' and <= '~' and not '#'), "a path such as /jobs/emails") ?? defaults.Path,
            Concurrency = s.Integer("concurrency") ?? defaults.Concurrency,
            Attempts = s.Integer("attempts") ?? defaults.Attempts,
            Timeout = s.Time("timeout") ?? defaults.Timeout,
            Lease = s.Time("lease"),
        };
    }

    private static ScheduleDefinition Schedule(string name, Section s, ImmutableArray<JobQueueDefinition> queues, Report report)
    {
        var defaults = new ScheduleDefinition { Name = name, Cron = "" };
        var (run, queue) = (s.Text("run", expected: "a command"), s.Text("queue", expected: "the name of a queue"));
        if (s.Has("run") == s.Has("queue"))
        {
            report.Add(StackErrors.JobIncomplete(s.At, $"schedule.{name}", s.Has("run") ? "has both run and queue" : "says nothing to do", "give it either \"run: COMMAND\" or \"queue: QUEUE\""));
        }

        if (queue is not null && !queues.Any(q => q.Name == queue))
        {
            report.Add(StackErrors.BadValue(s.Place("queue"), s.Full("queue"), $"\"{queue}\"", "the name of a queue under jobs", NearestName.Of(queue, queues.Select(q => q.Name))));
        }

        var payload = s.Text("payload", IsJson, "JSON of at most a MiB");
        return defaults with
        {
            Cron = Cron(s, report),
            Zone = s.Text("zone", zone => TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _), "a time zone of this machine, such as Europe/Berlin") ?? defaults.Zone,
            Run = run,
            Queue = queue,
            Payload = payload,
            Timeout = s.Time("timeout") ?? defaults.Timeout,
            Overlap = s.Choice("overlap") switch { "queue" => OverlapPolicy.Queue, "allow" => OverlapPolicy.Allow, _ => OverlapPolicy.Skip },
            CatchUp = s.Choice("catchup") switch { "none" => CatchUpPolicy.None, "all" => CatchUpPolicy.All, _ => CatchUpPolicy.One },
        };
    }

    private static string Cron(Section s, Report report)
    {
        if (s.Text("cron", expected: "five fields such as \"0 3 * * *\"") is not { } text)
        {
            if (!s.Has("cron"))
            {
                report.Add(StackErrors.JobIncomplete(s.At, s.Full("cron"), "is missing", "say when, for example \"cron: '0 3 * * *'\""));
            }

            return "";
        }

        if (CronExpression.TryParse(text, out var cron, out var problem))
        {
            return cron!.Text;
        }

        report.Add(StackErrors.BadValue(s.Place("cron"), s.Full("cron"), $"\"{text}\"", $"five fields such as \"0 3 * * *\" ({problem})", null));
        return "";
    }

    private static IEnumerable<(string Name, Section Section)> Sections(Section root, string key, MapShape shape, string advice, Report report)
    {
        foreach (var (name, value) in root.Named(key) ?? [])
        {
            var path = $"{key}.{name.Text}";
            if (!Names.IsLabel(name.Text))
            {
                report.Add(StackErrors.BadName(name.At, key == "jobs" ? "the queue" : "the schedule", name.Text, Names.Fit(name.Text, key == "jobs" ? "queue" : "schedule")));
            }
            else if (value is MapNode map)
            {
                yield return (name.Text, new Section(map, shape, path, report));
            }
            else
            {
                report.Add(StackErrors.WrongType(value.At, path, $"a map such as {advice}", value.Kind));
            }
        }
    }

    private static bool IsJson(string text)
    {
        if (text.Length > LongestPayload)
        {
            return false;
        }

        try
        {
            using var parsed = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
