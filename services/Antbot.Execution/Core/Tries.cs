using System.Globalization;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;
using Antbot.Kernel.Identity;

namespace Antbot.Execution;

/// <summary>
/// How often an order is tried, and how long the next try waits. Only what the venue has said not to have happened is tried again; what
/// it was silent about is asked after first.
/// </summary>
public static class Tries
{
    private const int MillisecondsFirst = 1_000;
    private const int MillisecondsMost = 30_000;

    private static readonly TimeSpan WaitMostOfExits = TimeSpan.FromMinutes(1);

    /// <summary>Up to a quarter longer, so that what was refused together does not come again together.</summary>
    private const int JitterPart = 4;

    /// <summary>Everything that makes a position smaller must be done. Of entries the market's comes too late for another chance; a limit's costs nothing but the chance.</summary>
    public static Criticality CriticalityOf(OrderRole role, OrderKind kind) => role switch
    {
        OrderRole.Entry => kind == OrderKind.Market ? Criticality.High : Criticality.Medium,
        _ => Criticality.Critical,
    };

    /// <summary>Null for without end.</summary>
    public static int? Most(OrderIntended intended, ExecutionPolicy policy) => Of(intended) switch
    {
        Criticality.Low => 1,
        Criticality.Critical => null,
        _ => policy.EntryAttemptsMax,
    };

    /// <summary>Whether, its tries used up, it is looked at once more.</summary>
    public static bool IsLookedAtStrictly(OrderState order, ExecutionPolicy policy) =>
        order is { Status: OrderStatus.Intended, Strictly: null } && Of(order.Intended) == Criticality.High && order.Attempts == policy.EntryAttemptsMax && !IsFinal(order.Refusal);

    /// <summary>A second, then twice as long each time, up to half a minute; and a little more, which the order's name and the number of the try decide.</summary>
    public static TimeSpan Pause(ClientOrderId order, int tries)
    {
        var plain = Math.Min(MillisecondsMost, MillisecondsFirst << Math.Clamp(tries - 1, 0, 10));
        var chance = BitConverter.ToUInt16(DeterministicId.From("pause", order.Value, tries.ToString(CultureInfo.InvariantCulture)).ToByteArray());
        return TimeSpan.FromMilliseconds(plain + plain / JitterPart * chance / ushort.MaxValue);
    }

    /// <summary>
    /// When what never left, or was too much, is tried again. An order that makes a position smaller waits for as long as it was told and no
    /// longer, however often it was tried. But of it no word of a day's wait is taken for granted: what it rests on may turn out to be
    /// otherwise, and asking again costs nothing at the venue.
    /// </summary>
    public static TimeSpan Wait(OrderState order, TimeSpan? told)
    {
        var isCritical = Of(order.Intended) == Criticality.Critical;
        var pause = Pause(order.Id, told is not null && isCritical ? 1 : order.Attempts);
        var wait = told > pause ? told.Value : pause;
        return isCritical && wait > WaitMostOfExits ? WaitMostOfExits : wait;
    }

    /// <summary>The same again would be refused again.</summary>
    public static bool IsFinal(Refusal? refusal) => refusal is not (null or Refusal.OutOfWindow or Refusal.RateLimited or Refusal.DuplicateOrder);

    private static Criticality Of(OrderIntended intended) => intended.Criticality ?? (intended.Role == OrderRole.Entry ? Criticality.Medium : Criticality.Critical);
}
