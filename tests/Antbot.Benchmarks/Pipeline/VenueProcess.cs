using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Antbot.Hosting;

namespace Antbot.Benchmarks.Pipeline;

/// <summary>The paper venue in a process of its own, and what it says of its orders.</summary>
internal sealed class VenueProcess : IAsyncDisposable
{
    private const int PageMax = 1_000;

    private static readonly TimeSpan StartWithin = TimeSpan.FromSeconds(60);

    private VenueProcess(BenchProcess process, Uri address, KeyFolder keys) => (Process, Address, Keys) = (process, address, keys);

    public BenchProcess Process { get; }

    public Uri Address { get; }

    public KeyFolder Keys { get; }

    public static async Task<VenueProcess> StartAsync(string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var (keys, address) = (new KeyFolder(Path.Combine(folder, "keys")), Servers.FreeAddress());
        var process = BenchProcess.Start(
            "venue", Servers.ProgramOf("services/Antbot.PaperVenue/Host/", "Antbot.PaperVenue"),
            ["--port", address.Port.ToString(CultureInfo.InvariantCulture), "--data", Path.Combine(folder, "venue"), "--practice", "--order-limit", "10000000", "--weight-limit", "100000000"],
            new Dictionary<string, string>(StringComparer.Ordinal) { ["ANTBOT_VENUE_API_KEY_FILE"] = keys.FileOf("venue-key"), ["ANTBOT_VENUE_API_SECRET_FILE"] = keys.FileOf("venue-secret") },
            Path.Combine(folder, "venue.log"));
        await Servers.UntilAnsweredAsync(new Uri(address, "/api/v3/ping"), process, StartWithin, cancellationToken);
        return new VenueProcess(process, address, keys);
    }

    public async Task<IReadOnlyDictionary<string, decimal>> PricesAsync(CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = Address };
        var all = JsonElement.Parse(await client.GetByteArrayAsync("/api/v3/ticker/price", cancellationToken));
        return all.EnumerateArray().ToDictionary(p => p.GetProperty("symbol").GetString()!, p => decimal.Parse(p.GetProperty("price").GetString()!, CultureInfo.InvariantCulture), StringComparer.Ordinal);
    }

    public Task<IReadOnlyDictionary<string, int>> CountOrdersAsync(CancellationToken cancellationToken) => CountOrdersAsync(Address, Keys, cancellationToken);

    /// <summary>How many orders the venue has under each client order id, over all symbols.</summary>
    public static async Task<IReadOnlyDictionary<string, int>> CountOrdersAsync(Uri address, KeyFolder keys, CancellationToken cancellationToken)
    {
        using var client = await SignedClient.ForAsync(address, keys, cancellationToken);
        var info = await client.GetAsync("/api/v3/exchangeInfo", query: null, cancellationToken);
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var symbol in info.GetProperty("symbols").EnumerateArray().Select(s => s.GetProperty("symbol").GetString()!))
        {
            for (var from = 0L; ;)
            {
                var orders = await client.GetAsync("/api/v3/allOrders", $"symbol={symbol}&orderId={from}&limit={PageMax}", cancellationToken);
                foreach (var id in orders.EnumerateArray().Select(o => o.GetProperty("clientOrderId").GetString()!))
                    counts[id] = counts.GetValueOrDefault(id) + 1;
                if (orders.GetArrayLength() < PageMax)
                    break;
                from = orders.EnumerateArray().Max(o => o.GetProperty("orderId").GetInt64()) + 1;
            }
        }
        return counts;
    }

    public async Task<int> CountOpenAsync(CancellationToken cancellationToken)
    {
        using var client = await SignedClient.ForAsync(Address, Keys, cancellationToken);
        return (await client.GetAsync("/api/v3/openOrders", "", cancellationToken)).GetArrayLength();
    }

    public ValueTask DisposeAsync() => Process.DisposeAsync();

    private sealed class SignedClient(HttpClient http, byte[] secret) : IDisposable
    {
        public static async Task<SignedClient> ForAsync(Uri address, KeyFolder keys, CancellationToken cancellationToken)
        {
            var http = new HttpClient { BaseAddress = address };
            http.DefaultRequestHeaders.Add("X-MBX-APIKEY", await File.ReadAllTextAsync(keys.FileOf("venue-key"), cancellationToken));
            return new SignedClient(http, Encoding.UTF8.GetBytes(await File.ReadAllTextAsync(keys.FileOf("venue-secret"), cancellationToken)));
        }

        /// <param name="query">Null where nothing is signed.</param>
        public async Task<JsonElement> GetAsync(string path, string? query, CancellationToken cancellationToken)
        {
            if (query is null)
                return JsonElement.Parse(await http.GetByteArrayAsync(path, cancellationToken));
            var signed = $"{query}{(query.Length > 0 ? "&" : "")}timestamp={DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}";
            return JsonElement.Parse(await http.GetByteArrayAsync($"{path}?{signed}&signature={Convert.ToHexStringLower(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(signed)))}", cancellationToken));
        }

        public void Dispose() => http.Dispose();
    }
}
