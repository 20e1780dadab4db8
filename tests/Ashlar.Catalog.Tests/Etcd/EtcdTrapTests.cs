using Ashlar.Catalog.Etcd;
using Ashlar.Catalog.Store;
using Ashlar.Catalog.Tests.Channel;
using Ashlar.Errors;
using Ashlar.Testing;

namespace Ashlar.Catalog.Tests.Etcd;

/// <summary>What real etcd cannot be made to do at will, from a server that does.</summary>
public sealed class EtcdTrapTests
{
    private const string NoLeader = """{"error":"etcdserver: no leader","message":"etcdserver: no leader","code":14}""";

    [Fact]
    public async Task Numbers_are_strings_and_what_is_zero_is_left_out()
    {
        await using var etcd = new FakeEtcd((_, stream) => FakeEtcd.SendAsync(stream, 200, FakeEtcd.Object(
            9_007_199_254_740_993, """ "kvs":[{"key":"YQ==","create_revision":"9007199254740993","mod_revision":9007199254740993}],"count":"1" """)));
        await using var store = new EtcdStore(etcd.Options);
        var entry = await store.GetAsync("a");
        Assert.Equal((9_007_199_254_740_993, 9_007_199_254_740_993, 0, 0), (entry!.CreateRevision, entry.ModRevision, entry.Lease, entry.Value.Length));
    }

    [Theory]
    [InlineData("""{"result":{HEADER,"ID":"77"}}""", false)]
    [InlineData("""{"result":{HEADER,"ID":"77","TTL":"0"}}""", false)]
    [InlineData("""{"result":{HEADER,"ID":"77","TTL":"-1"}}""", false)]
    [InlineData("""{"result":{HEADER,"ID":"77","TTL":"3"}}""", true)]
    public async Task A_dead_lease_is_answered_200_without_time_to_live(string body, bool lives)
    {
        await using var etcd = new FakeEtcd((_, stream) => FakeEtcd.SendAsync(stream, 200, body.Replace("HEADER", FakeEtcd.Object(5)[1..^1], StringComparison.Ordinal)));
        await using var store = new EtcdStore(etcd.Options);
        Assert.Equal(lives, await store.KeepAliveAsync(77));
    }

    [Fact]
    public async Task A_lease_that_was_granted_without_an_answer_is_not_granted_twice()
    {
        await using var etcd = new FakeEtcd((n, stream) => n == 0
            ? Task.CompletedTask
            : FakeEtcd.SendAsync(stream, 412, """{"error":"etcdserver: lease already exists","message":"etcdserver: lease already exists","code":9}"""));
        await using var store = new EtcdStore(etcd.Options);
        Assert.True(await store.GrantLeaseAsync(TimeSpan.FromSeconds(5)) > 0);
        var asked = etcd.Requests.Select(request => request.Body).ToArray();
        Assert.Equal(2, asked.Length);
        Assert.Equal(asked[0], asked[1]);
    }

