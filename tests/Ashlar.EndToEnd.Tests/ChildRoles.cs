using Ashlar.EndToEnd.Tests.Machines;

namespace Ashlar.EndToEnd.Tests;

/// <summary>What this program does as another process of its own tests: see <see cref="Testing.ChildProcess"/>.</summary>
internal static class ChildRoles
{
    private static async Task<int> Main(string[] arguments)
    {
        if (arguments is not ["net"])
        {
            return 2;
        }
        await MachineNetTests.HoldNetAsync();
        return 0;
    }
}
