using Antbot.Contracts;
using Antbot.Kernel.Control;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Time;
using Antbot.Runtime.Store;

namespace Antbot.Runtime.Control;

/// <param name="IsNew">Whether this very call recorded it. What was recorded before may have been overtaken since.</param>
public sealed record SentCommand(StoredEvent Event, bool IsNew);

/// <summary>An operator's word, straight into `control`: it needs the store and nothing else.</summary>
public static class ControlCommands
{
    public const string Consumer = "operator";
    public const int ReasonLengthMax = 500;
    public const int OperatorLengthMax = 60;

    /// <summary>Why nobody can be called that, or null.</summary>
    public static string? OperatorFault(string name) => name.Length is >= 1 and <= OperatorLengthMax && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '@')
        ? null
        : $"An operator's name has 1 to {OperatorLengthMax} letters, digits and -_.@.";

    public static string? ReasonFault(string reason) => reason.Length is >= 1 and <= ReasonLengthMax && !reason.Any(char.IsControl)
        ? null
        : $"A reason has 1 to {ReasonLengthMax} characters, on one line.";

    /// <param name="id">The same for every attempt at the same word: it is recorded once.</param>
    public static async Task<SentCommand> SendAsync(IEventStore store, EventCodec codec, object command, Guid id, string actor, TimeProvider clock, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(codec);
        var outcome = await store.AppendAsync(
            new AppendRequest
            {
                Stream = Streams.Control,
                Expected = ExpectedVersion.Any,
                Decision = new Decision(id, Consumer),
                Events = [.. ControlDecider.Decide(command).Select(codec.Encode)],
                At = clock.GetUtcNow().Cut(),
                Meta = new EventMeta(id.ToString("N"), null, actor),
            },
            cancellationToken);
        return outcome switch
        {
            AppendOutcome.Appended done => new SentCommand(done.Events[^1], IsNew: true),
            AppendOutcome.AlreadyThere there => new SentCommand(there.Events[^1], IsNew: false),
            _ => throw new InvalidOperationException("An append that expects no version meets no conflict."),
        };
    }
}
