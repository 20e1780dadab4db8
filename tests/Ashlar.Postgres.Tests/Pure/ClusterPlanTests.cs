using System.Collections.Immutable;
using Ashlar.Catalog;
using Ashlar.Errors;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Postgres.Tests.Pure;

/// <summary>Stack and orders → servers, with nothing done.</summary>
public sealed class ClusterPlanTests
{
    private static readonly ImmutableSortedDictionary<string, string> Secrets = new[] { "ashlar", "replicator", "app" }
        .ToImmutableSortedDictionary(user => $"database.{user}", user => $"SecretOf{user}");

    private static PlanContext Context(DatabaseDefinition? database, string name = "shop") => new()
    {
        Stack = new StackDefinition { Name = name, Directory = "/srv/shop", Database = database },
        Release = "v1",
        ReleaseFolder = "/srv/shop",
        StateFolder = "/srv/shop/.ashlar",
        Program = "/opt/ashlar",
        ProgramVersion = "1",
        Ports = Enumerable.Range(1, 9).ToImmutableSortedDictionary(i => $"database.{i}", i => 5000 + i),
        Secrets = Secrets,
    };

    private static DesiredInstance[] Plan(PlanContext context) => [.. PostgresTier.Plan(context)];

    [Fact]
    public void A_stack_without_a_database_wants_needs_and_gives_nothing()
    {
        var context = Context(null);
        Assert.Empty(Plan(context));
        Assert.Equal(TierNeeds.None, PostgresTier.Needs(context));
        Assert.Empty(PostgresTier.Variables(context));
        Assert.Empty(PostgresTier.Scales(context));
        Assert.Null(PostgresTier.Access(context));
    }

    [Fact]
    public void Servers_are_numbered_the_first_is_the_primary_and_the_others_wait_for_it()
    {
        var plan = Plan(Context(new DatabaseDefinition { Replicas = 2 }));
        Assert.Equal(["database.1", "database.2", "database.3"], plan.Select(i => i.Name));
        Assert.Equal(["primary", "replica", "replica"], plan.Select(i => i.Role));
        Assert.Equal([5001, 5002, 5003], plan.Select(i => i.Port));
        Assert.Equal([[], ["database.1"], ["database.1"]], plan.Select(i => i.After.ToArray()));
        Assert.All(plan, i => Assert.True(i is { Exclusive: true, HasEndpoint: false, StopRequest: StopRequest.InterruptLeader, Readiness: Readiness.Probe }));
    }

    [Fact]
    public void No_secret_stands_in_a_command_a_fingerprint_or_a_probes_text()
    {
        foreach (var instance in Plan(Context(new DatabaseDefinition { Replicas = 1, Settings = ImmutableSortedDictionary<string, string>.Empty.Add("app.key", "SecretOfSetting") })))
        {
            Assert.DoesNotContain("SecretOf", string.Join(' ', instance.Launch.Command) + instance.Fingerprint + instance.Probe);
            Assert.Contains(instance.Launch.Environment.Values, value => value == "SecretOfapp");
        }
    }

    [Fact]
    public void What_replaces_a_server_is_another_setting_version_memory_user_port_or_restart_and_nothing_else()
    {
        var context = Context(new DatabaseDefinition { Replicas = 1 });
        var before = Plan(context);
        string[] Same(PlanContext changed) => [.. Plan(changed).Where(i => before.Any(b => b.Name == i.Name && b.Fingerprint == i.Fingerprint)).Select(i => i.Name)];
        PlanContext With(DatabaseDefinition database) => context with { Stack = context.Stack with { Database = database } };

        Assert.Equal(["database.1", "database.2"], Same(context with { ProgramVersion = "2", Release = "v2", Program = "/other" }));
        Assert.Equal(["database.1", "database.2"], Same(With(new DatabaseDefinition { Replicas = 5 })));
        Assert.Empty(Same(With(new DatabaseDefinition { Replicas = 1, Memory = 1 << 30 })));
        Assert.Empty(Same(With(new DatabaseDefinition { Replicas = 1, Version = 15 })));
        Assert.Empty(Same(With(new DatabaseDefinition { Replicas = 1, Settings = ImmutableSortedDictionary<string, string>.Empty.Add("work_mem", "8MB") })));
        Assert.Empty(Same(context with { User = "somebody" }));
        Assert.Empty(Same(context with { RestartCounts = context.RestartCounts.Add("database", 1) }));
        Assert.Equal(["database.1"], Same(context with { RestartCounts = context.RestartCounts.Add("database.2", 1) }));
        Assert.Equal(["database.1"], Same(context with { Ports = context.Ports.SetItem("database.2", 6000) }));
        Assert.Empty(Same(context with { Ports = context.Ports.SetItem("database.1", 6000) }));
    }

