using System.Globalization;
using Antbot.Contracts;
using Antbot.Kernel.Identity;

namespace Antbot.Execution;

/// <summary>
/// The ids of inputs that no message brings: a venue's answer, or a look at what stands still. They are hashes of what they follow from, so
/// that two processes have the same one, and that whoever reads the history finds what each follows from.
/// </summary>
public static class StepIds
{
    public static Guid Answer(ClientOrderId order, int attempt) => Of("answer", order.Value, attempt);

    public static Guid Unanswered(ClientOrderId order, int attempt) => Of("unanswered", order.Value, attempt);

    /// <param name="version">Of the stream, when it was looked at.</param>
    public static Guid Proceed(TradeId trade, long version) => Of("proceed", trade.Value, version);

    public static Guid NotFound(ClientOrderId order, long version) => Of("not-found", order.Value, version);

    public static Guid Revalidate(ClientOrderId order, long version) => Of("revalidate", order.Value, version);

    public static Guid Seen(ClientOrderId order, long version) => Of("seen", order.Value, version);

    private static Guid Of(string what, string of, long number) => DeterministicId.From("execution", what, of, number.ToString(CultureInfo.InvariantCulture));
}
