namespace Ashlar.Stack.Tests;

public sealed class StackFileTests : StackTest
{
    [Fact]
    public void Every_key_is_read()
    {
        Folder.Write("app/x", "");
        var stack = Valid("""
            name: storefront
            domains: [Storefront.test, www.storefront.test]
            env: {A: 1, B: two, C: }
            user: www-data
            release: ./migrate
            edge: {listen: {http: "127.0.0.1:9000"}}
            services:
              web:
                run: ./web
                build: make web
                directory: app
                instances: 3
                route: [/, /shop/, admin.storefront.test, api.storefront.test/v1]
                interface: http
                health: {path: "/up?full=1", status: 204, interval: 2s, timeout: 500ms, rise: 2, fall: 5}
                limits: {memory: 512MiB, cpu: 1.5, requests: 20, files: 4096}
                balance: round-robin
                waiting: {room: 50, timeout: 3s}
                env: {LOG_LEVEL: info}
                stop: {grace: 1m}
                start: {timeout: 2m}
              worker:
                run: ./worker
            """);

        Assert.Equal("storefront", stack.Name);
        Assert.Equal(["storefront.test", "www.storefront.test"], stack.Domains.ToArray());
        Assert.Equal(("1", "two", ""), (stack.Env["A"], stack.Env["B"], stack.Env["C"]));
        Assert.Equal("www-data", stack.User);
        Assert.Equal("./migrate", stack.Release);
        Assert.Equal(new ListenAddress("127.0.0.1", 9000), stack.Edge.Http);
        var web = stack.Services[0];
        Assert.Equal(("web", "./web", "make web", "app", 3), (web.Name, web.Run, web.Build, web.Folder, web.Instances));
        Assert.Equal(
            [new(null, "/"), new(null, "/shop"), new("admin.storefront.test", "/"), new("api.storefront.test", "/v1")], web.Routes.ToArray());
        Assert.Equal(ServiceInterface.Http, web.Interface);
        Assert.Equal(
            new HealthDefinition
            {
                Path = "/up?full=1",
                Status = 204,
                Interval = TimeSpan.FromSeconds(2),
                Timeout = TimeSpan.FromMilliseconds(500),
                Rise = 2,
                Fall = 5,
            },
            web.Health);
        Assert.Equal(new LimitsDefinition { Memory = 512 << 20, Cpu = 1.5, Requests = 20, Files = 4096 }, web.Limits);
        Assert.Equal(BalancePolicy.RoundRobin, web.Balance);
        Assert.Equal(new WaitingDefinition { Room = 50, Timeout = TimeSpan.FromSeconds(3) }, web.Waiting);
        Assert.Equal("info", web.Env["LOG_LEVEL"]);
        Assert.Equal((TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2)), (web.StopGrace, web.StartTimeout));
        Assert.Equal(ServiceInterface.None, stack.Services[1].Interface);
    }

    [Fact]
    public void The_shortest_file_has_every_default()
    {
        var stack = Valid("services: {web: {run: x}}");

        Assert.StartsWith("ashlar-stack-", stack.Name);
        Assert.Equal(Folder.Path, stack.Directory);
        Assert.Empty(stack.Domains);
        Assert.Equal(new ListenAddress("127.0.0.1", 8080), stack.Edge.Http);
        Assert.Equal([new(null, "/")], stack.Services[0].Routes.ToArray());
        Assert.Equal(ServiceInterface.Http, stack.Services[0].Interface);
        Assert.Equal(new HealthDefinition(), stack.Services[0].Health);
    }

    [Fact]
    public void Machines_and_what_runs_on_which_are_read()
    {
        var stack = Valid("""
            machines:
              app-1: {address: 10.0.0.11, labels: [web, big]}
              db-1: {labels: db}
              spare:
            services: {web: {run: x, machines: {on: web}}, worker: {run: y, machines: {on: app-1, dedicated: true}}}
            database: {machines: {on: db}}
            cache: {redis: {machines: {dedicated: true}}, memcached: {machines: {on: spare}}}
            queue: {redis: {}}
            """);

        Assert.Equal(["app-1", "db-1", "spare"], stack.Machines.Keys);
        Assert.Equal("10.0.0.11", stack.Machines["app-1"].Address);
        Assert.Equal(["big", "web"], stack.Machines["app-1"].Labels);
        Assert.Equal(["db"], stack.Machines["db-1"].Labels);
        Assert.Equal(
            [new() { On = "web" }, new() { On = "app-1", Dedicated = true }, new() { On = "db" }, new() { Dedicated = true }, new() { On = "spare" }, PlacementDefinition.Anywhere],
            [.. stack.Services.Select(s => s.Machines), stack.Database!.Machines, stack.Cache!.Redis!.Machines, stack.Cache.Memcached!.Machines, stack.Queue!.Redis!.Machines]);
        Assert.Equal(stack.Machines["app-1"].Labels, StackJson.Deserialize(StackJson.Serialize(stack)).Machines["app-1"].Labels);
    }

    [Fact]
    public void A_label_that_no_machine_of_the_file_has_is_a_warning()
    {
        var result = Yaml("machines: {a: {labels: web}}\nservices: {web: {run: x, machines: {on: wbe}}}");

        Assert.NotNull(result.Stack);
        Assert.Contains("did you mean web?", Assert.Single(result.Diagnostics).ToString());
    }

    [Fact]
    public void Web_leaves_the_root_to_a_service_that_has_it()
    {
        var stack = Valid("services: {web: {run: x}, front: {run: y, route: /}}");

        Assert.Empty(stack.Services[0].Routes);
        Assert.Equal(ServiceInterface.None, stack.Services[0].Interface);
    }

    [Fact]
    public void Web_has_the_root_beside_a_root_of_another_host() =>
        Assert.Equal([new(null, "/")], Valid("services: {web: {run: x}, front: {run: y, route: a.test}}").Services[0].Routes.ToArray());

    [Fact]
    public void Web_with_an_empty_list_of_routes_has_none() =>
        Assert.Empty(Service("route: []\ninterface: http").Routes);

    [Fact]
    public void A_route_interface_or_health_makes_a_service_speak_http()
    {
        var stack = Valid("services: {a: {run: x, route: /a}, b: {run: x, interface: http}, c: {run: x, health: /up}, d: {run: x}}");

        Assert.Equal(
            [ServiceInterface.Http, ServiceInterface.Http, ServiceInterface.Http, ServiceInterface.None], stack.Services.Select(s => s.Interface));
    }

    [Fact]
    public void A_service_of_scripts_needs_no_command()
    {
        var service = Valid("services: {web: {interface: cgi, root: cgi, limits: {time: 10s}}}").Services[0];
        Assert.Equal((ServiceInterface.Cgi, "cgi", "", TimeSpan.FromSeconds(10), LimitsDefinition.CgiRequests), (service.Interface, service.Root, service.Run, service.Limits.Time, service.RequestLimit));
        Assert.Equal(3, Service("interface: cgi\nlimits: {requests: 3}").RequestLimit);
        Assert.Null(Service("interface: http").RequestLimit);
    }

    [Theory]
    [InlineData("0.0.0.0:80", "0.0.0.0", 80)]
    [InlineData("10.0.0.1:8080", "10.0.0.1", 8080)]
    [InlineData("'[::1]:8080'", "::1", 8080)]
    [InlineData("{http: localhost:8080}", "127.0.0.1", 8080)]
    [InlineData("{}", "127.0.0.1", 8080)]
    public void The_edge_listens_where_the_file_says(string listen, string address, int port) =>
        Assert.Equal(new ListenAddress(address, port), Valid($"edge: {{listen: {listen}}}\nservices: {{web: {{run: x}}}}").Edge.Http);

    [Theory]
    [InlineData("80")]
    [InlineData("'*:80'")]
    [InlineData("{http: 80}")]
    public void A_bare_port_means_all_addresses(string listen)
    {
        var http = Valid($"edge: {{listen: {listen}}}\nservices: {{web: {{run: x}}}}").Edge.Http;

        Assert.Equal(new ListenAddress(System.Net.Sockets.Socket.OSSupportsIPv6 ? "::" : "0.0.0.0", 80), http);
    }

    [Fact]
    public void Anchors_and_merged_maps_are_understood()
    {
        var stack = Valid("""
            services:
              web: &app
                run: ./app
                env: &env {A: 1}
              other:
                <<: *app
                route: /other
                env: {<<: *env, A: 2, B: 3}
            """);

        Assert.Equal("./app", stack.Services[1].Run);
        Assert.Equal(("2", "3"), (stack.Services[1].Env["A"], stack.Services[1].Env["B"]));
    }

    [Theory]
    [InlineData("\uFEFFservices:\n  web:\n    run: x\n")]
    [InlineData("services:\r\n  web:\r\n    run: x\r\n")]
    [InlineData("---\nservices: {web: {run: x}}\n...\n")]
    public void A_byte_order_mark_and_either_line_end_are_fine(string yaml) =>
        Assert.Equal("x", Valid(yaml).Services[0].Run);

    [Fact]
    public void Numbers_stay_as_they_are_written_in_variables() =>
        Assert.Equal("010", Service("env: {A: 010}").Env["A"]);

    [Fact]
    public void The_file_itself_can_be_named()
    {
        var path = Folder.Write("production.yaml", "services: {web: {run: x}}");

        Assert.Equal("x", WithoutDiagnostics(StackLoader.Load(path)).Services[0].Run);
    }

    [Fact]
    public void The_directory_is_the_real_one()
    {
        Folder.Write("real/ashlar.yaml", "services: {web: {run: x}}");
        var link = Path.Combine(Folder.Path, "link");
        Directory.CreateSymbolicLink(link, Path.Combine(Folder.Path, "real"));

        Assert.Equal(Path.Combine(Folder.Path, "real"), WithoutDiagnostics(StackLoader.Load(link)).Directory);
    }
}
