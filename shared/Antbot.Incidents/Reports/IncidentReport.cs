using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Incidents.Changes;
using Antbot.ReadModels;

namespace Antbot.Incidents.Reports;

/// <summary>What an incident was, from top to bottom.</summary>
/// <param name="Until">Until when it is told; the time of the report where it goes on.</param>
/// <param name="Before">What changed in the hour before it began.</param>
/// <param name="Timeline">What happened, in the order of time.</param>
/// <param name="Actions">What was said and done about it.</param>
/// <param name="Gaps">What is not in it, and why.</param>
public sealed record IncidentReport(
    IncidentView Incident, DateTimeOffset Since, DateTimeOffset Until, bool GoesOn, DateTimeOffset MadeAt, IncidentImpact Impact, IReadOnlyList<Change> Before, IReadOnlyList<ReportLine> Timeline,
    IReadOnlyList<DeadLetterView> DeadLetters, IReadOnlyList<IncidentStep> Actions, IReadOnlyList<string> Gaps);

/// <param name="Trade">The trade that it is about; null where it is about none, or about many.</param>
/// <param name="Withheld">Whoever asks may not see what it says.</param>
public sealed record ReportLine(DateTimeOffset At, long Sequence, string Stream, string What, string By, string Why, string? Trade, bool Withheld = false);

/// <summary>Whom it concerned and what it cost, as that stands when the report is made.</summary>
/// <param name="Named">Whether these are trades that somebody named; else those that were going on.</param>
public sealed record IncidentImpact(bool Named, IReadOnlyList<AccountImpact> Accounts, IReadOnlyList<ImpactedTrade> Trades);

/// <param name="Realised">Of those that are closed.</param>
/// <param name="Exposure">What is held: its cost.</param>
/// <param name="Unknown">Of so many it is not known whether the venue has their entry.</param>
public sealed record AccountImpact(AccountId Account, int Trades, int Closed, decimal Realised, decimal Fees, int Held, decimal Exposure, int Unknown);

/// <param name="Held">Its cost, where it holds anything.</param>
public sealed record ImpactedTrade(TradeId Id, AccountId Account, Symbol Symbol, Side Side, TradePhase Phase, bool Unknown, Money Notional, Money? Realised, Money? Fees, Money? Held, DateTimeOffset RaisedAt, string Reason);
