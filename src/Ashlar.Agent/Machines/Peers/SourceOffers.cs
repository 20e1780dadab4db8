using System.Security.Cryptography;
using Ashlar.Agent.Hosting;
using Ashlar.Delivery.Contents;
using Ashlar.Errors;
using Ashlar.Fleet;
using Ashlar.Fleet.Identity;
using Ashlar.Stack;

namespace Ashlar.Agent.Machines;

/// <summary>
/// The files of an app go from the machine where <c>up</c> was ordered to the one that leads. Only what was ordered here is handed out, and
/// only by the name of the order: no path goes over the network.
/// </summary>
internal sealed class SourceOffers(StateFolder state, TimeProvider time)
{
    private const int Most = 16;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HashPatience = TimeSpan.FromMinutes(10);
    private readonly Lock _lock = new();
    private readonly Queue<(string Order, string Path)> _offered = new();

    /// <summary>From now on the leader may fetch what an order is about. The order may wait there, and go on though its client has gone.</summary>
    public void Offer(string order, string path)
    {
        lock (_lock)
        {
            _offered.Enqueue((order, path));
            if (_offered.Count > Most)
            {
                _offered.Dequeue();
            }
        }
    }

    /// <summary>Sends what was offered, as it is now.</summary>
    public async Task SendAsync(Stream stream, CancellationToken cancellation)
    {
        var wanted = await PeerFrames.ReadAsync(stream, MachineJson.Default.SourcesRequest, cancellation);
        if (PathOf(wanted.Order) is not { } path)
        {
            await PeerFrames.WriteAsync(stream, new SourcesAnswer(""), MachineJson.Default.SourcesAnswer, cancellation);
            return;
        }

        Func<Stream, Task> send;
        StackDefinition stack;
        try
        {
            stack = StackLoader.Load(path).Require();
            send = await Task.Run(() => SourceStream.Open(stack, Path.Combine(state.Path, "content-hashes"), time, cancellation), cancellation);
        }
        catch (AshlarException e)
        {
            await PeerFrames.WriteAsync(stream, new SourcesAnswer("", e.Error), MachineJson.Default.SourcesAnswer, cancellation);
            return;
        }

        await PeerFrames.WriteAsync(stream, new SourcesAnswer(StackJson.Serialize(stack)), MachineJson.Default.SourcesAnswer, cancellation);
        await send(stream);
    }

    /// <summary>Gets what an order is about from the machine where it was given; it is there whole, or not at all.</summary>
    /// <param name="identity">Who asks.</param>
    /// <param name="from">That machine.</param>
    /// <param name="order">The order.</param>
    /// <param name="folder">Where to: only its owner may enter; what was there is replaced.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="AshlarException">ASH7524; what that machine finds wrong with the stack, and its name.</exception>
    public static async Task<StackDefinition> FetchAsync(MachineIdentity identity, MachineRecord from, string order, string folder, CancellationToken cancellation)
    {
        var coming = folder + ".coming";
        try
        {
            await using var stream = await PeerClient.CallAsync(identity, from, PeerFrames.Sources, cancellation);
            await PeerFrames.WriteAsync(stream, new SourcesRequest(order), MachineJson.Default.SourcesRequest, cancellation);
            var answer = await PeerFrames.ReadAsync(stream, MachineJson.Default.SourcesAnswer, cancellation).WaitAsync(HashPatience, cancellation);
            if (answer.Error is { } error)
            {
                throw new AshlarException(error with { Message = $"On machine {from.Name}: {error.Message}" });
            }

            if (answer.Stack.Length == 0)
            {
                throw new IOException("its agent knows nothing of this order: it has started anew since");
            }

            Directory.CreateDirectory(Path.GetDirectoryName(folder)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Remove(coming);
            await using (var buffered = new BufferedStream(stream, 64 << 10))
            {
                await SourceStream.ReadAsync(buffered, coming, new SourceLimits(), Patience, cancellation);
            }

            Remove(folder);
            Directory.Move(coming, folder);
            return StackJson.Deserialize(answer.Stack);
        }
        catch (Exception e) when (e is IOException or TimeoutException or UnauthorizedAccessException or System.Security.Authentication.AuthenticationException or CryptographicException)
        {
            TryRemove(coming);
            throw FleetErrors.SourcesMissing(from.Name, identity.Name, e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>Removes a folder that came, if that can be done; else the next one of that machine replaces it.</summary>
    public static void TryRemove(string folder)
    {
        try
        {
            Remove(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private string? PathOf(string order)
    {
        lock (_lock)
        {
            return _offered.FirstOrDefault(offered => offered.Order == order).Path;
        }
    }
}
