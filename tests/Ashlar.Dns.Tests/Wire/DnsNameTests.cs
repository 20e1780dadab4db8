using Ashlar.Dns.Wire;

namespace Ashlar.Dns.Tests.Wire;

public sealed class DnsNameTests
{
    [Theory]
    [InlineData("www.example.com.", "www.example.com.")]
    [InlineData("www.example.com", "www.example.com.")]
    [InlineData(".", ".")]
    [InlineData(@"a\.b.example.", @"a\.b.example.")]
    [InlineData(@"\065bc.", "Abc.")]
    [InlineData(@"\000\255.", @"\000\255.")]
    [InlineData(@"\;\(x.", @"\;\(x.")]
    public void ANameIsWrittenAsItIsRead(string text, string printed) => Assert.Equal(printed, DnsName.Parse(text).ToString());

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("a..b", "it has an empty label")]
    [InlineData(".a", "it has an empty label")]
    [InlineData("ä.de", "it has a character that is not ASCII")]
    [InlineData(@"a\", "nothing follows")]
    [InlineData(@"\999", "nothing follows")]
    public void WhatIsNoNameIsToldWhy(string text, string why)
    {
        Assert.False(DnsName.TryParse(text, null, out _, out var mistake));
        Assert.Contains(why, mistake, StringComparison.Ordinal);
    }

    [Fact]
    public void LabelsHave63OctetsAndNames255()
    {
        var label = new string('a', 63);
        Assert.Equal(1, DnsName.Parse(label).LabelCount);
        Assert.False(DnsName.TryParse(label + "a", null, out _, out _));
        Assert.Equal(255, DnsName.Parse($"{label}.{label}.{label}.{label[..61]}.").Wire.Length);
        Assert.False(DnsName.TryParse($"{label}.{label}.{label}.{label[..62]}.", null, out _, out _));
        Assert.False(DnsName.TryParse(label, DnsName.Parse($"{label}.{label}.{label}."), out _, out _));
    }

    [Fact]
    public void CaseIsKeptAndDoesNotMatter()
    {
        var (a, b) = (DnsName.Parse("WWW.Example.COM."), DnsName.Parse("www.example.com."));
        Assert.Equal(a, b);
        Assert.Equal(a.GetHashCode(), b.GetHashCode());
        Assert.Equal("WWW.Example.COM.", a.ToString());
    }

    [Fact]
    public void OnlyWholeLabelsMakeASuffix()
    {
        Assert.True(DnsName.Parse("a.Example.com.").IsUnder(DnsName.Parse("example.COM.")));
        Assert.False(DnsName.Parse("notexample.com.").IsUnder(DnsName.Parse("example.com.")));
        Assert.True(DnsName.Parse("a.").IsUnder(DnsName.Root));
    }

    [Fact]
    public void TheOrderOfAZoneGoesByLabelsFromTheRight() => Assert.Equal(
        ["example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.", "z.example."],
        new[] { "z.example.", "Z.a.example.", "example.", "zABC.a.EXAMPLE.", "a.example.", "yljkjljk.a.example." }.Select(DnsName.Parse).Order(DnsName.ZoneOrder).Select(name => name.ToString()));
}
