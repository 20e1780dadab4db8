using Ashlar.Delivery.Tests.Releases;

namespace Ashlar.Delivery.Tests;

/// <summary>What this program does as another process of its own tests: see <see cref="Testing.ChildProcess"/>.</summary>
internal static class ChildRoles
{
    private static async Task<int> Main(string[] arguments)
    {
        if (arguments is not ["build-for-ever", var folder])
        {
            return 2;
        }

        await ReleaseStoreTests.BuildForEverAsync(folder);
        return 0;
    }
}
