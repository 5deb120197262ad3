using Antbot.Contracts.Events;

namespace Antbot.ReadModels;

/// <summary>What is sent once more of a letter: as it came, or as it was changed last.</summary>
/// <param name="Inline">Null where it lies beside the event.</param>
public sealed record LetterBody(byte[]? Inline, ContentHash Content)
{
    public static LetterBody? After(LetterBody? before, object @event) => @event switch
    {
        DeadLetterKept kept => new LetterBody(kept.Body, kept.Content),
        DeadLetterEdited edited => new LetterBody(edited.Body, edited.After),
        _ => before,
    };
}
