namespace Ashlar;

public sealed class DnsCheckTests
{
    [Fact]
    public async Task AGoodZoneIsSaidToBeGood()
    {
        using var rig = new CliRig();
        rig.Folder.Write("z", "$ORIGIN example.\n$TTL 60\n@ SOA ns root 7 1 1 1 1\n@ NS ns\nns A 192.0.2.1\n");
        Assert.Equal(ExitCodes.Ok, await rig.RunAsync("dns", "check", "z"));
        Assert.Equal("good: example. serial 7, 3 records\n", rig.Out.ToString());
    }

    [Fact]
    public async Task EveryMistakeIsSaidWithItsPlace()
    {
        using var rig = new CliRig();
        rig.Folder.Write("z", "$TTL 60\n@ SOA ns root 7 1 1 1 1\na A 1.2.3\nb MX mail\n");
        Assert.Equal(ExitCodes.StackInvalid, await rig.RunAsync("dns", "check", "z", "--zone", "example"));
        Assert.Equal("error z:3:5: '1.2.3' is no IPv4 address\nerror z:4:6: 'mail' is no number from 0 to 65535\n2 mistakes\n", rig.Out.ToString());
    }

    [Fact]
    public async Task AFileThatIsNotThereIsNamed()
    {
        using var rig = new CliRig();
        Assert.Equal(ExitCodes.StackInvalid, await rig.RunAsync("dns", "check", "nope"));
        Assert.Contains("ASH6027", rig.Error.ToString(), StringComparison.Ordinal);
    }
}
