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
    public static int Respond(ReadOnlySpan<byte> message, ZoneSet zones, bool overTcp, Span<byte> into)
    {
        if (Query.Read(message) is not { } query)
        {
            return 0;
        }

        var size = overTcp ? into.Length : Math.Min(query.Size, into.Length);
        return ResponseWriter.Write(query, Answer(query, zones), into[..size]);
    }

    private static Response Answer(Query query, ZoneSet zones)
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
        return query.IsInet && question.Type is not (RecordType.AXFR or RecordType.IXFR or RecordType.OPT) && zones.For(question.Name) is { } zone
            ? ZoneAnswers.Answer(zone, question)
            : new Response { Code = ResponseCode.Refused };
    }
}
