using System.Globalization;
using System.Text.Json;

namespace Antbot.Chaos.Checking;

/// <summary>The venue's own ledger, a line of JSON each, as its admin route tells it.</summary>
internal static class VenueReader
{
    public static VenueLedger Parse(string lines, string account)
    {
        var (orders, fills, balances, forgotten) = (new List<VenueOrder>(), new List<VenueFill>(), new Dictionary<string, decimal>(StringComparer.Ordinal), 0L);
        foreach (var line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var document = JsonDocument.Parse(line);
            var (kind, entry) = (document.RootElement.GetProperty("kind").GetString(), document.RootElement.GetProperty("entry"));
            var isOurs = document.RootElement.TryGetProperty("account", out var owner) && owner.GetString() == account;
            switch (kind)
            {
                case "ledger":
                    forgotten = entry.GetProperty("forgotten").GetInt64();
                    break;
                case "account" when entry.GetProperty("account").GetString() == account:
                    foreach (var asset in entry.GetProperty("balances").EnumerateObject())
                        balances[asset.Name] = Number(asset.Value, "free") + Number(asset.Value, "locked");
                    break;
                case "order" when isOurs:
                    orders.Add(new VenueOrder(Text(entry, "clientOrderId"), entry.GetProperty("orderId").GetInt64(), Text(entry, "symbol"), Text(entry, "side"), Text(entry, "status"), Number(entry, "origQty"), Number(entry, "executedQty")));
                    break;
                case "fill" when isOurs:
                    fills.Add(new VenueFill(
                        entry.GetProperty("id").GetInt64(), entry.GetProperty("orderId").GetInt64(), Text(entry, "symbol"), Number(entry, "qty"), Number(entry, "quoteQty"), Number(entry, "commission"),
                        Text(entry, "commissionAsset"), entry.GetProperty("isBuyer").GetBoolean()));
                    break;
            }
        }
        return new VenueLedger(orders, fills, balances, forgotten);
    }

    private static string Text(JsonElement entry, string name) => entry.GetProperty(name).GetString()!;

    private static decimal Number(JsonElement entry, string name) => decimal.Parse(Text(entry, name), CultureInfo.InvariantCulture);
}
