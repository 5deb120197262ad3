using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;

namespace Antbot.Execution;

/// <summary>Between what a decision is made on and the event that keeps it: a decision of years ago is made again from its own events.</summary>
public static class RecordedInput
{
    /// <param name="decided">What followed: what it says in full is not said twice.</param>
    public static OrderInput Of(ExecutionInput input, IReadOnlyList<object> decided)
    {
        var stamp = input.Stamp;
        var bare = new OrderInput(OrderInputKind.Proceed, stamp.WindowMilliseconds, stamp.ControlVersion, stamp.VenueTime, stamp.EntryBar, stamp.EntryHold, stamp.Last);
        return input switch
        {
            Enter when decided is [EntryPlanned, ..] => bare with { Kind = OrderInputKind.Enter },
            Enter i => bare with { Kind = OrderInputKind.Enter, Signal = i.Signal, Reserved = i.Reserved, Rules = i.Rules, Market = i.Market, Policy = i.Policy },
            GetOut i => bare with { Kind = OrderInputKind.GetOut, Trade = i.Trade, Account = i.Account, Text = Words.Cut(i.Reason) },
            AttemptAnswered i => Answered(bare with { Order = i.Order, Attempt = i.Attempt }, i.Answer),
            AttemptUnanswered i => bare with { Kind = OrderInputKind.Unanswered, Order = i.Order, Attempt = i.Attempt, Text = Words.Cut(i.Text) },
            OrderSeen i => bare with { Kind = OrderInputKind.Seen, Order = i.Order, Report = i.Report },
            OrderNotFound i => bare with { Kind = OrderInputKind.NotFound, Order = i.Order, AskedAt = i.AskedAt, Evidence = Words.Cut(i.Evidence) },
            Proceed i => bare with { Bid = i.Bid, Ask = i.Ask },
            Correct i => bare with { Kind = OrderInputKind.Correct, Order = i.Order, Text = Words.Cut(i.What), Evidence = Words.Cut(i.Evidence) },
            Adopt i => bare with { Kind = OrderInputKind.Adopt, Signal = i.Signal, Found = i.Found, Quantity = i.Quantity, Rules = i.Rules, Policy = i.Policy, Evidence = Words.Cut(i.Evidence), Text = i.Bar },
            WriteOff i => bare with { Kind = OrderInputKind.WriteOff, Quantity = i.Quantity, Text = Words.Cut(i.What), Evidence = Words.Cut(i.Evidence) },
            Revalidate i => bare with { Kind = OrderInputKind.Revalidate, Order = i.Order, Rules = i.Rules, Bid = i.Bid, Ask = i.Ask },
            ProposeSettlement i => bare with { Kind = OrderInputKind.Propose, Order = i.Order, Request = i.Request, By = i.By, Text = Words.Cut(i.Reason), Evidence = Words.Cut(i.Evidence) },
            ConfirmSettlement i => bare with { Kind = OrderInputKind.Confirm, Order = i.Order, Request = i.Request, By = i.By, Text = Words.Cut(i.Reason), Evidence = Words.Cut(i.Evidence) },
            _ => throw new ArgumentException($"Execution does not decide on {input.GetType().Name}.", nameof(input)),
        };
    }

    /// <summary>Null where the decision is older than this record.</summary>
    /// <param name="decided">All events of one decision.</param>
    public static ExecutionInput? From(IReadOnlyList<object> decided)
    {
        if (decided is not [OrderInput e, ..])
            return null;
        var stamp = new Stamp(e.VenueTime, e.WindowMilliseconds, e.ControlVersion, e.EntryBar, e.EntryHold, e.Last);
        return e.Kind switch
        {
            OrderInputKind.Enter when decided is [_, EntryPlanned plan, ..] => new Enter(plan.Signal, plan.Reserved, plan.Rules, plan.Market, plan.Policy, stamp, plan.InSymbol),
            OrderInputKind.Enter => new Enter(e.Signal!, e.Reserved!.Value, e.Rules, e.Market, e.Policy!, stamp),
            OrderInputKind.GetOut => new GetOut(e.Trade!.Value, e.Account!.Value, e.Text!, stamp),
            OrderInputKind.Said => new AttemptAnswered(e.Order!.Value, e.Attempt!.Value, new VenueAnswer<OrderReport>.Said(e.Report!), stamp),
            OrderInputKind.Refused => new AttemptAnswered(e.Order!.Value, e.Attempt!.Value, new VenueAnswer<OrderReport>.Refused(e.Refusal!.Value, e.Code!, e.Text!, e.RetryAfter), stamp),
            OrderInputKind.NotSent => new AttemptAnswered(e.Order!.Value, e.Attempt!.Value, new VenueAnswer<OrderReport>.NotSent(e.Text!, e.RetryAfter), stamp),
            OrderInputKind.Unknown => new AttemptAnswered(e.Order!.Value, e.Attempt!.Value, new VenueAnswer<OrderReport>.Unknown(e.Text!), stamp),
            OrderInputKind.Unanswered => new AttemptUnanswered(e.Order!.Value, e.Attempt!.Value, e.Text!, stamp),
            OrderInputKind.Seen => new OrderSeen(e.Order!.Value, e.Report!, stamp),
            OrderInputKind.NotFound => new OrderNotFound(e.Order!.Value, e.AskedAt!.Value, e.Evidence!, stamp),
            OrderInputKind.Proceed => new Proceed(e.Bid, e.Ask, stamp),
            OrderInputKind.Correct => new Correct(e.Order!.Value, e.Text!, e.Evidence!, stamp),
            OrderInputKind.Adopt => new Adopt(e.Signal!, e.Found, e.Quantity!.Value, e.Rules!, e.Policy!, e.Evidence!, e.Text, stamp),
            OrderInputKind.WriteOff => new WriteOff(e.Quantity!.Value, e.Text!, e.Evidence!, stamp),
            OrderInputKind.Revalidate => new Revalidate(e.Order!.Value, e.Rules, e.Bid, e.Ask, stamp),
            OrderInputKind.Propose => new ProposeSettlement(e.Order!.Value, e.Request!.Value, e.By!, e.Text!, e.Evidence!, stamp),
            OrderInputKind.Confirm => new ConfirmSettlement(e.Order!.Value, e.Request!.Value, e.By!, e.Text!, e.Evidence!, stamp),
            _ => throw new ArgumentException($"{e.Kind} is no kind of input.", nameof(decided)),
        };
    }

    private static OrderInput Answered(OrderInput bare, VenueAnswer<OrderReport> answer) => answer switch
    {
        VenueAnswer<OrderReport>.Said a => bare with { Kind = OrderInputKind.Said, Report = a.Value },
        VenueAnswer<OrderReport>.Refused a => bare with { Kind = OrderInputKind.Refused, Refusal = a.Refusal, Code = Words.Cut(a.Code), Text = Words.Cut(a.Text), RetryAfter = a.RetryAfter },
        VenueAnswer<OrderReport>.NotSent a => bare with { Kind = OrderInputKind.NotSent, Text = Words.Cut(a.Text), RetryAfter = a.RetryAfter },
        VenueAnswer<OrderReport>.Unknown a => bare with { Kind = OrderInputKind.Unknown, Text = Words.Cut(a.Text) },
        _ => throw new ArgumentException("An answer is one of four.", nameof(answer)),
    };
}

/// <summary>What others have said is kept, but not at any length.</summary>
internal static class Words
{
    private const int LengthMax = 400;

    public static string Cut(string text) => text.Length <= LengthMax ? text : text[..(char.IsHighSurrogate(text[LengthMax - 1]) ? LengthMax - 1 : LengthMax)];
}
