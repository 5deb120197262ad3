using System.Text.Json;
using Antbot.ConsoleService.Access;
using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Proof;
using Antbot.Kernel.Time;
using Antbot.Runtime.Control;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Http;

namespace Antbot.ConsoleService;

/// <summary>Who had what done, and why, in <c>audit-{date}</c>; each request once.</summary>
internal sealed class Audit(IEventStore store, EventCodec codec, TimeProvider clock)
{
    private const string IdempotencyKey = "Idempotency-Key";

    /// <summary>Who repeats a request under the same key has it done once.</summary>
    public static Guid IdOf(HttpContext context) => context.Request.Headers[IdempotencyKey] is [{ } key]
        ? key.Length is >= 8 and <= 100 && key.All(c => c is > ' ' and < '\x7f') ? DeterministicId.From("operator-request", key) : throw Api.Invalid($"{IdempotencyKey} has 8 to 100 visible ASCII characters.")
        : Guid.NewGuid();

    public static string Reason(JsonElement body) => Checked(Api.Text(body, "Reason"), ControlCommands.ReasonFault);

    public static string By(JsonElement body) => Checked(Api.Text(body, "By"), ControlCommands.OperatorFault);

    /// <summary>By the token, which is somebody's alone; whose name was given with the request stands in the event.</summary>
    public static string ActorOf(HttpContext context) => $"operator:{Caller.Of(context).Name}";

    /// <summary>What was recorded must be what is asked for now: under a key that was used for something else nothing would be done.</summary>
    public void MustBeSame(StoredEvent recorded, object asked)
    {
        var wanted = codec.Encode(asked);
        if (recorded.Type != wanted.Type || !CanonicalJson.From(recorded.Data.Span).AsSpan().SequenceEqual(CanonicalJson.From(wanted.Data.Span)))
            throw new ApiException(StatusCodes.Status409Conflict, "Other", $"Another request has been made under the same {IdempotencyKey}, and this one was not carried out: take another key.");
    }

    public async Task RecordAsync(Guid id, string actor, object @event, string? correlation = null)
    {
        var now = clock.GetUtcNow().Cut();
        var outcome = await store.AppendAsync(
            new AppendRequest
            {
                Stream = Streams.Audit(now),
                Expected = ExpectedVersion.Any,
                Decision = new Decision(id, "audit"),
                Events = [codec.Encode(@event)],
                At = now,
                Meta = new EventMeta(correlation ?? id.ToString("N"), null, actor),
            },
            CancellationToken.None);
        if (outcome is AppendOutcome.AlreadyThere { Events: [var recorded, ..] })
            MustBeSame(recorded, @event);
    }

    private static string Checked(string text, Func<string, string?> fault) => fault(text) is { } why ? throw Api.Invalid(why) : text;
}
