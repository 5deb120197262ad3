namespace Antbot.Chaos.Faults;

/// <summary>Of two that do the same, the one that holds the lease stands still, and wakes believing that it holds it still.</summary>
internal static class Zombies
{
    /// <summary>The part of its sleep after which the other has the lease. The rest is time in which both believe that they have it.</summary>
    private const double TakenWithinPart = 0.25;

    /// <summary>A session that is gone is asked about every two seconds.</summary>
    private static readonly TimeSpan KnownWithin = TimeSpan.FromSeconds(15);

    public static Task FreezeAsync(Scene scene, string service, string lease, double seconds) =>
        FreezeAsync(scene, [service, $"{service}-2"], lease, seconds, async instance => await scene.Services.TryGaugeAsync(instance, "antbot_lease_held", scene.Cancel, $"\"{lease}\"") is 1);

    /// <param name="holds">Whether an instance says of itself that it holds the lease; not asked of one that stands still.</param>
    public static async Task FreezeAsync(Scene scene, IReadOnlyList<string> instances, string lease, double seconds, Func<string, Task<bool>> holds)
    {
        IReadOnlyList<string> holders = [];
        await scene.UntilAsync(async () => (holders = await HoldersAsync(instances, holds)).Count == 1, $"one of {string.Join(" and ", instances)} holds {lease}");
        var (frozen, other) = (holders[0], instances.Single(i => i != holders[0]));
        await scene.FreezeAsync(frozen, seconds, () => scene.UntilAsync(() => holds(other), $"{other} has taken {lease} from {frozen}, which stands still", TimeSpan.FromSeconds(seconds * TakenWithinPart)));
        scene.Healed();
        await scene.UntilAsync(async () => await HoldersAsync(instances, holds) is [var holder] && holder == other, $"{frozen} knows that it holds {lease} no more, and {other} does", KnownWithin);
        scene.Note($"{other} took {lease} from {frozen} meanwhile");
    }

    private static async Task<IReadOnlyList<string>> HoldersAsync(IReadOnlyList<string> instances, Func<string, Task<bool>> holds)
    {
        var holders = new List<string>();
        foreach (var instance in instances)
        {
            if (await holds(instance))
                holders.Add(instance);
        }
        return holders;
    }
}
