using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

/// <summary>
/// Whatever arrives: nothing throws, nothing is read past the end, the split does not matter, and what is forwarded is
/// exactly one message with the meaning of the one received.
/// </summary>
public class FuzzTests
{
    private static readonly HttpLimits _limits = HttpLimits.Default;

    [Fact]
    public void A_hundred_thousand_mutations() => Run(seed: 20_260_101, mutations: 100_000);

    [Fact]
    [Trait("Length", "Full")]
    public void Ten_million_mutations()
    {
        const int Slices = 100;
        Parallel.For(
            0,
            Slices,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            slice => Run(seed: 1_000 + slice, mutations: 10_000_000 / Slices));
    }

    private static void Run(int seed, int mutations)
    {
        using var memory = new GuardedBuffer();
        var mutator = new Mutator(seed);
        var exchange = new Exchange();
        var response = new ResponseHead();
        var split = new RequestHead();
        var accepted = 0;
        for (var i = 0; i < mutations; i++)
        {
            var kind = i % 8;
            var message = kind switch
            {
                0 => mutator.NextResponse(),
                1 => mutator.NextBody(),
                _ => mutator.NextRequest(),
            };
            var placed = memory.Place(message);
            string? difference;
            try
            {
                difference = kind switch
                {
                    0 => CheckResponse(placed, response, mutator),
                    1 => CheckBody(placed, mutator),
                    _ => CheckRequest(placed, exchange, split, mutator, ref accepted),
                };
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                difference = exception.ToString();
            }

            if (difference is not null)
            {
                Assert.Fail($"seed {seed}, mutation {i}: {difference}\n\"{Corpus.Show(message)}\"");
            }
        }

        // A mutator that never gets past the parser would test little.
        Assert.True(accepted > mutations / 8, $"only {accepted} of {mutations} were forwarded");
    }

    private static string? CheckRequest(
        ReadOnlySpan<byte> message, Exchange exchange, RequestHead split, Mutator mutator, ref int accepted)
    {
        var forwarded = exchange.Forward(message);
        split.Reset();
        var status = split.Parse(message[..mutator.Next(message.Length + 1)], _limits);
        status = status == ParseStatus.NeedMore ? split.Parse(message, _limits) : status;
        if (split.Problem != exchange.Head.Problem
            || split.Consumed != exchange.Head.Consumed
            || status == ParseStatus.Bad != split.Problem is not null)
        {
            return $"the split: {split.Problem} {exchange.Head.Problem}";
        }

        if (!forwarded)
        {
            return null;
        }

        accepted++;
        return exchange.Difference(message);
    }

    private static string? CheckResponse(ReadOnlySpan<byte> message, ResponseHead head, Mutator mutator)
    {
        head.Reset();
        var status = head.Parse(message[..mutator.Next(message.Length + 1)], _limits, KnownMethod.Get, upgradeAsked: true);
        status = status == ParseStatus.NeedMore ? head.Parse(message, _limits, KnownMethod.Get, upgradeAsked: true) : status;
        if (status != ParseStatus.Done)
        {
            return status == ParseStatus.Bad && head.Problem?.Status != 502 ? "not a 502" : null;
        }

        Span<byte> destination = stackalloc byte[16 * 1024];
        foreach (var version in (ReadOnlySpan<int>)[11, 10])
        {
            var context = new ResponseContext { ClientVersion = version, KeepAlive = true, DateLine = "Date: x\r\n"u8 };
            var bound = ForwardWriter.ResponseBound(head, in context);
            var length = ForwardWriter.WriteResponse(destination[..bound], message, head, in context, out var framing);
            if (length == 0)
            {
                continue;
            }

            var again = new ResponseHead();
            if (again.Parse(destination[..length], _limits, KnownMethod.Get, upgradeAsked: true) != ParseStatus.Done
                || again.Consumed != length
                || again.Status != head.Status
                || again.Body != framing.Body
                || again.ContentLength != head.ContentLength
                || (again.KeepAlive != framing.KeepAlive && !again.IsInterim && version == 11))
            {
                return $"what was relayed: {again.Problem} {again.Body} {framing}\n{Corpus.Show(destination[..length])}";
            }
        }

        return null;
    }

    private static string? CheckBody(ReadOnlySpan<byte> message, Mutator mutator)
    {
        Span<byte> destination = stackalloc byte[24 * 1024];
        var relay = new ChunkedRelay(_limits);
        var first = message[..mutator.Next(message.Length + 1)];
        var status = relay.Relay(first, destination, out var consumed, out var written);
        var total = written;
        if (status == ChunkedStatus.NeedMore)
        {
            status = relay.Relay(message[consumed..], destination[total..], out _, out written);
            total += written;
        }

        var again = new ChunkedRelay(_limits);
        var output = new byte[24 * 1024];
        var verdict = again.Relay(destination[..total], output, out consumed, out _);
        return verdict == ChunkedStatus.Bad ? $"what was relayed is refused: {again.Problem}"
            : (verdict == ChunkedStatus.Done) != (status == ChunkedStatus.Done) || consumed != total ? "the end"
            : null;
    }
}
