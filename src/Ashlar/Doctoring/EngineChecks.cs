using Ashlar.Engines.Preparing;
using Ashlar.Output;
using Ashlar.Stack;

namespace Ashlar.Doctoring;

/// <summary>Checks of the engines that a stack asks for: whether they are here, and whether their memory makes sense.</summary>
internal static class EngineChecks
{
    /// <summary>All of them.</summary>
    public static IEnumerable<Check> All(StackDefinition stack)
    {
        var needs = EngineNeed.Of(stack).ToArray();
        var (least, most) = EngineNeed.MemoryBounds;
        return needs.Select(Program).Concat(needs.Select(need => Memory(need, least, most)).OfType<Check>())
            .Concat(Together(needs.Sum(need => need.Memory), most));
    }

    private static Check Program(EngineNeed need) => need.Path is { } path
        ? Check.Good(need.Key, path)
        : new(need.Key, Verdict.Failed, $"there is no {string.Join(" or ", need.Programs)}", $"apt-get install {need.Package}", need.Package);

    internal static Check? Memory(EngineNeed need, long least, long most) => need.Memory < least
        ? new($"{need.Key}.memory", Verdict.Failed, $"{Units.Bytes(need.Memory)} is too little to work with", $"give it {Units.Bytes(least)} or more")
        : need.Memory > most
            ? new($"{need.Key}.memory", Verdict.Failed, $"{Units.Bytes(need.Memory)}, and the machine has {Units.Bytes(most)}", "lower it, and leave room for the app")
            : null;

    private static IEnumerable<Check> Together(long sum, long machine) => sum > machine / 2
        ? [new("engines' memory", Verdict.Warning, $"{Units.Bytes(sum)} together, of {Units.Bytes(machine)}", "leave half of the machine to the app and the disk cache")]
        : [];
}
