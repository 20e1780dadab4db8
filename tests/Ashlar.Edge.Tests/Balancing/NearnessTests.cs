using Ashlar.Catalog;
using Ashlar.Edge.Balancing;
using Ashlar.Http.Transport.Tls;
using Ashlar.Testing;

namespace Ashlar.Edge.Tests.Balancing;

/// <summary>Instances of this machine and of others, chosen from by how busy all clients together keep them.</summary>
public sealed class NearnessTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TestAuthority _authority = new();
    private readonly TlsContext _tls;
    private readonly ManualTime _time = new();
    private readonly ServiceTarget _web;
    private readonly InstanceTarget _here;
    private readonly InstanceTarget _there;

    public NearnessTests()
    {
        _tls = TlsContext.ForClient(TlsFiles.OfMachine(_authority.Issue(_folder.Path, "east")));
        var targets = new ServiceTargets(_time, new Random(1), Rig.Metrics, new Told(), _tls);
        // The one elsewhere stands first, as the catalog happens to have it.
        var service = Rig.Service("web", Rig.Instance("web.1/1") with { Machine = "west" }, Rig.Instance("web.2/1") with { Machine = "east" });
        targets.Apply(Rig.Snapshot(1, service) with
        {
            Machine = "east",
            Machines = [new CatalogMachine("east", "127.0.0.1", 1, Reachable: true), new CatalogMachine("west", "127.0.0.2", 1, Reachable: true)],
        });
        _web = targets.Table.ByName("web")!;
        (_there, _here) = (_web.Instances[0], _web.Instances[1]);
    }

    public void Dispose()
    {
        _tls.Dispose();
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Who_is_as_idle_here_as_elsewhere_is_asked_here()
    {
        for (var i = 0; i < 100; i++)
        {
            var taken = Take();
            Assert.Same(_here, taken);
            _web.Release(taken, Outcome.Answered);
        }
    }

    [Fact]
    public void What_comes_here_alone_is_shared_with_who_is_idle_elsewhere()
    {
        for (var i = 0; i < 90; i++)
        {
            Take();
        }

        Assert.Equal(90, _here.InFlight + _there.InFlight);
        Assert.InRange(_there.InFlight, 39, 41);
    }

    [Fact]
    public void Requests_that_others_have_there_count_as_its_machine_tells()
    {
        _there.Heard(16);
        Assert.All(Enumerable.Range(0, 16), _ => Assert.Same(_here, Take()));
        Assert.Equal(16, _there.Load);

        // Ours are in what it tells.
        Assert.Same(_there, TakeUntil(_there));
        _there.Heard(17);
        Assert.Equal(17, _there.Load);
    }

    [Fact]
    public void What_it_told_fades_so_that_it_is_asked_again()
    {
        _there.Heard(16);
        Assert.All(Enumerable.Range(0, 4), _ => Assert.Same(_here, Take()));
        _time.Advance(TimeSpan.FromSeconds(1.5));
        Assert.Equal(8, _there.Load);
        Assert.Same(_here, Take());
        _time.Advance(TimeSpan.FromSeconds(1.5));
        Assert.Same(_there, Take());
    }

    [Fact]
    public void One_that_is_left_out_is_no_choice_however_idle()
    {
        Take();
        Assert.Same(_there, Take());
        _web.Release(_there, Outcome.Refused);
        Assert.All(Enumerable.Range(0, 20), _ => Assert.Same(_here, Take()));
    }

    private InstanceTarget Take()
    {
        Assert.Equal(AcquireResult.Acquired, _web.Acquire(null, out var instance));
        return instance!;
    }

    private InstanceTarget TakeUntil(InstanceTarget wanted)
    {
        var taken = Take();
        for (var i = 0; i < 100 && taken != wanted; i++)
        {
            taken = Take();
        }

        return taken;
    }
}