    [Fact]
    public async Task A_watch_that_is_silent_is_begun_anew_where_it_stood()
    {
        await using var etcd = new FakeEtcd(async (n, stream) =>
        {
            await FakeEtcd.StreamAsync(
                stream, FakeEtcd.Line(7 + n, "\"created\":true"),
                FakeEtcd.Line(7 + n, $"\"events\":[{FakeEtcd.Change("a", 7 + n, $"{n}")}]"));
            await FakeEtcd.HangAsync(stream);
        });
        await using var store = new EtcdStore(etcd.Options with { WatchSilence = TimeSpan.FromMilliseconds(100) });
        Assert.Equal([7, 8, 9], (await TakeAsync(store, 3, from: 7)).Select(change => change.Revision));
        Assert.Contains("\"start_revision\":\"6\"", etcd.Requests.First().Body, StringComparison.Ordinal);
        Assert.Contains("\"start_revision\":\"7\"", etcd.Requests.ElementAt(1).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Progress_moves_the_place_where_a_watch_begins_anew()
    {
        await using var etcd = new FakeEtcd((n, stream) => n == 0
            ? FakeEtcd.StreamAsync(stream, FakeEtcd.Line(7, "\"created\":true"), FakeEtcd.Line(40))
            : FakeEtcd.StreamAsync(stream, FakeEtcd.Line(50, "\"created\":true"), FakeEtcd.Line(50, $"\"events\":[{FakeEtcd.Change("a", 50, "x")}]")));
        await using var store = new EtcdStore(etcd.Options);
        Assert.Equal(50, (await TakeAsync(store, 1, from: 7)).Single().Revision);
        Assert.Contains("\"start_revision\":\"40\"", etcd.Requests.ElementAt(1).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_revision_that_was_cut_in_two_is_given_once()
    {
        await using var etcd = new FakeEtcd((n, stream) => n switch
        {
            0 => FakeEtcd.StreamAsync(stream, FakeEtcd.Line(5, $"\"fragment\":true,\"events\":[{FakeEtcd.Change("a", 5, "1")}]")),
            1 => FakeEtcd.StreamAsync(
                stream, FakeEtcd.Line(6, "\"created\":true"),
                FakeEtcd.Line(6, $"\"events\":[{FakeEtcd.Change("z", 4, "old")},{FakeEtcd.Change("a", 5, "1")},{FakeEtcd.Change("b", 5, "2")},{FakeEtcd.Change("a", 6, "3")}]")),
            _ => FakeEtcd.HangAsync(stream),
        });
        await using var store = new EtcdStore(etcd.Options);
        Assert.Equal([("a", 5L), ("b", 5L), ("a", 6L)], (await TakeAsync(store, 3, from: 5)).Select(change => (change.Key, change.Revision)));
    }

    [Fact]
    public async Task A_store_that_was_restored_from_a_backup_is_to_be_listed_again()
    {
        await using var etcd = new FakeEtcd((n, stream) => n switch
        {
            0 => FakeEtcd.StreamAsync(stream, FakeEtcd.Line(90, "\"created\":true")),
            1 => FakeEtcd.StreamAsync(stream, FakeEtcd.Line(50, "\"created\":true")),
            _ => FakeEtcd.SendAsync(stream, 200, FakeEtcd.Object(50)),
        });
        await using var store = new EtcdStore(etcd.Options);
        Assert.Equal(51, (await Assert.ThrowsAsync<CompactedException>(() => TakeAsync(store, 1, from: 91))).OldestRevision);
    }

    [Fact]
    public async Task A_member_without_a_leader_ends_the_watch_and_people_are_told_in_time()
    {
        await using var etcd = new FakeEtcd((_, stream) => FakeEtcd.StreamAsync(stream, """{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader","http_status":"Service Unavailable"}}""" + "\n"));
        await using var store = new EtcdStore(etcd.Impatient);
        Assert.Equal("ASH4071", (await Assert.ThrowsAsync<AshlarException>(() => TakeAsync(store, 1, from: 1))).Error.Code);
    }

    [Theory]
    [InlineData(503)]
    [InlineData(200)]
    public async Task A_stream_that_ends_in_an_error_is_told_in_the_streams_own_form(int status)
    {
        await using var etcd = new FakeEtcd((_, stream) => FakeEtcd.SendAsync(
            stream, status, """{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader","http_status":"Service Unavailable"}}"""));
        await using var store = new EtcdStore(etcd.Impatient);
        Assert.Equal("ASH4071", await CodeAsync(async () => await store.KeepAliveAsync(77)));
    }

    [Theory]
    [InlineData(502, "<html><body>Bad Gateway</body></html>")]
    [InlineData(500, "")]
    [InlineData(404, "Not Found\n")]
    [InlineData(400, "Client sent an HTTP request to an HTTPS server.\n")]
    [InlineData(301, "")]
    [InlineData(200, "")]
    [InlineData(200, "{}")]
    [InlineData(200, "null")]
    [InlineData(200, "[1")]
    [InlineData(200, """{"header":{"revision":"-"}}""")]
    public async Task What_is_not_etcd_is_said_to_be_none(int status, string body)
    {
        await using var other = new FakeEtcd((_, stream) => FakeEtcd.SendAsync(stream, status, body, "Location: http://127.0.0.1:1/\r\n"));
        await using var store = new EtcdStore(other.Options);
        Assert.Equal("ASH4075", await CodeAsync(async () => await store.ListAsync("")));
        Assert.Equal("ASH4072", await CodeAsync(async () => await PutAsync(store)));
    }

    [Fact]
    public async Task An_error_without_end_is_read_to_a_limit()
    {
        await using var other = new FakeEtcd((_, stream) => FakeEtcd.SendAsync(stream, 500, new string('x', 1 << 20)));
        await using var store = new EtcdStore(other.Options);
        Assert.Equal("ASH4075", await CodeAsync(async () => await store.ListAsync("")));
    }

    [Fact]
    public async Task Another_cluster_is_refused()
    {
        await using var etcd = new FakeEtcd((_, stream) => FakeEtcd.SendAsync(stream, 200, FakeEtcd.Object(5)));
        await using (var store = new EtcdStore(etcd.Options with { ClusterId = 7 }))
        {
            Assert.Null(await store.GetAsync("a"));
        }

        await using var strict = new EtcdStore(etcd.Options with { ClusterId = 8 });
        Assert.Equal("ASH4075", await CodeAsync(async () => await strict.GetAsync("a")));
    }

    [Fact]
    public async Task No_answer_is_no_majority_for_a_question_and_an_unknown_outcome_for_a_change()
    {
        await using var etcd = new FakeEtcd((_, stream) => FakeEtcd.HangAsync(stream));
        await using var store = new EtcdStore(etcd.Impatient);
        Assert.Equal("ASH4071", await CodeAsync(async () => await store.GetAsync("a")));
        var before = etcd.Requests.Count;
        Assert.Equal("ASH4072", await CodeAsync(async () => await PutAsync(store)));
        Assert.Equal(before + 1, etcd.Requests.Count);
    }

    [Fact]
    public async Task An_answer_that_is_cut_is_none()
    {
        await using var etcd = new FakeEtcd((_, stream) => stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"header"u8.ToArray()).AsTask());
        await using var store = new EtcdStore(etcd.Impatient);
        Assert.Equal("ASH4071", await CodeAsync(async () => await store.GetAsync("a")));
        Assert.Equal("ASH4072", await CodeAsync(async () => await PutAsync(store)));
    }

    [Fact]
    public async Task A_change_goes_to_the_next_member_if_the_first_has_surely_not_made_it()
    {
        await using var leaderless = new FakeEtcd((_, stream) => FakeEtcd.SendAsync(stream, 503, NoLeader));
        await using var good = new FakeEtcd((_, stream) => FakeEtcd.SendAsync(stream, 200, FakeEtcd.Object(9, "\"succeeded\":true")));
        var nobody = new Uri($"http://127.0.0.1:{Ports.Free()}");
        await using var store = new EtcdStore(good.Options with
        {
            Endpoints = [nobody, leaderless.Options.Endpoints[0], good.Options.Endpoints[0]],
        });
        Assert.Equal(new CommitResult(true, 9), await PutAsync(store));
        Assert.Equal(new CommitResult(true, 9), await PutAsync(store));
        Assert.Single(leaderless.Requests);
        Assert.Equal(2, good.Requests.Count);
    }

    [Fact]
    public async Task A_slow_member_is_passed_over_and_no_longer_asked_first()
    {
        await using var slow = new FakeEtcd((_, stream) => FakeEtcd.HangAsync(stream));
        await using var good = new FakeEtcd((_, stream) => FakeEtcd.SendAsync(stream, 200, FakeEtcd.Object(9)));
        await using var store = new EtcdStore(good.Options with
        {
            Endpoints = [slow.Options.Endpoints[0], good.Options.Endpoints[0]],
            AttemptLimit = TimeSpan.FromSeconds(1),
        });
        Assert.Null(await store.GetAsync("a"));
        Assert.Null(await store.GetAsync("a"));
        Assert.Single(slow.Requests);
    }

    [Fact]
    public async Task Nobody_at_the_address_is_unreachable()
    {
        await using var store = new EtcdStore(new EtcdOptions
        {
            Endpoints = [new Uri($"http://127.0.0.1:{Ports.Free()}")],
            AttemptLimit = TimeSpan.FromMilliseconds(100),
            TotalLimit = TimeSpan.FromMilliseconds(200),
        });
        Assert.Equal("ASH4070", await CodeAsync(async () => await store.GetAsync("a")));
        Assert.Equal("ASH4070", await CodeAsync(async () => await PutAsync(store)));
    }

    [Theory]
    [InlineData(400, 3, "etcdserver: user name is empty", "ASH4080")]
    [InlineData(400, 3, "etcdserver: request is too large", "ASH4080")]
    [InlineData(500, 15, "etcdserver: corrupt cluster", "ASH4081")]
    [InlineData(429, 8, "etcdserver: mvcc: database space exceeded", "ASH4074")]
    [InlineData(503, 14, "etcdserver: request timed out", "ASH4072")]
    [InlineData(504, 4, "context deadline exceeded", "ASH4072")]
    public async Task Each_refusal_has_its_error(int status, int code, string message, string expected)
    {
        await using var etcd = new FakeEtcd((_, stream) => FakeEtcd.SendAsync(stream, status, $$"""{"error":"{{message}}","message":"{{message}}","code":{{code}}}"""));
        await using var store = new EtcdStore(etcd.Options);
        Assert.Equal(expected, await CodeAsync(async () => await PutAsync(store)));
    }

    [Fact]
    public async Task What_the_network_says_is_shown_without_control_characters()
    {
        await using var etcd = new FakeEtcd((_, stream) => FakeEtcd.SendAsync(stream, 400, """{"message":"a\u001b[31m\nb","code":3}"""));
        await using var store = new EtcdStore(etcd.Options);
        var error = await Assert.ThrowsAsync<AshlarException>(async () => await store.GetAsync("a"));
        Assert.DoesNotContain(error.Message, char.IsControl);
    }

    [Fact]
    public async Task Who_gives_up_a_candidacy_while_etcd_is_away_is_told_nothing_else()
    {
        using var cancel = new CancellationTokenSource();
        await using var etcd = new FakeEtcd(async (n, stream) =>
        {
            if (n == 0)
            {
                await FakeEtcd.SendAsync(stream, 200, FakeEtcd.Object(5, "\"succeeded\":true"));
                return;
            }

            await cancel.CancelAsync();
            await FakeEtcd.HangAsync(stream);
        });
        await using var store = new EtcdStore(etcd.Impatient);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.CampaignAsync("leader", "me", 7, cancel.Token));
        Assert.Equal(3, etcd.Requests.Count);
    }

    [Theory]
    [InlineData("ftp://127.0.0.1:1", "")]
    [InlineData("http://127.0.0.1:1/path", "")]
    [InlineData("http://me:secret@127.0.0.1:1", "")]
    [InlineData("http://127.0.0.1:1", "no-slash")]
    [InlineData("http://127.0.0.1:1", "a b/")]
    public void Options_that_cannot_be_are_refused(string endpoint, string prefix) =>
        Assert.Throws<ArgumentException>(() => new EtcdStore(new EtcdOptions { Endpoints = [new Uri(endpoint)], Prefix = prefix }));

    private static ValueTask<CommitResult> PutAsync(EtcdStore store) => store.CommitAsync(new StoreTransaction([], [new("a", TestText.Bytes("1"))]));

    private static async Task<string> CodeAsync(Func<Task> action) => (await Assert.ThrowsAsync<AshlarException>(() => action().Soon())).Error.Code;

    private static async Task<List<StoreEvent>> TakeAsync(EtcdStore store, int count, long from)
    {
        using var bound = new CancellationTokenSource(Wait.Long);
        var taken = new List<StoreEvent>();
        await foreach (var change in store.WatchAsync("", from, bound.Token))
        {
            taken.Add(change);
            if (taken.Count == count)
            {
                break;
            }
        }

        return taken;
    }
}
