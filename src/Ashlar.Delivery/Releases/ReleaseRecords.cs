using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Ashlar.Catalog.Store;
using Ashlar.Stack;

namespace Ashlar.Delivery.Releases;

/// <summary>The releases' records, the number of the current one and the config vars in the store.</summary>
/// <param name="store">The store.</param>
/// <param name="folder">Where this machine keeps the files of releases.</param>
internal sealed class ReleaseRecords(IStore store, string folder)
{
    private static readonly ImmutableSortedDictionary<string, string> Nothing = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>All releases, the oldest first.</summary>
    public async Task<List<Release>> ListAsync(CancellationToken cancellation)
    {
        var range = await store.ListAsync(Keys.Releases, cancellation).ConfigureAwait(false);
        return [.. range.Entries.Select(entry => System.Text.Json.JsonSerializer.Deserialize(entry.Value.Span, ReleaseJson.Default.StoredRelease)!.ToRelease(folder))];
    }

    public async Task<Release?> GetAsync(int number, CancellationToken cancellation) =>
        (await store.GetAsync(Keys.Release(number), ReleaseJson.Default.StoredRelease, cancellation).ConfigureAwait(false))?.ToRelease(folder);

    /// <summary>The release that runs, or null before the first.</summary>
    public async Task<Release?> CurrentAsync(CancellationToken cancellation) =>
        await store.GetAsync(Keys.CurrentRelease, ReleaseJson.Default.StoredNumber, cancellation).ConfigureAwait(false) is { } current
            ? await GetAsync(current.Number, cancellation).ConfigureAwait(false)
            : null;

    public async Task<int> LastNumberAsync(CancellationToken cancellation) =>
        (await store.GetAsync(Keys.LastRelease, ReleaseJson.Default.StoredNumber, cancellation).ConfigureAwait(false))?.Number ?? 0;

    /// <summary>Records a release that is begun; from now on its number is taken.</summary>
    public Task AddAsync(Release release, CancellationToken cancellation) => CommitAsync(
        [Put(release), StoreExtensions.Put(Keys.LastRelease, new StoredNumber(release.Number), ReleaseJson.Default.StoredNumber)], cancellation);

    /// <summary>Records the new state of some releases at once.</summary>
    public Task UpdateAsync(IEnumerable<Release> releases, CancellationToken cancellation) => CommitAsync([.. releases.Select(Put)], cancellation);

    /// <summary>Forgets releases for good.</summary>
    public Task DeleteAsync(IEnumerable<Release> releases, CancellationToken cancellation) =>
        CommitAsync([.. releases.Select(release => new StoreWrite(Keys.Release(release.Number), null))], cancellation);

    /// <summary>Makes a release the current one; its config vars are the stack's from now on.</summary>
    public Task MakeCurrentAsync(Release current, IEnumerable<Release> others, CancellationToken cancellation) => CommitAsync(
        [
            Put(current),
            .. others.Select(Put),
            StoreExtensions.Put(Keys.CurrentRelease, new StoredNumber(current.Number), ReleaseJson.Default.StoredNumber),
            ConfigVars(current.ConfigVars),
        ],
        cancellation);

    public async Task<ImmutableSortedDictionary<string, string>> GetConfigVarsAsync(CancellationToken cancellation) =>
        (await store.GetAsync(Keys.ConfigVars, ReleaseJson.Default.StoredVariables, cancellation).ConfigureAwait(false))?.Values ?? Nothing;

    public Task SetConfigVarsAsync(ImmutableSortedDictionary<string, string> variables, CancellationToken cancellation) =>
        CommitAsync([ConfigVars(variables)], cancellation);

    private static StoreWrite Put(Release release) =>
        StoreExtensions.Put(Keys.Release(release.Number), StoredRelease.From(release), ReleaseJson.Default.StoredRelease);

    private static StoreWrite ConfigVars(ImmutableSortedDictionary<string, string> variables) =>
        StoreExtensions.Put(Keys.ConfigVars, new StoredVariables(variables), ReleaseJson.Default.StoredVariables);

    private async Task CommitAsync(ImmutableArray<StoreWrite> writes, CancellationToken cancellation) =>
        await store.CommitAsync(new StoreTransaction([], writes), cancellation).ConfigureAwait(false);

    internal sealed record StoredRelease(
        int Number,
        DateTimeOffset Created,
        string Description,
        ReleaseStatus Status,
        string? Failure,
        string Folder,
        string Stack,
        ImmutableSortedDictionary<string, string>? ConfigVars,
        ImmutableSortedDictionary<string, string>? Contents,
        string Tree)
    {
        public static StoredRelease From(Release release) => new(
            release.Number, release.Created, release.Description, release.Status, release.Failure, release.Folder,
            StackJson.Serialize(release.Stack), release.ConfigVars, release.Contents, release.Tree);

        public Release ToRelease(string releases) => new()
        {
            Number = Number,
            Created = Created,
            Description = Description,
            Status = Status,
            Failure = Failure ?? "",
            Folder = Path.Combine(releases, Path.GetFileName(Folder)),
            Stack = StackJson.Deserialize(Stack),
            ConfigVars = ConfigVars ?? Nothing,
            Contents = Contents ?? Nothing,
            Tree = Tree,
        };
    }

    internal sealed record StoredNumber(int Number);

    internal sealed record StoredVariables(ImmutableSortedDictionary<string, string> Values);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ReleaseRecords.StoredRelease))]
[JsonSerializable(typeof(ReleaseRecords.StoredNumber))]
[JsonSerializable(typeof(ReleaseRecords.StoredVariables))]
internal sealed partial class ReleaseJson : JsonSerializerContext;
