using Antbot.Chaos.Links;

namespace Antbot.Chaos.Faults;

internal static class LinkFaults
{
    private const double PartSeconds = 6;

    private static readonly Flow Held = new(Held: true);
    private static readonly Flow Lost = new(Lost: true);

    public static async Task PartAsync(Scene scene, string from, string to)
    {
        var link = scene.Services.LinksTo(to, from).Single();
        foreach (var (there, back) in new[] { (Held, Held), (Held, Flow.Free), (Flow.Free, Held) })
            await DuringAsync(scene, [link], () => link.Set(there, back), PartSeconds);
    }

    public static Task PartAllAsync(Scene scene) => DuringAsync(scene, [.. scene.Services.Links.Where(l => l.IsUsed)], () => Each(scene.Services.Links, l => l.Set(Held, Held)), 30);

    public static Task SlowAsync(Scene scene, string to, double seconds, double during)
    {
        var links = scene.Services.LinksTo(to).Where(l => l.IsUsed).ToList();
        var slow = new Flow(Delay: TimeSpan.FromSeconds(seconds));
        return DuringAsync(scene, links, () => Each(links, l => l.Set(slow, slow)), during);
    }

    public static Task TrickleAsync(Scene scene, string to)
    {
        var links = scene.Services.LinksTo(to).Where(l => l.IsUsed).ToList();
        var trickle = new Flow(BytesPerSecond: 2_000);
        return DuringAsync(scene, links, () => Each(links, l => l.Set(trickle, trickle)), 15);
    }

    public static Task ResetAsync(Scene scene, string to)
    {
        var links = scene.Services.LinksTo(to).Where(l => l.IsUsed).ToList();
        return DuringAsync(scene, links, () => Each(links, l => l.Refuse()), 5);
    }

    public static async Task HalfCloseAsync(Scene scene, string to)
    {
        var links = scene.Services.LinksTo(to).Where(l => l.IsUsed).ToList();
        for (var i = 0; i < 3; i++)
            await DuringAsync(scene, links, () => Each(links, l => l.HalfClose()), 5);
    }

    public static Task LoseAsync(Scene scene, string to)
    {
        var links = scene.Services.LinksTo(to).Where(l => l.IsUsed).ToList();
        return DuringAsync(scene, links, () => Each(links, l => l.Set(Lost, Lost)), 10);
    }

    /// <summary>Does it, waits, heals; a fault that met nothing has proved nothing.</summary>
    private static async Task DuringAsync(Scene scene, IReadOnlyList<Link> links, Action begin, double seconds)
    {
        var struck = links.ToDictionary(l => l, l => l.Struck);
        begin();
        try
        {
            await scene.WaitAsync(seconds);
        }
        finally
        {
            Each(links, l => l.Heal());
        }
        // Those whose bytes were held are counted when they are let go.
        await scene.UntilAsync(() => !Spared().Any(), () => $"the fault meets something between {string.Join(", ", Spared().Select(l => $"{l.From} and {l.To}"))}", TimeSpan.FromSeconds(5));

        IEnumerable<Link> Spared() => links.Where(l => l.Struck == struck[l]);
    }

    private static void Each(IEnumerable<Link> links, Action<Link> what)
    {
        foreach (var link in links)
            what(link);
    }
}
