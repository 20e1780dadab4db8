using Ashlar.Testing;

namespace Ashlar.Monitoring.Tests.Events;

public sealed class EventFileTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly TempFolder _folder = new();

    private string Log => Path.Combine(_folder.Path, "events.log");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Events_are_read_in_order_and_from_a_time_on()
    {
        using var file = new EventFile(Log);
        Assert.Empty(EventFile.Read(Log));
        Assert.True(file.Add(Event(2, "b")));
        Assert.True(file.Add(Event(1, "a\n\"ä\"")));
        Assert.Equal(["a\n\"ä\"", "b"], EventFile.Read(Log).Select(e => e.Text));
        Assert.Equal(["b"], EventFile.Read(Log, Noon.AddSeconds(2)).Select(e => e.Text));
    }

    [Fact]
    public void The_next_writer_goes_on_and_the_file_stays_small()
    {
        using (var first = new EventFile(Log))
        {
            first.Add(Event(0, "first"));
        }

        using var second = new EventFile(Log);
        second.Add(Event(1, "second"));
        Assert.Equal(["first", "second"], EventFile.Read(Log).Select(e => e.Text));
        for (var i = 2; i < 2000; i++)
        {
            second.Add(Event(i, new string('x', 3000)));
        }

        Assert.InRange(new FileInfo(Log).Length, 100_000, EventFile.MostBytes);
        var kept = EventFile.Read(Log);
        Assert.Equal(Noon.AddSeconds(1999), kept[^1].At);
        Assert.DoesNotContain(kept, e => e.Text == "first");
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void What_is_no_event_is_left_out()
    {
        File.WriteAllText(Log, "garbage\n{\"kind\":\"crash\"}\n{}\nnull\n\n[1]\n" + new string('[', 5000) + "\n");
        using var file = new EventFile(Log);
        file.Add(Event(1, "good"));
        Assert.Equal(["good"], EventFile.Read(Log).Select(e => e.Text));
    }

    [Fact]
    public void A_link_under_its_name_is_not_written_through()
    {
        var victim = _folder.Write("victim", "precious");
        File.CreateSymbolicLink(Log, victim);
        using var file = new EventFile(Log);
        file.Add(Event(1, "x"));
        Assert.Equal("precious", File.ReadAllText(victim));
        Assert.Equal("x", Assert.Single(EventFile.Read(Log)).Text);
    }

    [Fact]
    public void Where_it_cannot_be_written_the_event_is_lost_and_no_more()
    {
        using var file = new EventFile(Path.Combine(_folder.Path, "missing", "events.log"));
        Assert.False(file.Add(Event(1, "x")));
    }

    private static StackEvent Event(int second, string text) => new(Noon.AddSeconds(second), StackEventKinds.Crash, "web.1", text);
}
