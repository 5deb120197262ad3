namespace Antbot.PaperVenue.Following;

/// <summary>Real venues that are known by name.</summary>
public static class RealMarkets
{
    /// <summary>Where production shows its public market data and nothing else; the testnet has no such place.</summary>
    private static readonly Dictionary<string, Uri> Known = new(StringComparer.Ordinal)
    {
        ["binance"] = new Uri("https://data-api.binance.vision"),
        ["binance-testnet"] = new Uri("https://testnet.binance.vision"),
    };

    public static string Names => string.Join(", ", Known.Keys);

    /// <summary>Of a name or an address; null where it is neither.</summary>
    public static Uri? Find(string text) => Known.TryGetValue(text, out var address) || (Uri.TryCreate(text, UriKind.Absolute, out address) && Fault(address) is null) ? address : null;

    public static string? Fault(Uri address) => address switch
    {
        { IsAbsoluteUri: false } or { Scheme: not ("https" or "http") } => "give an address that begins with https.",
        { Scheme: "http", IsLoopback: false } => "a real venue is looked at over https alone.",
        { UserInfo.Length: > 0 } or { Query.Length: > 0 } or { Fragment.Length: > 0 } or { AbsolutePath: not "/" } => "give the address alone, without a path, a user or anything behind it.",
        _ => null,
    };
}
