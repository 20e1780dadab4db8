using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Agent.Hosting;

/// <summary>Chooses the unprivileged user that services and tiers run as when the agent is root.</summary>
internal static class ServiceUser
{
    private static readonly string[] Fallbacks = ["ashlar", "nobody"];

    /// <summary>
    /// The stack's <c>user</c>, else the owner of its folder if that is not root, else user <c>ashlar</c> if there is one, else
    /// <c>nobody</c>. Null when the agent is not root: everything then runs as the agent's own user.
    /// </summary>
    /// <exception cref="Errors.AshlarException">ASH4016: the stack names a user that does not exist.</exception>
    public static SystemUser? Choose(StackDefinition? stack, string folder)
    {
        if (!SystemUsers.IsRoot)
        {
            return null;
        }

        if (stack?.User is { } named)
        {
            return SystemUsers.Find(named) ?? throw AgentErrors.UnknownUser(named);
        }

        return Owner(folder) ?? Fallbacks.Select(SystemUsers.Find).FirstOrDefault(u => u is not null);
    }

    private static SystemUser? Owner(string folder) =>
        Ownership.OwnerOf(folder) is { } uid and not 0 ? SystemUsers.Find(uid) : null;
}
