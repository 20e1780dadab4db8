using Ashlar.Dns.Wire;

namespace Ashlar.Dns.Answers;

/// <summary>Makes a message of a message. Pure.</summary>
public static class Responder
{
    /// <summary>Octets of the longest message over TCP.</summary>
    public const int MostOctets = ushort.MaxValue;

    /// <summary>Answers a query.</summary>
    /// <param name="message">The query as it came.</param>
    /// <param name="zones">The zones.</param>
    /// <param name="overTcp">True: the answer may be of any length.</param>
    /// <param name="into">Where the answer goes: <see cref="MostOctets"/> over TCP, <see cref="ResponseWriter.OwnSize"/> over UDP.</param>
    /// <returns>Octets of the answer; 0: there is to be none.</returns>
    public static int Respond(ReadOnlySpan<byte> message, ZoneSet zones, bool overTcp, Span<byte> into) =>
        Query.Read(message) is { } query ? Write(query, Answer(query, zones) ?? Refused, overTcp, into) : 0;

    /// <summary>The answer to a query that the zones have; null: it is about a name that is in none of them.</summary>
    internal static Response? Answer(Query query, ZoneSet zones)
    {
        if (query.Operation != 0)
        {
            return new Response { Code = ResponseCode.NotImplemented };
        }

        if (query.IsMalformed || query.Question is not { } question)
        {
            return new Response { Code = ResponseCode.FormatError };
        }

        if (query.EdnsVersion != 0)
        {
            return new Response { Code = ResponseCode.BadVersion };
        }

        // Transfers are not given; what else is of a message and no record's type is not known.
        return !query.IsInet || question.Type is RecordType.AXFR or RecordType.IXFR or RecordType.OPT ? Refused
            : zones.For(question.Name) is { } zone ? ZoneAnswers.Answer(zone, question)
            : null;
    }

    /// <summary>What is answered where nothing may be.</summary>
    internal static Response Refused { get; } = new() { Code = ResponseCode.Refused };

    /// <summary>What is answered where the client is to ask over TCP.</summary>
    internal static Response Cut { get; } = new() { IsCut = true };

    /// <summary>Writes an answer.</summary>
    internal static int Write(Query query, Response response, bool overTcp, Span<byte> into) =>
        ResponseWriter.Write(query, response, into[..(overTcp ? into.Length : Math.Min(query.Size, into.Length))]);
}
