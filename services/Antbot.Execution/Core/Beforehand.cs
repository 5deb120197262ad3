using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;

namespace Antbot.Execution;

/// <summary>
/// What a message would be decided on, for whoever asks before it comes. What the venue and the market will say by then nobody knows: so it
/// is decided twice, once as if they said nothing and once as if nothing stood in the way, and what both come to holds whatever they say.
/// </summary>
public static class Beforehand
{
    public const string NotAsked = "the venue was not asked: it is in no doubt";

    private const int WindowMilliseconds = 5_000;

    /// <summary>Of an entry that is not planned nothing depends on it.</summary>
    private static readonly ExecutionPolicy Unread = new(0, null, null, null, 0, 0, 0, 0, 0);

    /// <summary>Null where all of it depends on what the venue and the market say.</summary>
    public static IReadOnlyList<ExecutionInput>? InputsOf(OrdersState state, ITradeMessage message, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        Stamp[] stamps =
        [
            new(null, WindowMilliseconds, 0, "nobody has asked yet", "nobody has asked yet", null),
            new(now, WindowMilliseconds, 0, null, null, state.Plan?.Signal.Reference),
        ];
        return message switch
        {
            // Of one that has come before, or comes too late, the price makes no difference.
            ExecuteTrade m when state.Plan is not null || state.Refused || state.Forbidden is not null => [.. stamps.Select(s => new Enter(m.Signal, m.Reserved, null, null, state.Plan?.Policy ?? Unread, s))],
            SettleOrder m when state.Find(m.Order) is not { IsOpenAttempt: true } => [.. stamps.Select(s => Settle(m, NotAsked, s))],
            _ when ExecutionInput.Of(message, stamps[0]) is not null => [.. stamps.Select(s => ExecutionInput.Of(message, s)!)],
            _ => null,
        };
    }

    public static ExecutionInput Settle(SettleOrder message, string evidence, Stamp stamp)
    {
        ArgumentNullException.ThrowIfNull(message);
        return message.Confirms
            ? new ConfirmSettlement(message.Order, message.Request, message.By, message.Reason, evidence, stamp)
            : new ProposeSettlement(message.Order, message.Request, message.By, message.Reason, evidence, stamp);
    }
}
