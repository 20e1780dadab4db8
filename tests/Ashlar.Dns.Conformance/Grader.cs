using System.IO.Compression;
using System.Text.Json;
using Ashlar.Dns.Answers;
using Ashlar.Dns.Wire;
using Ashlar.Dns.Zones;

namespace Ashlar.Dns.Conformance;

/// <summary>
/// Grades our answers beside those of other servers: files of lines of JSON, each a zone, a question, and the answers that were given, with who
/// gave them. Ours must be one of these; where there is one, all agree.
/// </summary>
public static class Grader
{
    /// <summary>Grades a file, which may be compressed by gzip.</summary>
    public static IEnumerable<Grade> Read(string path)
    {
        using var file = File.OpenRead(path);
        using Stream plain = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var reader = new StreamReader(plain);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0)
            {
                yield return Of(line);
            }
        }
    }

    private static Grade Of(string line)
    {
        using var json = JsonDocument.Parse(line);
        var test = json.RootElement;
        var answers = test.GetProperty("answers").EnumerateArray().Select(answer => answer.GetProperty("response").EnumerateArray().Select(l => l.GetString()!).ToArray()).ToArray();
        var text = test.GetProperty("zone").GetString()!;
        var (lines, unread) = MasterFile.Read(text, "zone");
        var (zone, wrong) = Zone.Of(lines, "zone");
        _ = RecordTypes.TryParse(test.GetProperty("type").GetString(), out var type);
        var question = new Question(DnsName.Parse(test.GetProperty("name").GetString()!), type);
        string[] ours = zone is null ? [.. unread.Concat(wrong).Select(mistake => mistake.ToString())] : Print(question, ZoneAnswers.Answer(zone, question));
        return new Grade(test.GetProperty("case").GetRawText(), text, question, answers, ours, Array.Exists(answers, answer => Sections(answer).SequenceEqual(Sections(ours))));
    }

    private static string[] Print(Question question, Response response) =>
    [
        "opcode QUERY",
        $"rcode {Print(response.Code)}",
        response.IsAuthoritative ? "flags QR AA" : "flags QR",
        ";QUESTION",
        $"{question.Name} IN {question.Type.Print()}",
        ";ANSWER",
        .. response.Answers.Select(record => record.ToString()),
        ";AUTHORITY",
        .. response.Authorities.Select(record => record.ToString()),
        ";ADDITIONAL",
        .. response.Additionals.Select(record => record.ToString()),
    ];

    private static string Print(ResponseCode code) => code switch
    {
        ResponseCode.NoError => "NOERROR",
        ResponseCode.NameError => "NXDOMAIN",
        ResponseCode.Refused => "REFUSED",
        ResponseCode.ServerFailure => "SERVFAIL",
        ResponseCode.NameTooLong => "YXDOMAIN",
        _ => code.ToString(),
    };

    // Within a section the order says nothing, and nor does the case of names.
    private static IEnumerable<string> Sections(string[] lines)
    {
        var section = new List<string>();
        foreach (var line in lines.Append(";"))
        {
            if (!line.StartsWith(';'))
            {
                section.Add(line.ToLowerInvariant());
                continue;
            }

            foreach (var sorted in section.Order(StringComparer.Ordinal))
            {
                yield return sorted;
            }

            section.Clear();
            yield return line;
        }
    }
}

/// <summary>How one case came out.</summary>
/// <param name="Case">Its number.</param>
/// <param name="Zone">The zone, as a master file.</param>
/// <param name="Question">What was asked.</param>
/// <param name="Theirs">The answers of the others.</param>
/// <param name="Ours">Ours; or the mistakes that we see in the zone.</param>
/// <param name="IsGood">True: ours is one of theirs.</param>
public sealed record Grade(string Case, string Zone, Question Question, string[][] Theirs, string[] Ours, bool IsGood)
{
    /// <summary>True: all others agree.</summary>
    public bool IsUnanimous => Theirs.Length == 1;

    /// <summary>All of it, for people.</summary>
    public override string ToString() =>
        $"case {Case}\n{Zone}\n{Question.Name} {Question.Type.Print()}\n-- theirs\n{string.Join("\n-- or\n", Theirs.Select(answer => string.Join('\n', answer)))}\n-- ours\n{string.Join('\n', Ours)}\n";
}
