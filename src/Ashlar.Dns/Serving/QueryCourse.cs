using Ashlar.Dns.Answers;
using Ashlar.Dns.Resolving;
using Ashlar.Dns.Wire;

namespace Ashlar.Dns.Serving;

/// <summary>The course of a query: the stack's zones, then for its own machines their names and what others say.</summary>
internal static class QueryCourse
{
    /// <summary>The answer that is here; null: others must be asked (<see cref="AskAsync"/>).</summary>
    /// <param name="query">The query.</param>
    /// <param name="view">What is answered from.</param>
    /// <param name="isTrusted">True: of one of the stack's own machines.</param>
    /// <param name="isLasting">False: the same question may soon have another answer.</param>
    public static Response? Answer(Query query, AnswerView view, bool isTrusted, out bool isLasting)
    {
        isLasting = true;
        var asksOthers = isTrusted && view.Forwarder is not null;
        if (Responder.Answer(query, view.Zones) is { } known)
        {
            return asksOthers ? known with { IsRecursive = true } : known;
        }

        if (!isTrusted)
        {
            return Responder.Refused;
        }

        if (Responder.Answer(query, view.Inside) is { } inside)
        {
            return inside with { IsRecursive = asksOthers };
        }

        isLasting = false;
        return view.Forwarder is not { } forwarder || !query.RecursionDesired || query.Question is not { } question || question.Type == RecordType.ANY ? Responder.Refused
            : forwarder.Find(KeyOf(query, question));
    }

    /// <summary>What others say.</summary>
    public static async Task<Response> AskAsync(Query query, AnswerView view) =>
        view.Forwarder is { } forwarder && query.Question is { } question ? await forwarder.ResolveAsync(KeyOf(query, question)) : Responder.Refused;

    private static AnswerKey KeyOf(Query query, Question question) => new(question, query.WantsSignatures, query.CheckingDisabled);
}
