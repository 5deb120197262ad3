using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;

namespace Antbot.Validation.Core;

// What Validation records in `validation-{symbol}`: one event for every signal it is asked about.

/// <param name="Confidence">The final one, 0 to 1.</param>
/// <param name="ForgetBefore">What was raised before this need not be remembered any more: whatever could repeat it is too old by now.</param>
[StoredName("signal_validated")]
public sealed record SignalValidatedRecorded(
    TradeId Trade, decimal Confidence, DateTimeOffset ForgetBefore, Signal Signal, ValidationLimits Limits, IReadOnlyList<Verdict> Verdicts);

[StoredName("signal_rejected")]
public sealed record SignalRejectedRecorded(TradeId Trade, Signal Signal, ValidationLimits Limits, IReadOnlyList<Verdict> Verdicts);
