using System.Text;
using Ashlar.Agent.Machines;
using Ashlar.Catalog.Store;

namespace Ashlar.Agent.Tests.Machines;

public sealed class FleetViewTests
{
    [Fact]
    public void TheFirstWhoStoodLeadsAndTheNextAfterThat()
    {
        var view = new FleetView().After(Event("leader/b", "m2", 9), 0).After(Event("leader/a", "m1", 7), 0);
        Assert.Equal("m1", view.Leader);
        Assert.Equal("m1", view.After(Event("leader/a", "m1", 12), 0).Leader); // listed again
        Assert.Equal("m2", view.After(Event("leader/a", null, 13), 0).Leader);
        Assert.Null(new FleetView().After(Event("leader/a", null, 13), 0).Leader);
    }

    [Fact]
    public void AMachineIsSilentFromTheEndOfItsReportToTheNext()
    {
        var view = new FleetView().After(Event("actual/m1", """{"name":"m1"}""", 1), 5);
        Assert.Empty(view.SilentSince);
        view = view.After(Event("actual/m1", null, 2), 8);
        Assert.Equal((8L, 0), (view.SilentSince["m1"], view.Reports.Count));
        Assert.Empty(view.After(Event("actual/m1", """{"name":"m1"}""", 3), 9).SilentSince);
    }

    [Fact]
    public void WhatIsOfNoMachineChangesNothing()
    {
        var view = new FleetView();
        Assert.Same(view, view.After(Event("spec/config", "{}", 1), 0));
        Assert.Same(view, view.After(Event("fleet/placement", null, 1), 0));
    }

    private static StoreEvent Event(string key, string? value, long revision) =>
        new(key, value is null ? null : (ReadOnlyMemory<byte>?)Encoding.UTF8.GetBytes(value), revision);
}
