using System.Text;

namespace Ashlar.Stack.Tests;

/// <summary>Whatever the files hold, the loader answers: it never throws and never hangs.</summary>
public sealed class FuzzTests : StackTest
{
    private const string Yaml0 = """
        name: shop
        domains: [a.test, b.test]
        env: &env {A: 1, B: "x\ty"}
        services:
          web: &web
            run: >-
              ./web
              --all
            route: [/, a.test/x]
            health: {path: /up, interval: 5s}
            limits: {memory: 512MiB, cpu: 1.5}
            env: {<<: *env, C: 'it''s'}
          other:
            <<: *web
            route: /o
        edge: {listen: {http: "[::1]:80"}}
        """;

    private const string Procfile0 = "web: ./web $PORT\nworker: ./work\nrelease: ./migrate\n# x\n";

    private const string AppJson0 = """{"env": {"A": "1", "B": {"value": "2"}, "C": {"generator": "secret"}}, "formation": {"web": {"quantity": 2}}, "addons": ["a:b", {"plan": "c"}], "scripts": {"postdeploy": "x"}}""";

    private const string DotEnv0 = "export A='x y' # c\nB=\"a\\n$b\n\"\nC=1\n";

    // Fragments that mean something to one of the parsers.
    private static readonly byte[][] Fragments =
    [
        .. new[]
        {
            "&a ", "*a", "<<: ", "{", "}", "[", "]", "- ", ": ", "? ", "|\n", ">\n", "'", "\"", "\\", "\t", "\r\n", "\n", "#", "!!int ", "!x ",
            "---\n", "...\n", "%TAG ! x\n", "\0", "null", "~", "-1", "1e9", "\uFEFF", "é", "😀", "=", "$", "export ", "\\u0000", "\\ud800", "\"\\x\"",
        }.Select(Encoding.UTF8.GetBytes),
        [0xE9], [0xFF, 0xFE], [0xC0, 0x80], [0xED, 0xA0, 0x80],
    ];

    [Fact]
    public void Mutated_files_are_answered() => Mutate(seed: 20_26, rounds: 400);

    [Fact]
    [Trait("Length", "Full")]
    public void Mutated_files_are_answered_for_long() => Mutate(seed: 1_1_2026, rounds: 10_000);

    private void Mutate(int seed, int rounds)
    {
        var random = new Random(seed);
        for (var round = 0; round < rounds; round++)
        {
            byte[] yaml = Mutated(Yaml0, random), procfile = Mutated(Procfile0, random), app = Mutated(AppJson0, random), env = Mutated(DotEnv0, random);
            var load = Task.Run(() => Load(yaml, procfile, app, env));
            try
            {
                Assert.True(load.Wait(TimeSpan.FromSeconds(30)), "it hangs");
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, round {round}: {e}\n{Convert.ToBase64String(yaml)}\n{Convert.ToBase64String(procfile)}\n"
                    + $"{Convert.ToBase64String(app)}\n{Convert.ToBase64String(env)}");
            }
        }
    }

    private void Load(byte[] yaml, byte[] procfile, byte[] app, byte[] env)
    {
        File.WriteAllBytes(Path.Combine(Folder.Path, "ashlar.yaml"), yaml);
        File.WriteAllBytes(Path.Combine(Folder.Path, "Procfile"), procfile);
        File.WriteAllBytes(Path.Combine(Folder.Path, "app.json"), app);
        File.WriteAllBytes(Path.Combine(Folder.Path, ".env"), env);
        var result = StackLoader.Load(Folder.Path);
        Assert.Equal(result.Stack is null, result.Errors.Any());
        foreach (var d in result.Diagnostics)
        {
            Assert.Matches("^ASH10[0-9][0-9]$", d.Code);
            Assert.True(d.Line >= 0 && d.Column >= 0, d.ToString());
        }

        if (result.Stack is { } stack)
        {
            Assert.Equal(StackJson.Serialize(stack), StackJson.Serialize(StackJson.Deserialize(StackJson.Serialize(stack))));
            Assert.All(stack.Services, s => Assert.NotEmpty(ShellCommand.WithExec(s.Run)));
        }
    }

    private static byte[] Mutated(string text, Random random)
    {
        var bytes = Encoding.UTF8.GetBytes(text).ToList();
        for (var edits = random.Next(0, 6); edits > 0; edits--)
        {
            var at = random.Next(bytes.Count + 1);
            switch (random.Next(5))
            {
                case 0:
                    bytes.InsertRange(at, Fragments[random.Next(Fragments.Length)]);
                    break;
                case 1 when at < bytes.Count:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 12), bytes.Count - at));
                    break;
                case 2 when at < bytes.Count:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 3:
                    var from = random.Next(bytes.Count + 1);
                    bytes.InsertRange(at, bytes.GetRange(from, Math.Min(random.Next(1, 40), bytes.Count - from)));
                    break;
                default:
                    bytes.RemoveRange(at, random.Next(8) == 0 ? bytes.Count - at : 0);
                    break;
            }
        }

        return [.. bytes];
    }
}
