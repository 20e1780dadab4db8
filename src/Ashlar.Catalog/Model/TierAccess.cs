namespace Ashlar.Catalog;

/// <summary>How a person who may command the stack reaches a tier's engine: for <c>ashlar redis cli</c> and its like.</summary>
/// <param name="Address">IP literal.</param>
/// <param name="Port">TCP port.</param>
/// <param name="User">User with all rights.</param>
/// <param name="Password">Its password. A secret: never in argv, logs or errors.</param>
/// <param name="Database">Database, where the engine has such.</param>
public sealed record TierAccess(string Address, int Port, string User, string Password, string Database = "")
{
    /// <summary>The same as the user of the app, where the engine has such; null: none.</summary>
    public TierAccess? App { get; init; }

    /// <summary>All but the password.</summary>
    public override string ToString() => $"{User}@{Address}:{Port}/{Database}";
}
