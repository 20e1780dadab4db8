using System.Net;
using System.Net.Sockets;
using Ashlar.Dns.Serving;

namespace Ashlar.Dns.Tests.Serving;

/// <summary>How many answers one network of clients gets: those that others ask for in its name would fall upon it.</summary>
public sealed class AnswerLimitTests
{
    private const int Rate = 200;
    private static readonly byte[] Found = [0, 0, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0];
    private static readonly byte[] Missing = [0, 0, 0x84, 3, 0, 1, 0, 0, 0, 1, 0, 0];
    private readonly AnswerLimit _limit = new();

    [Fact]
    public void ASecondsWorthMayComeAtOnceAndThenOneAtATime()
    {
        Assert.Equal(Rate, Passed("198.51.100.7", Found, 1000, at: 0));
        Assert.Equal(1, Passed("198.51.100.7", Found, 1000, at: 5_000));
        Assert.Equal(Rate / 2, Passed("198.51.100.7", Found, 1000, at: 505_000));
        Assert.Equal(Rate, Passed("198.51.100.7", Found, 1000, at: 10_000_000));
    }

    [Theory]
    [InlineData("198.51.100.7", "198.51.100.200", true)]
    [InlineData("198.51.100.7", "198.51.101.7", false)]
    [InlineData("2001:db8:1:200::1", "2001:db8:1:2ff::9", true)]
    [InlineData("2001:db8:1:200::1", "2001:db8:1:300::1", false)]
    [InlineData("::ffff:198.51.100.7", "198.51.100.8", true)]
    [InlineData("::ffff:198.51.100.7", "::ffff:198.51.101.7", false)]
    public void ClientsOfOneNetworkCountTogether(string one, string other, bool together)
    {
        Assert.Equal(Rate, Passed(one, Found, Rate, at: 0));
        Assert.Equal(together ? 0 : Rate, Passed(other, Found, Rate, at: 0));
    }

    [Fact]
    public void EachAnswerCountsForItselfAndAllOfThemTogetherToo()
    {
        Assert.Equal(Rate, Passed("198.51.100.7", Found, 1000, at: 0, question: 1 << 10));
        Assert.Equal(Rate, Passed("198.51.100.7", Found, 1000, at: 0, question: 2 << 10));
        var all = Enumerable.Range(3, 1000).Sum(question => Passed("198.51.100.7", Found, 100, at: 0, question: (ulong)question << 10));
        Assert.Equal((AnswerLimit.OfAll - 2) * Rate, all);
    }

    [Fact]
    public void WhatFailsOrIsEmptyCountsAsOneAnswerWhateverWasAsked()
    {
        Assert.Equal(Rate, Enumerable.Range(0, 1000).Sum(question => Passed("198.51.100.7", Missing, 1, at: 0, question: (ulong)question << 10)));
        Assert.Equal(Rate, Passed("198.51.100.7", Found, 1000, at: 0));
    }

    [Fact]
    public void WithoutARateThereIsNoLimit() => Assert.Equal(100_000, Passed("198.51.100.7", Found, 100_000, at: 0, rate: 0));

    [Fact]
    public void ItDoesNotGrowAndAnAttackOnManyDoesNotFreeTheBusiest()
    {
        var small = new AnswerLimit(64);
        var busy = Socket("198.51.100.7");
        var passed = 0;
        for (var i = 0; i < 20_000; i++)
        {
            small.Allows(Socket(new IPAddress(new byte[] { 203, (byte)(i >> 8), (byte)i, 1 }).ToString()), 1 << 10, Found, i, Rate);
            passed += small.Allows(busy, 1 << 10, Found, i, Rate) ? 1 : 0;
        }

        Assert.InRange(passed, Rate, Rate + 10);
    }

    private int Passed(string client, byte[] answer, int times, long at, ulong question = 1 << 10, int rate = Rate)
    {
        var address = Socket(client);
        return Enumerable.Range(0, times).Count(_ => _limit.Allows(address, question, answer, at, rate));
    }

    // struct sockaddr_in or sockaddr_in6
    private static byte[] Socket(string address)
    {
        var ip = IPAddress.Parse(address);
        return ip.AddressFamily == AddressFamily.InterNetwork
            ? [2, 0, 0x30, 0x39, .. ip.GetAddressBytes(), 0, 0, 0, 0, 0, 0, 0, 0]
            : [10, 0, 0x30, 0x39, 0, 0, 0, 0, .. ip.GetAddressBytes(), 0, 0, 0, 0];
    }
}
