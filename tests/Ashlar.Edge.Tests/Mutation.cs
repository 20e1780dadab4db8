using System.Text;

namespace Ashlar.Edge.Tests;

/// <summary>Input for parsers: seeds with some bytes lost, doubled or changed. A failure names seed, round and input.</summary>
internal static class Mutation
{
    private const int Seed = 4711;

    /// <summary>Tries so many mutants.</summary>
    /// <param name="rounds">How many.</param>
    /// <param name="seeds">What they are made of.</param>
    /// <param name="alphabet">Characters that mean something to the parser.</param>
    /// <param name="attempt">Holds the parser to its promises.</param>
    public static void Try(int rounds, byte[][] seeds, ReadOnlySpan<byte> alphabet, Action<byte[], Random> attempt)
    {
        var random = new Random(Seed);
        for (var round = 0; round < rounds; round++)
        {
            var input = seeds[random.Next(seeds.Length)];
            for (var changes = random.Next(0, 8); changes > 0 && input.Length > 0; changes--)
            {
                var at = random.Next(input.Length);
                var length = random.Next(1, Math.Min(8, input.Length - at) + 1);
                input = random.Next(4) switch
                {
                    0 => [.. input[..at], .. input[(at + length)..]],
                    1 => [.. input[..(at + length)], .. input[at..]],
                    2 => [.. input[..at], alphabet[random.Next(alphabet.Length)], .. input[at..]],
                    _ => [.. input[..at], (byte)random.Next(256), .. input[(at + 1)..]],
                };
            }

            try
            {
                attempt(input, random);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {Seed}, round {round}: {Convert.ToHexString(input)} {Encoding.Latin1.GetString(input)}", e);
            }
        }
    }

    public static byte[][] Texts(params string[] texts) => [.. texts.Select(Encoding.Latin1.GetBytes)];
}
