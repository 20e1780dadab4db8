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
        var view = new FleetView().After(Report("m1", 1), 5).After(Record("m1", 2), 6);
        Assert.Empty(view.SilentSince);
        Assert.Equal(5, view.HeardSince["m1"]);
        view = view.After(Event("actual/m1", null, 3), 8);
        Assert.Equal((8L, 0, 0), (view.SilentSince["m1"], view.Reports.Count, view.HeardSince.Count));
        view = view.After(Report("m1", 4), 9);
        Assert.Empty(view.SilentSince);
        Assert.Equal(9, view.HeardSince["m1"]);
        Assert.Equal(9, view.After(Report("m1", 5), 12).HeardSince["m1"]);
    }

    [Fact]
    public void AMachineThatWasGoneBeforeWeListenedIsSilentFromThen()
    {
        var view = new FleetView().After(Record("m1", 1), 5);
        Assert.Equal(5, view.SilentSince["m1"]);
        Assert.Equal(5, view.After(Record("m1", 2), 7).SilentSince["m1"]); // listed again
    }

    [Fact]
    public void WhoIsRemovedIsNotSilent()
    {
        var view = new FleetView().After(Report("m1", 1), 5).After(Record("m1", 2), 6).After(Event("nodes/m1", null, 3), 7);
        Assert.Empty(view.After(Event("actual/m1", null, 4), 8).SilentSince);
        Assert.Empty(new FleetView().After(Record("m1", 1), 5).After(Event("nodes/m1", null, 2), 6).SilentSince);
    }

    [Fact]
    public void WhatIsOfNoMachineChangesNothing()
    {
        var view = new FleetView();
        Assert.Same(view, view.After(Event("spec/config", "{}", 1), 0));
        Assert.Same(view, view.After(Event("fleet/placement", null, 1), 0));
    }

    private static StoreEvent Report(string machine, long revision) => Event($"actual/{machine}", $$"""{"name":"{{machine}}"}""", revision);

    private static StoreEvent Record(string machine, long revision) =>
        Event($"nodes/{machine}", $$"""{"name":"{{machine}}","address":"10.0.0.1","peerPort":1,"hopPort":2}""", revision);

    private static StoreEvent Event(string key, string? value, long revision) =>
        new(key, value is null ? null : (ReadOnlyMemory<byte>?)Encoding.UTF8.GetBytes(value), revision);
}
