namespace Ashlar.Stack.Tests;

/// <summary>What is wrong in a stack file is answered with its place, its reason and the way out.</summary>
public sealed class MistakeTests : StackTest
{
    [Fact]
    public void A_misspelt_key_is_answered_with_the_nearest()
    {
        var error = ServiceError("instancse: 2");

        Assert.Equal(
            $"{Folder.Path}/ashlar.yaml:4:5: error ASH1003: unknown key \"services.web.instancse\"; did you mean \"instances\"?", error.ToString());
    }

    [Theory]
    [InlineData("service: {}", "did you mean \"services\"?")]
    [InlineData("run: x", "it belongs under services.NAME")]
    [InlineData("listen: 80", "it belongs under edge")]
    [InlineData("postgres: {}", "did you mean \"database\"?")]
    [InlineData("environment: {A: b}", "did you mean \"env\"?")]
    [InlineData("startCommand: x", "known here are name, domains, env, user, services, release, edge, machines, database, cache, queue, dashboard, jobs, schedule, dns")]
    [InlineData("moonphase: full", "known here are name, domains, env, user, services, release, edge, machines, database, cache, queue, dashboard, jobs, schedule, dns")]
    public void An_unknown_key_is_answered_with_what_could_be_meant(string line, string suggestion)
    {
        var error = OneError(Yaml($"services: {{web: {{run: x}}}}\n{line}\n"));

        Assert.Equal(("2:1 ASH1003", suggestion), (Place(error), error.Suggestion));
    }

    [Fact]
    public void All_mistakes_are_said_at_once_in_order()
    {
        Folder.Write(".env", "1A=x\n");
        var result = Yaml("""
            nmae: x
            services:
              web:
                run: [a]
                instances: many
                limits: {memory: 512}
                stop: {grace: 30}
              Web_2:
                run: x
            edge: {listen: 99999}
            """);

        Assert.Null(result.Stack);
        Assert.Equal(
            ["1:1 ASH1003", "4:10 ASH1005", "5:16 ASH1006", "6:22 ASH1007", "7:19 ASH1008", "8:3 ASH1014", "10:16 ASH1017", "1:1 ASH1019"],
            result.Errors.Where(e => e.Code != "ASH1013").Select(Place));
    }

