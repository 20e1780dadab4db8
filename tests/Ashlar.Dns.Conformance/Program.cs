using Ashlar.Dns.Conformance;

if (args.Length == 0)
{
    Console.Error.WriteLine("usage: ./test dns-conformance FILE…   (lines of JSON, .gz too: zone, name, type, answers)");
    return 2;
}

var (passed, failed, agreed, unanimous) = (0, 0, 0, 0);
foreach (var grade in args.SelectMany(Grader.Read))
{
    _ = grade.IsGood ? passed++ : failed++;
    unanimous += grade.IsUnanimous ? 1 : 0;
    agreed += grade is { IsUnanimous: true, IsGood: true } ? 1 : 0;
    if (!grade.IsGood)
    {
        Console.WriteLine(grade);
    }
}

Console.WriteLine($"where all servers agree: {agreed} of {unanimous}");
Console.WriteLine($"{passed} passed, {failed} failed");
return failed == 0 && passed > 0 ? 0 : 1;
