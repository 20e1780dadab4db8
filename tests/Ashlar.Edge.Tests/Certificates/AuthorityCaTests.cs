using Ashlar.Edge.Certificates;
using Ashlar.Edge.Certificates.Acme;
using Ashlar.Errors;
using Ashlar.Testing;

namespace Ashlar.Edge.Tests.Certificates;

/// <summary><c>edge.tls.authority_ca</c>: what is no file with certificates is refused with its path and the reason.</summary>
public sealed class AuthorityCaTests : IDisposable
{
    private static readonly string _pem = Authority(DateTimeOffset.UtcNow).CertificatePem;
    private readonly TempFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "ca.pem");

    public static TheoryData<string, string> Broken => new()
    {
        { "", "it holds no certificate" },
        { "hello", "it holds no certificate" },
        { Authority(DateTimeOffset.UtcNow).ExportPem().Split("-----END CERTIFICATE-----")[1], "it holds a private key" },
        { _pem[..^40], "cut off or damaged" },
        { _pem + _pem[..^40], "cut off or damaged" },
        { _pem.Replace("MII", "AAA", StringComparison.Ordinal), "damaged" },
        { _pem + new string(' ', 1 << 20), "more than 1048576 are not read" },
    };

    [Fact]
    public void All_its_certificates_are_read()
    {
        System.IO.File.WriteAllText(File, $"# ours\n{_pem}\n{_pem}");
        Assert.Equal(2, AuthorityCa.Read(File, DateTimeOffset.UtcNow).Count);
    }

    [Theory]
    [MemberData(nameof(Broken))]
    public void What_is_none_is_refused(string content, string reason)
    {
        System.IO.File.WriteAllText(File, content);
        Refused(() => AuthorityCa.Read(File), reason);
    }

    [Fact]
    public void A_file_that_is_not_there_is_told() => Refused(() => AuthorityCa.Read(File), "there is no such file");

    [Theory]
    [InlineData(-11)]
    [InlineData(1)]
    public void One_of_another_time_is_told_where_it_is_used(int years)
    {
        var made = DateTimeOffset.UtcNow.AddYears(years);
        System.IO.File.WriteAllText(File, Authority(made).CertificatePem);
        Assert.Single(AuthorityCa.Read(File));
        Refused(() => AuthorityCa.Read(File, DateTimeOffset.UtcNow), $"is good from {made.UtcDateTime.AddHours(-12):yyyy-MM-dd}");
    }

    public void Dispose() => _folder.Dispose();

    private static LocalAuthority Authority(DateTimeOffset now) => LocalAuthority.Create("shop", now);

    private void Refused(Action read, string reason)
    {
        var error = Assert.Throws<AshlarException>(read).Error;
        Assert.Equal("ASH3083", error.Code);
        Assert.Contains(File, error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }
}
