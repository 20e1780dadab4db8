using System.Collections.Immutable;
using Ashlar.Delivery.Plans;
using Ashlar.Errors;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Doctoring;

/// <summary>Finds programs as the services of a stack will: on the PATH that they get, as the user that they run as.</summary>
/// <param name="stack">The stack.</param>
/// <param name="agent">What services get of the agent's environment.</param>
/// <param name="configVars">The stack's config vars.</param>
/// <param name="user">User that they run as; null: ours.</param>
internal sealed class ServicePrograms(
    StackDefinition stack, ImmutableSortedDictionary<string, string> agent, ImmutableSortedDictionary<string, string> configVars, SystemUser? user)
{
    /// <summary>For a stack whose agent would be started from here.</summary>
    public static ServicePrograms Here(StackDefinition stack) =>
        new(stack, ServiceEnvironment.FromAgent(), ImmutableSortedDictionary<string, string>.Empty, null);

    /// <summary>PATH of a service; of none: of the release command.</summary>
    public string PathOf(ServiceDefinition? service)
    {
        var environment = ServiceEnvironment.Of(agent, stack, service, configVars, "");
        environment.TryAdd("PATH", ChildEnvironment.DefaultPath);
        if (user is not null) ChildEnvironment.BecomeUser(environment, user, stack.Directory);
        return environment["PATH"];
    }

    /// <summary>Path of a program, or null.</summary>
    public string? Find(string program, string path)
    {
        try
        {
            return ProgramSearch.Find(program, path, stack.Directory, user ?? SystemUsers.Current);
        }
        catch (AshlarException)
        {
            return null;
        }
    }

    /// <summary>What services get of the environment of an agent that runs; of ours if it may not be read.</summary>
    public static ImmutableSortedDictionary<string, string> OfAgent(int pid)
    {
        var own = ServiceEnvironment.FromAgent();
        try
        {
            return File.ReadAllText($"/proc/{pid}/environ").Split('\0').Select(pair => pair.Split('=', 2))
                .Where(pair => pair.Length == 2 && own.ContainsKey(pair[0]))
                .Aggregate(own, (all, pair) => all.SetItem(pair[0], pair[1]));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return own;
        }
    }
}
