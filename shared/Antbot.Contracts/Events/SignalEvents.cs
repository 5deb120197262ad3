using Antbot.Contracts.Messages;

namespace Antbot.Contracts.Events;

/// <summary>In `signal-{trade}`: what was wished for, by whom, and on what sight of the market.</summary>
/// <param name="BodyHash">SHA-256 of what came in, in hexadecimal: the same key with another body is a conflict.</param>
[StoredName("signal_raised")]
public sealed record SignalRecorded(Signal Signal, string BodyHash, string Inputs);
