using System.Runtime.CompilerServices;
using System.Text.Json;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

/// <summary>The events that an excerpt shows. That it is whole is seen to; that it is true is the verifier's to say.</summary>
public static class ExcerptReader
{
    public static async IAsyncEnumerable<LedgerLink> ReadAsync(Stream input, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var lines = new ExportLines(input);
        var events = 0;
        using (var header = await lines.ReadAsync(cancellationToken) ?? throw lines.Damaged("it is empty"))
        {
            if (!header.RootElement.TryGetProperty(ExportFormat.Excerpt, out var version) || version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out var number) || number != ExportFormat.FormatVersion)
                throw lines.Damaged($"it is no excerpt of format {ExportFormat.FormatVersion}");
            events = lines.Get(() => header.RootElement.GetProperty("Events").GetInt32());
        }
        var (read, hasEnded) = (0, false);
        while (await lines.ReadAsync(cancellationToken) is { } document)
        {
            using (document)
            {
                if (hasEnded)
                    throw lines.Damaged("there is more after its end");
                if (document.RootElement.TryGetProperty("Position", out _))
                {
                    read++;
                    yield return lines.Get(() => ExportFormat.ReadLink(document.RootElement));
                }
                hasEnded = document.RootElement.TryGetProperty("End", out _);
            }
        }
        if (!hasEnded || read != events)
            throw lines.Damaged($"its header announced {events} events; it has {read}{(hasEnded ? "" : ", and no end: it was cut short")}");
    }
}
