using System.Collections.Immutable;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Agent.Hosting;

/// <summary>Chooses the unprivileged user that services and tiers run as when the agent is root.</summary>
public static class ServiceUser
{
    private static readonly string[] Fallbacks = ["ashlar", "nobody"];

    /// <summary>
    /// The stack's <c>user</c>, else the first who can reach the stack's folder and the program among: the folder's owner, user
    /// <c>ashlar</c>, <c>nobody</c>. Null when the agent is not root, and when none of them can: everything then runs as the
    /// agent's own user.
    /// </summary>
    /// <exception cref="Errors.AshlarException">ASH4016: the stack names a user that does not exist.</exception>
    public static SystemUser? Choose(StackDefinition? stack, string folder, string program)
    {
        if (!SystemUsers.IsRoot)
        {
            return null;
        }

        if (stack?.User is { } named)
        {
            return SystemUsers.Find(named) ?? throw AgentErrors.UnknownUser(named);
        }

        return Fallbacks.Select(SystemUsers.Find).Prepend(Owner(folder))
            .FirstOrDefault(user => user is not null && UserAccess.MayReach(user, folder, program));
    }

    /// <summary>The user for an agent that begins: what an earlier one has left running goes on as the user that it runs as.</summary>
    /// <param name="options">The agent's.</param>
    /// <param name="stack">The stack, if its file can be read.</param>
    /// <param name="left">True: something has been left running.</param>
    internal static SystemUser? Choose(AgentOptions options, StackDefinition? stack, bool left) =>
        SystemUsers.IsRoot && left && Ownership.OwnerOf(options.State.Run) is { } owner
            ? owner == 0 ? null : SystemUsers.Find(owner)
            : Choose(stack, options.StackFolder, options.Program);

    /// <summary>The users that engines' packages make and that can reach the stack, by tier.</summary>
    internal static ImmutableSortedDictionary<string, string> OfEngines(AgentOptions options) => !SystemUsers.IsRoot
        ? ImmutableSortedDictionary<string, string>.Empty
        : Tiers.All.Where(tier => tier.EngineUser is { } name && SystemUsers.Find(name) is { } user
                && UserAccess.MayReach(user, options.State.Path, options.Program))
            .ToImmutableSortedDictionary(tier => tier.Name, tier => tier.EngineUser!);

    private static SystemUser? Owner(string folder) =>
        Ownership.OwnerOf(folder) is { } uid and not 0 ? SystemUsers.Find(uid) : null;
}
