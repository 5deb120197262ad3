using System.Text.Json;

namespace Antbot.Forensics;

/// <param name="Different">How many would be decided otherwise now.</param>
/// <param name="Impossible">How many cannot be decided again; <see cref="RedecisionReport.Reasons"/> says why.</param>
public sealed record ServiceCount(string Service, long Decisions, long Different, long Impossible);

/// <param name="First">The first decision of which it is true.</param>
public sealed record ReasonCount(string Service, string Reason, long Decisions, string First);

/// <summary>An event by its stored name.</summary>
public sealed record NamedEvent(string Type, JsonElement Body);

/// <param name="Notional">How much money was wished for; null where the trade's signal is not in the history.</param>
/// <param name="Realised">What it came to, fees included; null while it is not closed.</param>
public sealed record Stake(string Trade, decimal? Notional, decimal? Realised);

/// <summary>A decision that would be made otherwise now.</summary>
/// <param name="Input">The class of what it was made on.</param>
/// <param name="Refusal">Why the decider does not take the input any more; null where it does.</param>
/// <param name="Changes">Where both outcomes differ, event by event; empty where they are not the same kinds of events.</param>
public sealed record Redecided(
    long Sequence, string Stream, long Version, DateTimeOffset At, string Service, string Input, Stake? Stake, IReadOnlyList<NamedEvent> Was, IReadOnlyList<NamedEvent> Is, string? Refusal, IReadOnlyList<string> Changes);

/// <summary>What is at stake with all decisions that would be made otherwise: each trade once.</summary>
public sealed record StakeSum(int Trades, decimal Notional, decimal Realised);

/// <param name="Events">How many were read.</param>
/// <param name="Others">Of them those that are no decisions: what was said or seen.</param>
/// <param name="Decisions">Those that were asked for.</param>
/// <param name="Stopped">It was stopped before it had read everything.</param>
/// <param name="Differences">Those that would be made otherwise now, in the order in which they were made; the first so many of them.</param>
public sealed record RedecisionReport(
    long Events, long Others, long Decisions, long Different, long Impossible, bool Stopped, IReadOnlyList<ServiceCount> Services, IReadOnlyList<ReasonCount> Reasons, StakeSum AtStake,
    IReadOnlyList<Redecided> Differences);
