using System.Runtime.CompilerServices;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

/// <summary>The events that an excerpt shows, as they stand there. That they are true is the verifier's to say.</summary>
public static class ExcerptReader
{
    public static async IAsyncEnumerable<StoredEvent> ReadAsync(Stream input, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var lines = new ExportLines(input);
        using (var header = await lines.ReadAsync(cancellationToken) ?? throw lines.Damaged("it is empty"))
        {
            if (!header.RootElement.TryGetProperty(ExportFormat.Excerpt, out _))
                throw lines.Damaged("it does not begin with an excerpt's header");
        }
        while (await lines.ReadAsync(cancellationToken) is { } document)
        {
            using (document)
            {
                var line = document.RootElement;
                if (line.TryGetProperty("Position", out _))
                    yield return lines.Get(() => ExportFormat.ReadLink(line)).Event!;
            }
        }
    }
}