    [Theory]
    [InlineData("instances: 2\ninstances: 3", "5:5 ASH1004", "\"instances\" stands here a second time")]
    [InlineData("instances: -1", "4:16 ASH1006", "services.web.instances is \"-1\", expected a whole number from 0 to 1000")]
    [InlineData("instances: 1.5", "4:16 ASH1006", "expected a whole number")]
    [InlineData("instances: {min: 2, max: 8}", "4:16 ASH1009", "services.web.instances with min and max is known, but not built yet")]
    [InlineData("route: {a: b}", "4:12 ASH1005", "services.web.route is a map")]
    [InlineData("route: [/, [/b]]", "4:16 ASH1005", "services.web.route is a list")]
    [InlineData("route: 'http://a.test/'", "4:12 ASH1015", "a route has no scheme")]
    [InlineData("route: a.test:80", "4:12 ASH1015", "a host name has no port here")]
    [InlineData("route: '*.a.test'", "4:12 ASH1015", "wildcard is not built yet")]
    [InlineData("route: bücher.test", "4:12 ASH1015", "xn--")]
    [InlineData("route: /a/../b", "4:12 ASH1015", "\"..\"")]
    [InlineData("route: /a b", "4:12 ASH1015", "no spaces")]
    [InlineData("route: /a//b", "4:12 ASH1015", "empty segment")]
    [InlineData("route: -a.test", "4:12 ASH1015", "labels of letters")]
    [InlineData("route: [/a, /a/]", "4:12 ASH1016", "which services.web has already")]
    [InlineData("interface: scgi", "4:16 ASH1009", "services.web.interface: scgi is known, but not built yet")]
    [InlineData("interface: htpp", "4:16 ASH1006", "expected http")]
    [InlineData("health: up", "4:13 ASH1006", "a path begins with \"/\"")]
    [InlineData("health: {path: /up, intervall: 1s}", "4:25 ASH1003", "services.web.health.intervall")]
    [InlineData("health: {status: 99}", "4:22 ASH1006", "from 100 to 599")]
    [InlineData("limits: {cpu: much}", "4:19 ASH1006", "a number from 0.01 to 4096")]
    [InlineData("limits: {cpu: NaN}", "4:19 ASH1006", "a number from 0.01 to 4096")]
    [InlineData("limits: 512MiB", "4:13 ASH1005", "services.web.limits is \"512MiB\"")]
    [InlineData("limits: {memory: 1KiB}", "4:22 ASH1006", "a size from 1MiB to 1024TiB")]
    [InlineData("balance: random", "4:14 ASH1006", "expected least-requests or round-robin")]
    [InlineData("waiting: {timeout: 11m}", "4:24 ASH1006", "a duration from 0s to 10m")]
    [InlineData("directory: ..", "4:16 ASH1018", "it leads out of the stack's folder")]
    [InlineData("directory: /etc", "4:16 ASH1018", "it is absolute")]
    [InlineData("directory: nowhere", "4:16 ASH1018", "there is no such folder")]
    [InlineData("env: {A-B: 1}", "4:11 ASH1019", "this is not the name of a variable")]
    [InlineData("env: {A: [1]}", "4:14 ASH1005", "services.web.env.A is a list")]
    [InlineData("env: secret-value", "4:10 ASH1005", "services.web.env is text")]
    [InlineData("build: ''", "4:12 ASH1006", "expected a command")]
    [InlineData("image: nginx", "4:5 ASH1009", "\"services.web.image\" is known, but not built yet")]
    [InlineData("machines: {on: Web}", "4:20 ASH1006", "services.web.machines.on")]
    [InlineData("machines: {dedicated: yes}", "4:27 ASH1006", "expected true or false")]
    [InlineData("machines: web", "4:15 ASH1005", "services.web.machines is \"web\"")]
    public void A_services_mistake_has_its_place(string keys, string place, string message)
    {
        var error = ServiceError(keys);

        Assert.Equal(place, Place(error));
        Assert.Contains(message, error.Message);
        Assert.DoesNotContain("secret-value", error.ToString());
    }

    [Theory]
    [InlineData("image")]
    public void A_tier_that_is_not_built_yet_is_known(string key) =>
        Assert.Equal("2:1 ASH1009", Place(OneError(Yaml($"services: {{web: {{run: x}}}}\n{key}: {{}}\n"))));

    [Theory]
    [InlineData("database: {replicas: 9}", "2:22 ASH1006")]
    [InlineData("database: {reads: session}", "2:12 ASH1009")]
    [InlineData("database: {settings: {work_mem: [1]}}", "2:33 ASH1005")]
    [InlineData("cache: {}", "2:8 ASH1041")]
    [InlineData("queue:", "2:7 ASH1041")]
    [InlineData("cache: {redis: {memory: 1KiB}}", "2:25 ASH1006")]
    [InlineData("dashboard: on", "2:12 ASH1006")]
    [InlineData("dns: {listen: nowhere}", "2:15 ASH1017")]
    [InlineData("dns: {zones: {a..test: {}}}", "2:15 ASH1006")]
    [InlineData("dns: {zones: {a.test: {file: ../a.zone}}}", "2:30 ASH1006")]
    [InlineData("dns: {zones: {a.test: {file: missing.zone}}}", "2:30 ASH1006")]
    [InlineData("dns: {zones: {a.test: {ttl: 1y}}}", "2:29 ASH1008")]
    [InlineData("dns: {addresses: here}", "2:18 ASH1006")]
    [InlineData("dns: {addresses: {app-1: [10.0.0.11, here]}}", "2:38 ASH1006")]
    [InlineData("dns: {resolvers: [off, 192.0.2.53]}", "2:19 ASH1006")]
    [InlineData("machines: {app_1: {}}", "2:12 ASH1014")]
    [InlineData("machines: {1a: {}}", "2:12 ASH1014")]
    [InlineData("machines: {a: {address: 1}}", "2:25 ASH1006")]
    [InlineData("machines: {a: {address: host.test}}", "2:25 ASH1006")]
    [InlineData("machines: {a: {labels: [A]}}", "2:25 ASH1014")]
    [InlineData("machines: {a: 10.0.0.1}", "2:15 ASH1005")]
    [InlineData("machines: {a: {address: 10.0.0.1}, b: {address: 10.0.0.1}}", "2:49 ASH1044")]
    [InlineData("database: {machines: {dedicated: 1}}", "2:34 ASH1006")]
    public void A_mistake_about_a_data_tier_has_its_place(string line, string place) =>
        Assert.Equal(place, Place(OneError(Yaml($"services: {{web: {{run: x}}}}\n{line}\n"))));

