using System.Globalization;
using System.Text;
using Ashlar.Catalog.Store;

namespace Ashlar.Fleet.Identity;

/// <summary>The tokens that are out, kept in the store by the hash of their secret. A token is spent by whoever comes first.</summary>
public sealed class JoinTokens(IStore store, TimeProvider time)
{
    /// <summary>Time for which a token is good.</summary>
    public static TimeSpan Life { get; } = TimeSpan.FromHours(1);

    /// <summary>Gives one out.</summary>
    public async ValueTask GiveAsync(JoinToken token, CancellationToken cancellation = default)
    {
        var until = (time.GetUtcNow() + Life).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        await store.CommitAsync(new StoreTransaction([], [new StoreWrite(Keys.JoinTokens + token.SecretHash, Encoding.ASCII.GetBytes(until))]), cancellation);
    }

    /// <summary>Looks whether a secret is good, without spending it.</summary>
    /// <exception cref="Errors.AshlarException">ASH7502.</exception>
    public async ValueTask RequireAsync(string secretHash, CancellationToken cancellation = default) => await FindAsync(secretHash, cancellation);

    /// <summary>Spends a secret, together with the writes that it pays for: all or nothing.</summary>
    /// <exception cref="Errors.AshlarException">ASH7502.</exception>
    public async ValueTask SpendAsync(string secretHash, IEnumerable<StoreCondition> conditions, IEnumerable<StoreWrite> writes, CancellationToken cancellation = default)
    {
        var entry = await FindAsync(secretHash, cancellation);
        var spent = await store.CommitAsync(
            new StoreTransaction([new StoreCondition(entry.Key, ModRevision: entry.ModRevision), .. conditions], [new StoreWrite(entry.Key, null), .. writes]), cancellation);
        if (!spent.Succeeded)
        {
            throw FleetErrors.TokenSpent("another machine used it at this moment, or one of the same name joined");
        }
    }

    private async ValueTask<StoreEntry> FindAsync(string secretHash, CancellationToken cancellation)
    {
        if (await store.GetAsync(Keys.JoinTokens + secretHash, cancellation) is not { } entry)
        {
            throw FleetErrors.TokenSpent("it was used before, or never given");
        }

        return long.Parse(Encoding.ASCII.GetString(entry.Value.Span), CultureInfo.InvariantCulture) >= time.GetUtcNow().ToUnixTimeSeconds()
            ? entry
            : throw FleetErrors.TokenSpent($"it was good for {Life.TotalMinutes:0} minutes");
    }
}
