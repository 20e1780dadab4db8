using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class TokenTests
{
    /// <summary>RFC 9110 section 5.6.2, spelled out.</summary>
    private static bool IsTokenCharacter(int b) =>
        b < 128 && (char.IsAsciiLetterOrDigit((char)b) || "!#$%&'*+-.^_`|~".Contains((char)b, StringComparison.Ordinal));

    [Fact]
    public void A_token_ends_at_the_first_byte_that_is_none_of_its_characters()
    {
        foreach (var length in (int[])[1, 8, 15, 16, 17, 33, 48])
        {
            for (var at = 0; at < length; at++)
            {
                for (var b = 0; b < 256; b++)
                {
                    var text = Enumerable.Repeat((byte)'x', length).ToArray();
                    text[at] = (byte)b;
                    Assert.Equal(IsTokenCharacter(b) ? length : at, Bytes.TokenLength(text, out var underscore));
                    Assert.Equal(b == '_', underscore);
                }
            }
        }
    }

    [Fact]
    public void An_underscore_behind_the_token_is_not_in_it()
    {
        Assert.Equal(4, Bytes.TokenLength("Name: a_b_c_d_e_f_g_h"u8, out var underscore));
        Assert.False(underscore);
    }

    [Fact]
    public void The_known_names_are_known_in_any_case_and_no_others_are()
    {
        foreach (var known in Enum.GetValues<KnownHeader>())
        {
            var name = known switch
            {
                KnownHeader.Te => "TE",
                KnownHeader.Http2Settings => "HTTP2-Settings",
                KnownHeader.WwwAuthenticate => "WWW-Authenticate",
                KnownHeader.XForwardedOther => "X-Forwarded-Thing",
                _ => string.Concat(known.ToString().Select((c, i) => i > 0 && char.IsUpper(c) ? "-" + c : c.ToString())),
            };
            if (known == KnownHeader.None)
            {
                continue;
            }

            Assert.Equal(known, KnownHeaders.Recognise(WireText.Bytes(name)));
            Assert.Equal(known, KnownHeaders.Recognise(WireText.Bytes(name.ToUpperInvariant())));
            Assert.Equal(known, KnownHeaders.Recognise(WireText.Bytes(name.ToLowerInvariant())));
            var last = name.StartsWith("X-Forwarded-", StringComparison.Ordinal) ? KnownHeader.XForwardedOther : KnownHeader.None;
            Assert.Equal(last, KnownHeaders.Recognise(WireText.Bytes(name + "x")));
            Assert.Equal(last, KnownHeaders.Recognise(WireText.Bytes(name[..^1] + "~")));
        }
    }
}
