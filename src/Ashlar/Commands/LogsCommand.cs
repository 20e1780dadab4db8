using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Ashlar.Agent;
using Ashlar.Agent.Api;
using Ashlar.Agents;
using Ashlar.Errors;
using Ashlar.Logs;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar logs</c>: reads the files, so it needs no agent.</summary>
internal static class LogsCommand
{
    private const int DefaultLines = 100, MostLines = 1_000_000;

    // The agent looks once a second; a busy machine may be late.
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static Verb Verb { get; } = new("logs", VerbGroup.Run, "Show what instances have written, and follow it", Create,
        "ashlar logs", "ashlar logs -f", "ashlar logs web worker.1 -n 20", "ashlar logs edge --since 10m", "ashlar logs agent");

    private static Command Create(Cli cli)
    {
        var targets = new Argument<string[]>("TARGET")
        {
            Arity = ArgumentArity.ZeroOrMore,
            Description = "service (web), instance (web.1), tier (edge) or agent; none: all but the agent",
        };
        var lines = new Option<string?>("--lines", "-n") { Description = $"last lines of each; default {DefaultLines}", HelpName = "N" };
        var follow = new Option<bool>("--follow", "-f", "--tail", "-t") { Description = "go on showing what is written" };
        var since = new Option<string?>("--since")
        {
            Description = "only what is younger (10m, 2h, 1d)",
            HelpName = "TIME",
        };
        var timestamps = new Option<bool>("--timestamps", "-T") { Description = "before each line when it was written, in UTC" };
        var plain = new Option<bool>("--plain") { Description = "the lines alone, without who wrote them" };
        return VerbCall.Command(cli, Verb, [targets, lines, follow, since, timestamps, plain, Here.Option], async (call, cancellation) =>
        {
            var folder = LogFolder.Of(call.StackFolder);
            var named = call.Value(targets)!;
            var from = ParseSince(cli, call.Value(since));
            var count = ParseCount(call.Value(lines), from is not null);
            var lost = await LostAsync(cli, call.StackFolder, folder, cancellation);
            var others = call.Value(Here.Option) ? null : await OthersAsync(cli, call.StackFolder, cancellation);
            if (!call.Value(Here.Option)) CheckTargets([.. folder.Names().Union(lost.Select(log => log.Instance)).Union(others?.Instances ?? [])], named);
            bool Wanted(string name) => named.Length == 0 ? name != "agent" : named.Any(target => LogFolder.Means(target, name));
            var prefix = new LogPrefix(cli.Out);
            foreach (var name in folder.Names().Where(Wanted)) prefix.Reserve(name);
            foreach (var log in call.Json ? [] : lost.Where(log => Wanted(log.Instance)))
            {
                cli.Error.Write(ErrorText.Warning(cli.Error, CliErrors.LogDeleted(log.Instance, log.Pid)));
            }

            var showing = new Lock();
            void Show(InstanceLine line)
            {
                lock (showing)
                {
                    cli.Out.Line(call.Json ? JsonSerializer.Serialize(new LogEntry(line.Instance, line.Text, line.TimeText), LineJson.Default.LogEntry)
                        : (call.Value(timestamps) ? $"{line.TimeText ?? "",-InstanceLine.TimeWidth} " : "")
                        + (call.Value(plain) ? line.Text : prefix.Line(line.Instance, line.Text)));
                }
            }

            var remote = others?.Machines is { } machines ? new RemoteLogs(machines, Question(count, call.Value(since), call.Value(follow), named), missing => cli.Error.Write(ErrorText.Warning(cli.Error, missing))) : null;
            var theirs = remote is null ? [] : await remote.LastAsync(cancellation);
            foreach (var log in theirs.Where(log => log.Count > 0)) prefix.Reserve(log[0].Instance);
            var follower = new LogFollower(folder, Wanted, cli.Time);
            var ours = follower.Last(count, from, Looked(cli, call.StackFolder));
            foreach (var line in remote is null ? ours : LogMerge.ByTime([ours, .. theirs])) Show(line);
            if (call.Value(follow))
            {
                if (call.Value(Here.Option) && call.Json) cli.Out.Line(JsonSerializer.Serialize(RemoteLogs.Boundary, LineJson.Default.LogEntry));
                await Task.WhenAll(
                    follower.FollowAsync((instance, text) => Show(new(instance, text, cli.Time.GetUtcNow())), cancellation),
                    remote?.FollowAsync(Show, cancellation) ?? Task.CompletedTask);
            }

            return ExitCodes.Ok;
        });
    }

    private static ImmutableArray<string> Question(int? count, string? since, bool follow, string[] named) =>
    [
        .. count is { } lines ? ["--lines", lines.ToString(CultureInfo.InvariantCulture)] : Array.Empty<string>(),
        .. since is null ? Array.Empty<string>() : ["--since", since],
        .. follow ? ["--follow"] : Array.Empty<string>(),
        .. named,
    ];

    private static DateTimeOffset? Looked(Cli cli, string stackFolder)
    {
        try
        {
            using var agent = AgentClient.TryConnect(stackFolder);
            return agent is null ? null : cli.Time.GetUtcNow() - BetweenLooks;
        }
        catch (AshlarException)
        {
            return null; // Somebody else's.
        }
    }

    private static int? ParseCount(string? text, bool since) => text switch
    {
        null => since ? null : DefaultLines,
        _ when int.TryParse(text, NumberStyles.None, null, out var count) && count <= MostLines => count,
        _ => throw CliErrors.Usage("logs", $"'{text}' is no number of lines from 0 to {MostLines}."),
    };

    private static DateTimeOffset? ParseSince(Cli cli, string? text) => text switch
    {
        null => null,
        _ when Units.ParseDuration(text) is { } span => cli.Time.GetUtcNow() - span,
        _ => throw CliErrors.Usage("logs", $"'{text}' is no time such as 10m, 2h or 1d."),
    };

    // Logs can be read without an agent, so one that does not answer keeps nobody from reading them.
    private static async Task<IReadOnlyList<LostLog>> LostAsync(Cli cli, string stackFolder, LogFolder folder, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            return await StackLaunch.TryStatusAsync(cli.Agents, stackFolder, patience.Token) is { } report ? LostLog.Of(report, folder) : [];
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return [];
        }
    }

    // Like the logs of this machine they can do without: who cannot be asked is not read.
    private static async Task<(OtherMachines Machines, IReadOnlyCollection<string> Instances)?> OthersAsync(Cli cli, string stackFolder, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            if (await OtherMachines.FindAsync(cli, stackFolder, patience.Token) is not { } machines) return null;
            var report = await StackLaunch.TryStatusAsync(cli.Agents, stackFolder, patience.Token);
            return (machines, [.. report?.Tiers.SelectMany(tier => tier.Services).SelectMany(service => service.Instances).Select(instance => instance.Name) ?? []]);
        }
        catch (Exception e) when (e is AshlarException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    private static void CheckTargets(IReadOnlyCollection<string> names, string[] targets)
    {
        var known = names.Select(name => name[..(name.LastIndexOf('.') is > 0 and var dot ? dot : name.Length)]).Concat(names).Distinct().ToList();
        foreach (var target in targets.Where(target => !names.Any(name => LogFolder.Means(target, name))))
        {
            throw names.Count == 0
                ? CliErrors.NoLogs(target)
                : AgentErrors.UnknownTarget(target, known, tier: "cli");
        }
    }
}
