using System.Net.Sockets;
using Ashlar.Catalog.Channel;
using Ashlar.Errors;
using Ashlar.Testing;

namespace Ashlar.Catalog.Tests.Channel;

public sealed class FrameListenerTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_path_longer_than_a_socket_address_works()
    {
        var deep = Path.Combine(_folder.Path, new string('a', 100), new string('ü', 100), "with a space");
        Directory.CreateDirectory(deep);
        var path = Path.Combine(deep, "agent.sock");
        using var listener = FrameListener.Listen(path);
        using var client = FrameStream.Connect(path);
        using var server = await listener.AcceptAsync().Soon();
        Assert.Equal(Environment.ProcessId, server.Peer.Pid);
        Assert.Equal(Environment.ProcessId, client.Peer.Pid);
    }

    [Fact]
    public void Only_the_owner_can_open_the_file_and_it_goes_with_the_listener()
    {
        var path = Path.Combine(_folder.Path, "s");
        using (FrameListener.Listen(path))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }

        Assert.False(File.Exists(path));
    }

    [Fact]
    public void A_file_that_somebody_answers_at_is_left_to_him()
    {
        var path = Path.Combine(_folder.Path, "s");
        using var first = FrameListener.Listen(path);
        var error = Assert.Throws<AshlarException>(() => FrameListener.Listen(path)).Error;
        Assert.Equal("ASH4054", error.Code);
        using var still = FrameStream.Connect(path);
    }

    [Fact]
    public void A_file_that_a_dead_process_left_is_replaced()
    {
        var path = Path.Combine(_folder.Path, "s");
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(path));

            // Bound, never listening: what is left of a process that was killed answers the same, ECONNREFUSED.
            using var listener = FrameListener.Listen(path);
            using var client = FrameStream.Connect(path);
        }
    }

    [Fact]
    public void An_old_listener_does_not_remove_the_file_of_the_new_one()
    {
        var path = Path.Combine(_folder.Path, "s");
        var old = FrameListener.Listen(path);
        File.Delete(path);
        using var next = FrameListener.Listen(path);
        old.Dispose();
        using var client = FrameStream.Connect(path);
    }

    [Fact]
    public void A_file_of_another_kind_is_never_replaced()
    {
        var path = _folder.Write("s", "mine");
        Assert.Equal("ASH4055", Assert.Throws<AshlarException>(() => FrameListener.Listen(path)).Error.Code);
        Assert.Equal("mine", File.ReadAllText(path));
    }

    [Fact]
    public void A_folder_that_is_not_there_is_named()
    {
        var error = Assert.Throws<AshlarException>(() => FrameListener.Listen(Path.Combine(_folder.Path, "no", "s"))).Error;
        Assert.Equal("ASH4055", error.Code);
        Assert.Contains(_folder.Path, error.Message);
        Assert.ThrowsAny<IOException>(() => FrameStream.Connect(Path.Combine(_folder.Path, "no", "s")));
        Assert.ThrowsAny<IOException>(() => FrameStream.Connect(Path.Combine(_folder.Path, "s")));
    }

    [Fact]
    public async Task A_stranger_is_turned_away_and_the_user_that_was_named_is_not()
    {
        if (!OtherUser.Possible)
        {
            return;
        }

        var path = Open("strict", trusted: null, out var strict);
        using (strict)
        {
            var accepting = strict.AcceptAsync();
            using var stranger = await OtherUser.Run(() => FrameStream.Connect(path)).Soon();
            Assert.Null(await stranger.ReadAsync(FrameStreamTests.NoteJson.Default.Note).Soon());
            using var own = FrameStream.Connect(path);
            using var accepted = await accepting.Soon();
            Assert.Equal(0u, accepted.Peer.User);
        }

        path = Open("friendly", OtherUser.Nobody, out var friendly);
        using (friendly)
        {
            using var friend = await OtherUser.Run(() => FrameStream.Connect(path)).Soon();
            using var accepted = await friendly.AcceptAsync().Soon();
            Assert.Equal(OtherUser.Nobody, accepted.Peer.User);
        }
    }

    [Fact]
    public async Task A_listener_of_a_stranger_is_not_trusted()
    {
        if (!OtherUser.Possible)
        {
            return;
        }

        MakeOpen(_folder.Path);
        var path = Path.Combine(_folder.Path, "s");
        using var listener = await OtherUser.Run(() => FrameListener.Listen(path)).Soon();
        Assert.Throws<UntrustedPeerException>(() => FrameStream.Connect(path));
        using var trusted = FrameStream.Connect(path, OtherUser.Nobody);
    }

    // A path any user can reach: only the peer's credentials stand in the way.
    private string Open(string name, uint? trusted, out FrameListener listener)
    {
        MakeOpen(_folder.Path);
        var path = Path.Combine(_folder.Path, name);
        listener = FrameListener.Listen(path, trusted);
        if (trusted is null)
        {
            MakeOpen(path);
        }

        return path;
    }

    private static void MakeOpen(string path) => File.SetUnixFileMode(path, (UnixFileMode)0b111_111_111);
}
