using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;

namespace Antbot.Execution;

/// <summary>
/// Two operators settle an order of which the venue does not say what became: that it was never placed. Each of them has the venue
/// asked once more, and where it answers its word counts and nobody's else. What it says later counts as well.
/// </summary>
internal static class Settlement
{
    private static readonly TimeSpan ProposalLasts = TimeSpan.FromMinutes(15);

    /// <summary>How far the two clocks may differ where the venue's was never measured.</summary>
    private static readonly TimeSpan ClockMargin = TimeSpan.FromMinutes(1);

    public static void Propose(Turn turn, ProposeSettlement input)
    {
        var order = turn.State.Find(input.Order);
        var others = order?.Proposal is { } open && open.By != input.By && turn.Now < open.ExpiresAt ? open : null;
        Verdict[] verdicts =
        [
            IsInDoubt(order),
            CannotArrive(turn, order),
            new("no-other-proposal", others is null, others is null ? "none is open" : $"{others.By} has proposed it, open until {others.ExpiresAt:O}: confirm that one"),
        ];
        if (Array.Exists(verdicts, v => !v.Passed))
            turn.Record(new OrderSettlementRefused(input.Order, input.Request, input.By, Words.Cut(input.Reason), verdicts));
        else
            turn.Record(new OrderSettlementProposed(input.Order, input.Request, input.By, Words.Cut(input.Reason), Words.Cut(input.Evidence), turn.Now + ProposalLasts));
    }

    public static void Confirm(Turn turn, ConfirmSettlement input)
    {
        var order = turn.State.Find(input.Order);
        var proposal = order?.Proposal;
        Verdict[] verdicts =
        [
            IsInDoubt(order),
            CannotArrive(turn, order),
            new("proposed", proposal is not null, proposal is null ? "nobody has proposed to settle it" : $"{proposal.By}: {proposal.Reason}"),
            new("not-expired", turn.Now < proposal?.ExpiresAt, proposal is null ? "there is no proposal" : $"open until {proposal.ExpiresAt:O}"),
            new("another-operator", proposal is not null && proposal.By != input.By, $"proposed by {proposal?.By ?? "nobody"}, confirmed by {input.By}"),
        ];
        if (Array.Exists(verdicts, v => !v.Passed))
        {
            turn.Record(new OrderSettlementRefused(input.Order, input.Request, input.By, Words.Cut(input.Reason), verdicts));
            return;
        }
        turn.End(order!, OrderEnd.NeverPlaced, Words.Cut($"settled by {proposal!.By} and {input.By}: {input.Reason}"));
        turn.Record(new OrderSettled(input.Order, input.Request, input.By, Words.Cut(input.Reason), proposal.By, Words.Cut(input.Evidence)));
    }

    private static Verdict CannotArrive(Turn turn, OrderState? order) => new(
        "window-passed", (turn.Stamp.VenueTime ?? turn.Now - ClockMargin) >= order?.SettledAt, order?.SettledAt is { } at ? $"no attempt can arrive after {at:O}" : "there was no attempt");

    private static Verdict IsInDoubt(OrderState? order) => new(
        "in-doubt", order is { IsOpenAttempt: true, VenueOrderId: null },
        order is null ? "this trade has no such order" : order.IsOpenAttempt ? $"{order.Status} since attempt {order.Attempts}" : $"it is {order.Status}{(order.LastWord is { } word ? $": {word}" : "")}");
}