    [Theory]
    [InlineData("{cache: {memory: 1}}", "2:24 ASH1007")]
    [InlineData("{cache: {memory: 1GB, disk: 2GB}}", "2:29 ASH1009")]
    [InlineData("{cache: {purge_from: 1.2.3.4.5}}", "2:28 ASH1006")]
    [InlineData("{cache: lots}", "2:15 ASH1007")]
    [InlineData("{static: {/assets: /srv/public}}", "2:26 ASH1018")]
    [InlineData("{static: {assets/x y: public}}", "2:17 ASH1015")]
    [InlineData("{static: {/a: {rot: public}}}", "2:22 ASH1003")]
    [InlineData("{static: {/a: {root: ..}}}", "2:28 ASH1018")]
    [InlineData("{static: {/a: {root: p, try_files: [/x, $uri]}}}", "2:43 ASH1006")]
    [InlineData("{rules: {path: /a}}", "2:15 ASH1005")]
    [InlineData("{rules: [{path: a}]}", "2:23 ASH1006")]
    [InlineData("{rules: [{match: '(?=x)'}]}", "2:24 ASH1006")]
    [InlineData("{rules: [{match: '('}]}", "2:24 ASH1006")]
    [InlineData("{rules: [{deny: everybody}]}", "2:23 ASH1006")]
    [InlineData("{rules: [{redirect: /x, status: 404}]}", "2:39 ASH1006")]
    [InlineData("{rules: [{auth: {users: {ada: secret}}}]}", "2:37 ASH1006")]
    [InlineData("{rules: [{rate: 100}]}", "2:23 ASH1006")]
    [InlineData("{rules: [{headers: {Content-Length: 1}}]}", "2:27 ASH1006")]
    [InlineData("{rules: [{pth: /a}]}", "2:17 ASH1003")]
    [InlineData("{pages: {200: a.html}}", "2:16 ASH1006")]
    [InlineData("{trusted_proxies: [10.0.0.0/33]}", "2:26 ASH1006")]
    [InlineData("{listen: {http: 80, https: x}}", "2:34 ASH1017")]
    [InlineData("{listen: 0}", "2:16 ASH1017")]
    [InlineData("{listen: 1.2.3:80}", "2:16 ASH1017")]
    [InlineData("{listen: example.test:80}", "2:16 ASH1017")]
    [InlineData("{listen: [80]}", "2:16 ASH1005")]
    [InlineData("80", "2:7 ASH1005")]
    public void The_edges_mistakes_have_their_place(string edge, string place) =>
        Assert.Equal(place, Place(OneError(Yaml($"services: {{web: {{run: x}}}}\nedge: {edge}\n"))));

    [Theory]
    [InlineData("512", "did you mean \"512MiB\"?")]
    [InlineData("512M", "did you mean \"512MiB\"?")]
    [InlineData("1gib", "did you mean \"1GiB\"?")]
    [InlineData("1gb", "did you mean \"1GB\"?")]
    [InlineData("much", null)]
    [InlineData("-1GiB", null)]
    [InlineData("999999999999999999TiB", null)]
    public void A_wrong_size_is_answered_with_the_nearest(string size, string? suggestion)
    {
        var error = ServiceError($"limits: {{memory: {size}}}");

        Assert.Equal(("ASH1007", suggestion), (error.Code, error.Suggestion));
    }

