using Ashlar.Edge.Forwarding;

namespace Ashlar.Edge.Tests;

public sealed class DescriptorLimitTests
{
    [Theory]
    [InlineData(256)]
    [InlineData(1024)]
    [InlineData(65_536)]
    [InlineData(1_048_576)]
    public void When_every_connection_is_busy_each_has_its_two_descriptors_and_the_process_its_own(int limit)
    {
        var connections = DescriptorLimit.For(limit);
        Assert.InRange(connections, 64, 100_000);
        Assert.InRange((2 * connections) + 128, 0, limit);
    }
}
