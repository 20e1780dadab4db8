using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ashlar.Delivery.Contents;
using Ashlar.Delivery.Plans;
using Ashlar.Errors;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Delivery.Releases;

/// <summary>Makes what was planned: copies, builds, runs the release command; or leaves nothing but the record of a failure.</summary>
/// <param name="stateFolder">The stack's <c>.ashlar</c> folder.</param>
/// <param name="records">Where the release is recorded.</param>
/// <param name="launcher">Starts the commands.</param>
internal sealed class ReleaseMaker(string stateFolder, ReleaseRecords records, ProcessLauncher launcher)
{
    private readonly string _releasesFolder = ReleaseFolder.AllOf(stateFolder);
    private readonly string _stackKey = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(stateFolder)))[..8];

    /// <summary>What the release command stands on.</summary>
    public Backing Backing { get; set; } = _ => Task.FromResult(ImmutableSortedDictionary<string, string>.Empty);

    /// <summary>Makes the release; it is prepared then.</summary>
    /// <exception cref="AshlarException">ASH50xx: it is recorded as failed.</exception>
    public async Task<Release> MakeAsync(ReleasePlan plan, SystemUser? user, Action<string> progress, CancellationToken cancellation)
    {
        var release = plan.Release with { Status = ReleaseStatus.Building, Failure = "" };
        await records.AddAsync(release, cancellation).ConfigureAwait(false);
        try
        {
            if (plan.Content is { } content)
            {
                release = await BuildAsync(release, content, user, progress, cancellation).ConfigureAwait(false);
            }

            if (release.Stack.Release is { Length: > 0 } command)
            {
                var variables = await Backing(release).ConfigureAwait(false);
                progress($"{release.Name}: release command: {command}");
                var step = Step(release, null, command, user, variables);
                var (exit, lines) = await step.RunAsync(launcher, progress, cancellation).ConfigureAwait(false);
                if (!exit.Success)
                {
                    throw DeliveryErrors.ReleaseCommandFailed(release.Name, command, exit.ToString(), step.Log, lines);
                }
            }

            release = release with { Status = ReleaseStatus.Prepared };
            await records.UpdateAsync([release], cancellation).ConfigureAwait(false);
            return release;
        }
        catch (Exception e)
        {
            try
            {
                var reason = e is AshlarException known ? FirstLine(known.Error.Message) : e is OperationCanceledException ? "cancelled" : e.Message;
                await FailAsync(release, reason).ConfigureAwait(false);
            }
            catch (AshlarException)
            {
                // The store is full as well: the record stays as building, which the agent's next start mends.
            }

            throw;
        }
    }

    private async Task<Release> BuildAsync(
        Release release, Content content, SystemUser? user, Action<string> progress, CancellationToken cancellation)
    {
        var files = content.Entries.Count(entry => entry.Status.Kind == FileKind.File);
        progress(string.Create(CultureInfo.InvariantCulture, $"{release.Name}: copying {files:N0} files"));
        MakeReleasesFolder();
        var owner = user is not null && SystemUsers.IsRoot ? user : null;
        await Task.Run(
            () => ReleaseFolder.Copy(content.Folder, content.Entries, release.Folder, release.Name, owner, cancellation), cancellation)
            .ConfigureAwait(false);
        foreach (var service in release.Stack.Services)
        {
            if (service.Build is not { Length: > 0 } command)
            {
                continue;
            }

            progress($"{release.Name}: building {service.Name}: {command}");
            var step = Step(release, service, command, user);
            var (exit, lines) = await step.RunAsync(launcher, progress, cancellation).ConfigureAwait(false);
            if (!exit.Success)
            {
                throw DeliveryErrors.BuildFailed(release.Name, service.Name, command, exit.ToString(), step.Log, lines);
            }
        }

        return release;
    }

    private BuildStep Step(
        Release release, ServiceDefinition? service, string command, SystemUser? user, ImmutableSortedDictionary<string, string>? variables = null)
    {
        var environment = ServiceEnvironment.OfBuild(release.Stack, service, release.ConfigVars, release.Name);
        foreach (var (name, value) in variables ?? ImmutableSortedDictionary<string, string>.Empty)
        {
            environment = environment.ContainsKey(name) ? environment : environment.SetItem(name, value);
        }

        var logs = Directory.CreateDirectory(Path.Combine(stateFolder, "logs")).FullName;
        var home = Path.Combine(stateFolder, "build-home");
        if (user is not null && !Directory.Exists(home))
        {
            ReleaseFolder.Make(home, release.Name, SystemUsers.IsRoot ? user : null);
        }

        return new BuildStep(
            command,
            service is null ? "release" : $"build {service.Name}",
            service is null ? release.Folder : Path.Combine(release.Folder, service.Folder),
            environment,
            user,
            home,
            Path.Combine(logs, $"release-{release.Name}.log"),
            TagOf(release.Number));
    }

    private void MakeReleasesFolder()
    {
        try
        {
            // Others may pass through to the release that is theirs, and see nothing.
            const UnixFileMode passable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
            Directory.CreateDirectory(_releasesFolder, passable);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw DeliveryErrors.FolderUnusable(_releasesFolder, e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>Records a release as failed and removes its folder, unless another shares it.</summary>
    public async Task FailAsync(Release release, string reason)
    {
        var all = await records.ListAsync(CancellationToken.None).ConfigureAwait(false);
        if (release.Folder.Length > 0 && !all.Exists(other => other.Number != release.Number && other.Folder == release.Folder))
        {
            ReleaseFolder.TryRemove(release.Folder);
        }

        await records.UpdateAsync([release with { Status = ReleaseStatus.Failed, Failure = reason }], CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Ends what is left of a build whose agent was killed.</summary>
    public Task SweepAsync(Release release) => launcher.SweepAsync(TagOf(release.Number));

    // Another stack of this machine may build a release of the same number: its processes are not strays of ours.
    private string TagOf(int number) => $"{_stackKey}-release-{Release.NameOf(number)}";

    private static string FirstLine(string text) => text.Split('\n')[0];
}
