using System.Globalization;
using Antbot.Contracts.Events;

namespace Antbot.Incidents.Reports;

/// <summary>In which order an incident is told, and in which words.</summary>
internal static class ReportPage
{
    private const int IdShown = 12;

    public static Document Of(IncidentReport report) => new(
        $"Incident {report.Incident.Id}: {report.Incident.Reason}",
        [
            new Section("Summary", [.. Summary(report)]), Impact(report), Before(report), Timeline(report), DeadLetters(report), Actions(report), new Section("How it ended", [Ended(report)]),
            new Section("What is not in this report", report.Gaps.Count > 0 ? report.Gaps : ["All that was recorded of it is here."]),
        ]);

    private static IEnumerable<string> Summary(IncidentReport report)
    {
        var i = report.Incident;
        yield return i.Reason;
        yield return i.Source switch
        {
            IncidentSource.Person => $"Opened by {i.By} on {Time(i.OpenedAt)}.",
            IncidentSource.Crash => $"Opened on {Time(i.OpenedAt)} by a crash ({i.Cause}), seen {Number(i.Times)} times, last on {Time(i.SeenAt)}.",
            _ => $"Opened on {Time(i.OpenedAt)} by an alert ({i.Cause}), seen {Number(i.Times)} times, last on {Time(i.SeenAt)}.",
        };
        yield return report.GoesOn
            ? $"It began {Time(report.Since)} and goes on; it is {i.State}. This report was made on {Time(report.MadeAt)}."
            : $"From {Time(report.Since)} until {Time(report.Until)}, {Span(report.Until - report.Since)}; it is {i.State}. This report was made on {Time(report.MadeAt)}.";
        yield return $"{Number(report.Impact.Trades.Count)} trades of {Number(report.Impact.Accounts.Count)} accounts; realised {Signed(report.Impact.Accounts.Sum(a => a.Realised))}, fees {Money(report.Impact.Accounts.Sum(a => a.Fees))}, "
            + $"still held {Money(report.Impact.Accounts.Sum(a => a.Exposure))}; {Number(report.DeadLetters.Count)} dead letters; {Number(report.Before.Count)} changes in the hour before.";
    }

    private static Section Impact(IncidentReport report)
    {
        List<string> lines = [report.Impact.Named ? "The trades that it is about, as they stand now." : "The trades that were going on in the period, as they stand now.", .. report.Impact.Accounts.Select(Words)];
        return report.Impact.Trades.Count == 0
            ? new Section("Impact", ["No trade was going on."])
            : new Section("Impact", lines, new Grid(
                ["Raised", "Trade", "Account", "Symbol", "Side", "Phase", "Notional", "Realised", "Fees", "Held", "Reason"],
                [.. report.Impact.Trades.Select(t => (IReadOnlyList<string>)
                    [
                        Time(t.RaisedAt), t.Id.Value[..IdShown], t.Account.Value, t.Symbol.Value, t.Side.ToString(), t.Unknown ? $"{t.Phase}, unknown" : t.Phase.ToString(), Money(t.Notional.Value),
                        t.Realised is { } realised ? Signed(realised.Value) : "", t.Fees is { } fees ? Money(fees.Value) : "", t.Held is { } held ? Money(held.Value) : "", t.Reason,
                    ])]));
    }

    private static string Words(AccountImpact a) =>
        $"Account {a.Account}: {Number(a.Trades)} trades, {Number(a.Closed)} closed with {Signed(a.Realised)} realised and {Money(a.Fees)} in fees; {Number(a.Held)} still hold {Money(a.Exposure)}{(a.Unknown > 0 ? $"; of {Number(a.Unknown)} it is not known whether the venue has their entry" : "")}.";

    private static Section Before(IncidentReport report) => report.Before.Count == 0
        ? new Section("What changed before it", ["Nothing changed in the hour before."])
        : new Section("What changed before it", [], new Grid(
            ["When", "Kind", "Of", "What", "Who", "Why"],
            [.. report.Before.Select(c => (IReadOnlyList<string>)[Time(c.At), c.Kind.ToString(), c.Subject, Told(c.What, c.Withheld), c.By, c.Why])]));

    private static Section Timeline(IncidentReport report) => report.Timeline.Count == 0
        ? new Section("What happened", ["Nothing was recorded in the period."])
        : new Section("What happened", [], new Grid(
            ["When", "Event", "Of", "What", "Who", "Why"],
            [.. report.Timeline.Select(l => (IReadOnlyList<string>)[Exact(l.At), $"#{l.Sequence}", l.Trade is { } trade ? $"trade {trade[..IdShown]}" : l.Stream, Told(l.What, l.Withheld), l.By, l.Why])]));

    private static Section DeadLetters(IncidentReport report) => report.DeadLetters.Count == 0
        ? new Section("Dead letters", ["No message died."])
        : new Section("Dead letters", [], new Grid(
            ["Kept", "Letter", "Message", "To", "Fault", "Now", "By", "Why"],
            [.. report.DeadLetters.Select(l => (IReadOnlyList<string>)[Time(l.KeptAt), l.Id[..IdShown], l.MessageType, l.Endpoint, $"{l.FaultType}: {l.Fault}", l.State.ToString(), l.By, l.Reason])]));

    private static Section Actions(IncidentReport report) => new(
        "What was said and done about it", [],
        new Grid(
            ["When", "What", "Who", "Words"],
            [.. report.Actions.Select(a => (IReadOnlyList<string>)[Time(a.At), a.Type.Replace('_', ' '), a.By, string.Join("; ", a.Reasons.Where(v => !v.Passed).Select(v => $"{v.Rule}: {v.Saw}").Prepend(a.What))])]));

    private static string Ended(IncidentReport report) => report.Incident.ClosedBy is { } by ? $"Closed by {by}: {report.Incident.Ended}" : report.Incident.AcknowledgedBy is { } taken ? $"It has not ended. {taken} has taken it on." : "It has not ended, and nobody has taken it on.";

    private static string Told(string what, bool withheld) => withheld ? $"{what} (what it says is for others to see)" : what;

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static string Exact(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture);

    private static string Span(TimeSpan span) => span.TotalDays >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalDays} d {span.Hours} h") : span.TotalHours >= 1 ? $"{span.Hours} h {span.Minutes} min" : $"{span.Minutes} min {span.Seconds} s";

    private static string Money(decimal value) => value.ToString("#,0.00", CultureInfo.InvariantCulture);

    private static string Signed(decimal value) => value.ToString("+#,0.00;-#,0.00;0.00", CultureInfo.InvariantCulture);

    private static string Number(int value) => value.ToString("#,0", CultureInfo.InvariantCulture);
}
