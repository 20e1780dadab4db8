using Ashlar.Dns.Conformance;
using Ashlar.Testing;

namespace Ashlar.Dns.Tests;

/// <summary>Answers beside those of BIND, NSD, Knot and PowerDNS (FerretDataset, MIT), where the data lies beside the checkout.</summary>
public sealed class ConformanceTests
{
    private static readonly string Answers = Path.Combine(Checkout.Root, "..", "shared", "data", "dns", "answers.jsonl.gz");

    [AnswersFact]
    public void EveryAnswerIsThatOfAnotherServerAndWhereAllAgreeItIsTheirs()
    {
        Assert.DoesNotContain(Grader.Read(Answers), grade => !grade.IsGood);
    }

    /// <summary>A test that is shown as skipped where those answers are not.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class AnswersFactAttribute : FactAttribute
    {
        public AnswersFactAttribute() => Skip = File.Exists(Answers) ? null : $"{Answers} is not there.";
    }
}
