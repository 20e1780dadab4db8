using Ashlar.Agent.Reconciling;

namespace Ashlar.Agent.Tests;

/// <summary>Random histories: whatever is ordered and whatever goes wrong, what must hold holds after every step.</summary>
public sealed class ReconcilerHistoryTests
{
    private static readonly string[] Services = ["web", "api", "worker", "edge"];

    [Fact]
    public void RandomHistoriesKeepTheRules() => Play(firstSeed: 1, histories: 300);

    [Fact]
    [Trait("Length", "Full")]
    public void ManyRandomHistoriesKeepTheRules() => Play(firstSeed: 1_000, histories: 30_000);

    private static void Play(int firstSeed, int histories)
    {
        for (var seed = firstSeed; seed < firstSeed + histories; seed++)
        {
            try
            {
                History(new Random(seed));
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}", e);
            }
        }
    }

    private static void History(Random random)
    {
        var world = new World(random);
        var bad = random.Next(3) == 0;
        var failures = random.Next(2) == 0;
        for (var order = 0; order < 6; order++)
        {
            var service = Services[random.Next(Services.Length)];
            var fingerprint = $"f{random.Next(3)}";
            world.Bad.Clear();
            if (bad && order < 5)
            {
                world.Bad.Add(fingerprint);
            }

            world.Want(service, random.Next(service == "edge" ? 2 : 5), fingerprint, from: random.Next(6) == 0 ? 2 : 1);
            for (var i = random.Next(60); i > 0; i--)
            {
                Turn(world, failures);
            }
        }

        // Left in peace it gets there, once nothing is bad any more and a person restarts what has crashed.
        world.Bad.Clear();
        foreach (var service in Services)
        {
            world.Want(service, world.Desired.Count(d => d.Service == service), "last", from: 1);
        }

        for (var i = 0; i < 5000 && !Reconciler.IsReached(world.Desired, world.Observed); i++)
        {
            Turn(world, failures: false);
        }

        Assert.True(Reconciler.IsReached(world.Desired, world.Observed), "never got there");
        Assert.Empty(world.Reconcile().Steps);

        GoDown(world);
    }

    /// <summary>One pass, each of its steps checked, then something happens.</summary>
    private static void Turn(World world, bool failures)
    {
        var before = Services.ToDictionary(s => s, s => (Healthy: world.Healthy(s), Serving: Serving(world, s)));
        foreach (var step in world.Reconcile().Steps)
        {
            world.Apply(step);
        }

        foreach (var service in Services)
        {
            var wanted = world.Desired.Count(d => d.Service == service);
            Assert.True(
                world.Healthy(service) >= Math.Min(wanted, before[service].Healthy),
                $"{service}: {world.Healthy(service)} healthy, before {before[service].Healthy}, wanted {wanted}");
            var unwanted = world.Observed.Count(o => o.Service == service && o.Serves && !world.Desired.Any(d => d.Name == o.Name));
            Assert.True(
                Serving(world, service) <= Math.Max(before[service].Serving, wanted + unwanted + 1),
                $"{service}: {Serving(world, service)} run, wanted {wanted}, not wanted {unwanted}, before {before[service].Serving}");
        }

        foreach (var slot in world.Observed.GroupBy(o => o.Name))
        {
            Assert.True(slot.Count(o => o.Serves) <= 3, $"{slot.Key} is started again and again");
        }

        world.Happen(failures);
    }

    private static void GoDown(World world)
    {
        for (var i = 0; i < 5000 && world.Observed.Count > 0; i++)
        {
            foreach (var step in world.Reconcile(Shutdown.InOrder).Steps)
            {
                world.Apply(step);
            }

            var leavingEdge = world.Observed.Any(o => o.Tier == "edge" && o.Leaves);
            Assert.False(leavingEdge && world.Observed.Any(o => o.Tier != "edge" && o.Alive), "the edge left before what it serves");
            var leavingWeb = world.Observed.Any(o => o.HasEndpoint && o.Leaves);
            Assert.False(leavingWeb && world.Observed.Any(o => o.Service == "worker" && o.Alive), "web left before the workers");
            world.Happen(failures: false);
        }

        Assert.Empty(world.Observed);
    }

    private static int Serving(World world, string service) => world.Observed.Count(o => o.Service == service && o.Serves);
}
