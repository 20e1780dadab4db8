using Ashlar.Catalog.Etcd;
using Ashlar.Errors;
using Ashlar.Testing;

namespace Ashlar.Catalog.Tests.Etcd;

public sealed class EtcdTlsTests
{
    [Fact]
    public async Task Who_shows_the_stacks_certificate_is_served_and_nobody_else()
    {
        await using var cluster = await EtcdCluster.StartAsync(1, tls: true);
        var options = cluster.Options with { AttemptLimit = TimeSpan.FromSeconds(2), TotalLimit = TimeSpan.FromSeconds(4) };
        await using (var store = new EtcdStore(options))
        {
            Assert.Null(await store.GetAsync("a"));
        }

        var own = cluster.Certificates!;
        var other = new TestCertificates(cluster.Folder, "other");
        var plain = new Uri(options.Endpoints[0].AbsoluteUri.Replace("https", "http", StringComparison.Ordinal));
        foreach (var (refused, code) in new[]
        {
            (options with { Tls = EtcdTls.Load(own.Authority) }, "ASH4073"),
            (options with { Tls = EtcdTls.Load(other.Authority, other.Client, other.ClientKey) }, "ASH4073"),
            (options with { Tls = EtcdTls.Load(own.Authority, other.Client, other.ClientKey) }, "ASH4073"),
            (options with { Tls = null }, "ASH4073"),
            (options with { Endpoints = [plain] }, "ASH4071"), // it closes the connection and says nothing
        })
        {
            await using var store = new EtcdStore(refused);
            Assert.Equal(code, (await Assert.ThrowsAsync<AshlarException>(async () => await store.GetAsync("a"))).Error.Code);
            var put = new Catalog.Store.StoreTransaction([], [new("a", Array.Empty<byte>())]);
            Assert.Equal(
                code == "ASH4071" ? "ASH4072" : code,
                (await Assert.ThrowsAsync<AshlarException>(async () => await store.CommitAsync(put))).Error.Code);
        }
    }

    [Fact]
    public async Task Tls_to_a_member_without_it_is_refused()
    {
        await using var cluster = await EtcdCluster.StartAsync(1);
        var own = new TestCertificates(cluster.Folder);
        var tls = EtcdTls.Load(own.Authority, own.Client, own.ClientKey);
        var endpoint = new Uri(cluster.Options.Endpoints[0].AbsoluteUri.Replace("http", "https", StringComparison.Ordinal));
        await using var store = new EtcdStore(cluster.Options with { Endpoints = [endpoint], Tls = tls });
        Assert.Equal("ASH4073", (await Assert.ThrowsAsync<AshlarException>(async () => await store.GetAsync("a"))).Error.Code);
    }

    [Fact]
    public void Files_that_are_no_certificates_are_named()
    {
        using var folder = new TempFolder();
        var good = new TestCertificates(folder.Path);
        var text = folder.Write("notes.pem", "these are my notes");
        foreach (var (authority, certificate, key, named) in new[]
        {
            ("/nowhere.pem", (string?)null, (string?)null, "/nowhere.pem"),
            (text, null, null, text),
            (good.Authority, text, good.ClientKey, text),
            (good.Authority, good.Client, good.ServerKey, good.Client),
            (good.Authority, good.Client, "/nowhere.key", good.Client),
        })
        {
            var error = Assert.Throws<AshlarException>(() => EtcdTls.Load(authority, certificate, key)).Error;
            Assert.Equal("ASH4076", error.Code);
            Assert.Contains(named, error.Message, StringComparison.Ordinal);
        }

    }
}
