using Ashlar.Catalog.Tests.Channel;
using Ashlar.Catalog.Tests.Store;

namespace Ashlar.Catalog.Tests;

/// <summary>What this program does as another process of its own tests: see <see cref="Testing.ChildProcess"/>.</summary>
internal static class ChildRoles
{
    private static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["send-listener", var path]:
                await DescriptorTests.SendListenerAndHangAsync(path);
                return 0;
            case ["write-store", var path]:
                await SqliteFileTests.WriteForEverAsync(path);
                return 0;
            case ["move-store", var path, var endpoint, var prefix, var step]:
                await StoreMoveTests.MoveAndDieAsync(path, endpoint, prefix, step);
                return 0;
            default:
                return 2;
        }
    }
}
