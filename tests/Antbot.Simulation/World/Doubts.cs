using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Simulation.Faults;

namespace Antbot.Simulation.World;

/// <summary>
/// Orders of which it is not known what became: where nothing but the venue goes wrong, each is found out about within a minute of the
/// venue's return, and so is one that the venue has forgotten by its id.
/// </summary>
internal sealed class Doubts(SimWorld world, Action<Invariant, string> violated)
{
    public const string Settled = "orders in doubt that were found out about";

    /// <summary>A plan in which everything is in doubt has so many of them and more, over a hundred plans.</summary>
    public const int PerPlanAtLeast = 8;

    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    private readonly bool _isBound = world.Plan.Faults.All(f => f is VenueErrs or VenueAway or VenueForgets or OperatorsSettle);
    private readonly Dictionary<ClientOrderId, TimeSpan> _since = [];

    public void Look(object @event)
    {
        switch (@event)
        {
            case OrderUnknown e:
                _since.TryAdd(e.Order, world.Loop.Now);
                break;
            case OrderAccepted e:
                FoundOut(e.Order);
                break;
            case OrderAbsent e:
                FoundOut(e.Order);
                break;
            case OrderEnded e:
                FoundOut(e.Order);
                break;
            default:
                // It says nothing of what was in doubt.
                break;
        }
    }

    private void FoundOut(ClientOrderId order)
    {
        if (!_since.Remove(order, out var since))
            return;
        world.Tally.Happened(Settled);
        var returned = world.Plan.Faults.OfType<VenueAway>().Select(a => TimeSpan.FromSeconds(a.AtSeconds + a.ForSeconds)).Where(t => t <= world.Loop.Now).Append(since).Max();
        if (_isBound && world.Loop.Now - returned > Within)
            violated(Invariant.FoundOut, $"{order} was in doubt for {(world.Loop.Now - returned).TotalSeconds:0} s although the venue was there");
    }
}
