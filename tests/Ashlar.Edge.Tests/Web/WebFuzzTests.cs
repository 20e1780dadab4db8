using System.Net;
using System.Text;
using Ashlar.Edge.Web;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Tests.WebServer;

/// <summary>Whatever stands in fields, paths and settings, what reads them comes to an end, within its bounds.</summary>
public sealed class WebFuzzTests
{
    private static readonly byte[][] _ranges = Mutation.Texts("bytes=0-5", "bytes=-5", "bytes=5-", "bytes=0-0,5-6", "bytes=9223372036854775807-9223372036854775808", "BYTES= 1-2 ");

    private static readonly byte[][] _fields = Mutation.Texts(
        "gzip, br;q=0.5, *;q=0", "gzip;q=0.000", "identity", "*", "\"abc\", W/\"def\"", "*", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT");

    private static readonly byte[][] _addresses = Mutation.Texts("10.0.0.0/8", "2001:db8::/32", "all", "::ffff:10.0.0.0/104", "1.2.3.4", "fe80::1%eth0", "[::1]:80", "1.2.3.4:80, 10.0.0.1");

    private static readonly byte[][] _paths = Mutation.Texts("/a/b/c", "/%61dmin/./x", "//a//b", "/a;v=1/b", "/a%2fb%00", "/a\\b", "/*/x/**", "/old/**", "/%e4%f6", "/.well-known/acme");

    [Theory]
    [InlineData(3_000)]
    public void Nothing_that_is_asked_for_breaks_anything(int rounds) => Run(rounds);

    [Theory]
    [Trait("Length", "Full")]
    [InlineData(150_000)]
    public void Nothing_that_is_asked_for_breaks_anything_for_long(int rounds) => Run(rounds);

    [Fact]
    public void A_hash_that_is_none_lets_nobody_in() =>
        Mutation.Try(200, Mutation.Texts("$1$salt$UsIZMJhJ2rQBnSKbCLbXn1", "$", "plain", "*0", "$9$x"), "$*./a"u8, static (hash, _) =>
            Assert.False(Passwords.Matches("wrong"u8.ToArray(), Encoding.Latin1.GetString(hash))));

    private static void Run(int rounds)
    {
        Mutation.Try(rounds, _ranges, "-,=0 9"u8, static (input, random) =>
        {
            var size = random.Next(3) == 0 ? 0 : random.NextInt64(0, 1L << 40);
            if (FileConditions.TryRange(input, size, out var start, out var length))
            {
                Assert.True(length >= 0 && (length == 0 || (start >= 0 && start + length <= size)), $"{start} {length} of {size}");
            }
        });
        Mutation.Try(rounds, _fields, ",;=\"q0.1* W/"u8, static (input, _) =>
        {
            var request = new RequestHead();
            byte[] head = [.. "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: "u8, .. input, .. "\r\nIf-None-Match: "u8, .. input, .. "\r\nIf-Range: "u8, .. input, .. "\r\nIf-Modified-Since: "u8, .. input, .. "\r\n\r\n"u8];
            if (request.Parse(head, new HttpLimits()) == ParseStatus.Done)
            {
                FileConditions.Accepts(request, head, "gzip"u8);
                FileConditions.Judge(request, head, "\"abc\""u8, 784111777);
                FileConditions.IfRangeHolds(request, head, "\"abc\""u8, 784111777);
            }
        });
        var somebody = IPAddress.Parse("192.0.2.1");
        Mutation.Try(rounds, _addresses, "./:,[]%0f "u8, (input, _) =>
        {
            var text = Encoding.Latin1.GetString(input);
            var list = new AddressList([text]);
            Assert.True(!list.Contains(somebody) || text == "all" || text.Contains('/', StringComparison.Ordinal) || text.Contains("192", StringComparison.Ordinal) || IPAddress.TryParse(text, out IPAddress? _));
            ForwardedClient.Find(input, list);
            ForwardedClient.Read(input);
        });
        Mutation.Try(rounds, _paths, "/.%;*\\2e0"u8, static (input, _) =>
        {
            var normal = new byte[input.Length + 1];
            var length = NormalPath.Write(input, normal);
            Assert.InRange(length, 1, normal.Length);
            var path = normal.AsSpan(0, length);
            Assert.True(path.IndexOf("//"u8) < 0 && path.IndexOf("/./"u8) < 0, Encoding.Latin1.GetString(path));
            var decoded = new byte[input.Length];
            Assert.InRange(UrlPath.Decode(input, decoded), -1, input.Length);
            FileRoot.HasHidden(path);
            var pattern = PathPattern.Of("/" + Encoding.UTF8.GetString(input));
            var text = Encoding.UTF8.GetString(path);
            pattern.Covers(path, text);
            Assert.DoesNotContain('\n', pattern.Expand("/x/$1", text));
        });
    }
}