    [Theory]
    [InlineData("30", "did you mean \"30s\"?")]
    [InlineData("30sec", "did you mean \"30s\"?")]
    [InlineData("5min", "did you mean \"5m\"?")]
    [InlineData("1H", "did you mean \"1h\"?")]
    [InlineData("soon", null)]
    [InlineData("999999999999999999d", null)]
    public void A_wrong_duration_is_answered_with_the_nearest(string time, string? suggestion)
    {
        var error = ServiceError($"stop: {{grace: {time}}}");

        Assert.Equal(("ASH1008", suggestion), (error.Code, error.Suggestion));
    }

    [Theory]
    [InlineData("name: My Shop", "ASH1014", "did you mean \"my-shop\"?")]
    [InlineData("name: a123456789b123456789c123456789d123456789e", "ASH1014", "did you mean \"a123456789b123456789c123456789d123456789\"?")]
    [InlineData("user: Robert'); DROP", "ASH1006", null)]
    [InlineData("domains: ['a b']", "ASH1015", "expected a host name such as www.example.com")]
    [InlineData("release: {run: x}", "ASH1005", "expected a command")]
    public void The_stacks_own_keys_are_checked(string line, string code, string? suggestion)
    {
        var error = OneError(Yaml($"{line}\nservices: {{web: {{run: x}}}}\n"));

        Assert.Equal((1, code, suggestion), (error.Line, error.Code, error.Suggestion));
    }

    [Fact]
    public void A_route_belongs_to_one_service()
    {
        var error = OneError(Yaml("services:\n  a: {run: x, route: A.test}\n  b: {run: y, route: [/b, a.test/]}\n"));

        Assert.Equal("3:22 ASH1016", Place(error));
        Assert.Equal("services.b has the route a.test/, which services.a has already", error.Message);
    }

    [Theory]
    [InlineData("services: {web: {}}", "1:12 ASH1013")]
    [InlineData("services: {web: }", "1:12 ASH1013")]
    [InlineData("services: {web: ./app}", "1:17 ASH1005")]
    [InlineData("services: {}", "1:11 ASH1029")]
    [InlineData("name: a", "0:0 ASH1029")]
    [InlineData("services: [web]", "1:11 ASH1005")]
    [InlineData("- a", "1:1 ASH1005")]
    [InlineData("just text", "1:1 ASH1005")]
    public void A_stack_needs_services_with_commands(string yaml, string place) => Assert.Equal(place, Place(OneError(Yaml(yaml))));

    [Fact]
    public void A_variable_that_Ashlar_sets_is_warned_of()
    {
        var result = Yaml("env: {PORT: 1}\nservices: {web: {run: x}}");

        Assert.NotNull(result.Stack);
        Assert.Equal("1:7 ASH1034", Place(Assert.Single(result.Diagnostics)));
    }

    [Fact]
    public void An_invalid_stack_can_be_thrown()
    {
        var error = Assert.Throws<Errors.AshlarException>(() => Yaml("a: 1\nb: 2").Require()).Error;

        Assert.Equal(("ASH1000", "stack"), (error.Code, error.Tier));
        Assert.StartsWith("2 mistakes", error.Message);
    }

    [Fact]
    public void Many_warnings_do_not_hide_an_error()
    {
        Folder.Write(".env", string.Concat(Enumerable.Repeat("A=1\n", 500)) + "1B=2\n");

        Assert.Equal("501:1 ASH1019", Place(Assert.Single(Yaml("services: {web: {run: x}}").Errors)));
    }

    [Fact]
    public void No_more_than_a_hundred_mistakes_are_said() =>
        Assert.Equal(100, Yaml(string.Join('\n', Enumerable.Range(0, 40_000).Select(i => $"key{i}: x"))).Diagnostics.Length);
}