    [Fact]
    public void Replicas_can_be_scaled_and_servers_stopped()
    {
        var context = Context(new DatabaseDefinition { Replicas = 1 });
        Assert.Equal([("database.replicas", 1)], PostgresTier.Scales(context));
        var scaled = context with { Scale = context.Scale.Add("database.replicas", 3) };
        Assert.Equal(4, Plan(scaled).Length);
        Assert.Equal(["database.1", "database.2", "database.3", "database.4"], PostgresTier.Needs(scaled).Ports.ToArray());
        Assert.Equal(["database.1", "database.3", "database.4"], Plan(scaled with { Stopped = ["database.2"] }).Select(i => i.Name));
        Assert.Empty(Plan(scaled with { Stopped = ["database"] }));
        Assert.Equal("ASH7010", Assert.Throws<AshlarException>(() => Plan(context with { Scale = context.Scale.Add("database.replicas", 9) })).Error.Code);
    }

    [Fact]
    public void Services_find_the_primary_and_a_replica_or_the_primary_twice()
    {
        var alone = PostgresTier.Variables(Context(new DatabaseDefinition())).ToDictionary();
        Assert.Equal("postgres://app:SecretOfapp@127.0.0.1:5001/shop", alone["DATABASE_URL"]);
        Assert.Equal(alone["DATABASE_URL"], alone["DATABASE_DIRECT_URL"]);
        Assert.Equal(alone["DATABASE_URL"], alone["DATABASE_REPLICA_URL"]);
        var two = PostgresTier.Variables(Context(new DatabaseDefinition { Replicas = 1 })).ToDictionary();
        Assert.Equal("postgres://app:SecretOfapp@127.0.0.1:5002/shop", two["DATABASE_REPLICA_URL"]);
    }

    [Theory]
    [InlineData("shop", "shop")]
    [InlineData("my-shop.2", "my_shop_2")]
    [InlineData("9lives", "_9lives")]
    [InlineData("postgres", "postgres_app")]
    [InlineData("all", "all_app")]
    [InlineData("Käse", "k_se")]
    [InlineData("a23456789-a23456789-a23456789-a23456789-a23456789-a23456789-a23456789", "a23456789_a23456789_a23456789_a23456789_a23456789_a23456789_a23")]
    public void The_database_is_named_after_the_stack_so_that_it_needs_no_quotes(string stack, string database) =>
        Assert.Equal(database, ClusterNames.Database(stack));

    [Fact]
    public void A_slot_tells_whose_it_is_and_others_are_nobodys()
    {
        Assert.Equal(12, ClusterNames.IndexOfSlot(ClusterNames.Slot(12)));
        Assert.All(new[] { "ashlar_", "ashlar_x", "ashlar_-1", "ashlar_01", "other_2", "" }, name => Assert.Null(ClusterNames.IndexOfSlot(name)));
    }

    [Fact]
    public void What_the_plan_writes_is_what_the_server_reads()
    {
        foreach (var instance in Plan(Context(new DatabaseDefinition { Replicas = 1, Version = 15, Memory = 5, Settings = ImmutableSortedDictionary<string, string>.Empty.Add("work_mem", "'8MB\\'") })))
        {
            var options = PostgresOptions.Parse([.. instance.Launch.Command.Skip(2)], instance.Launch.Environment);
            Assert.Equal((instance.Name, instance.Port, "shop", 15, 5L), (options.Instance, options.Port, options.Database, options.Version, options.Memory));
            Assert.Equal(instance.Index == 1 ? null : ("database.1", 5001), options.Follows);
            Assert.Equal("'8MB\\'", options.Settings["work_mem"]);
            Assert.Equal(["SecretOfapp", "SecretOfashlar", "SecretOfreplicator"], options.Passwords.Values);
        }
    }
}
