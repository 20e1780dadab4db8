using Ashlar.Dns.Conformance;
using Ashlar.Testing;
using Xunit.Abstractions;

namespace Ashlar.Dns.Tests;

/// <summary>Answers beside those of BIND, NSD, Knot and PowerDNS (FerretDataset, MIT), where the data lies beside the checkout.</summary>
public sealed class ConformanceTests(ITestOutputHelper output)
{
    [Fact]
    public void EveryAnswerIsThatOfAnotherServerAndWhereAllAgreeItIsTheirs()
    {
        var file = Path.Combine(Checkout.Root, "..", "shared", "data", "dns", "answers.jsonl.gz");
        if (!File.Exists(file))
        {
            output.WriteLine($"{file} is not there.");
            return;
        }

        Assert.DoesNotContain(Grader.Read(file), grade => !grade.IsGood);
    }
}
