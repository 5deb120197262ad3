using System.Buffers;
using System.Text;

namespace Antbot.PaperVenue.Http;

/// <summary>
/// What a request says, from its query and its form together, and the very text that was signed. Values are read by their kind, and one
/// that is not of its kind is refused by name.
/// </summary>
internal sealed class Parameters
{
    private const int MaxCount = 64;
    private const string NumberForm = @"^([0-9]{1,20})(\.[0-9]{1,20})?$";
    private const string WholeForm = "^[0-9]{1,20}$";
    private const string IdForm = @"^[\.A-Z\:/a-z0-9_-]{1,36}$";
    private const string SymbolForm = "^[A-Z0-9-_.]{1,20}$";

    private static readonly SearchValues<char> IdCharacters = SearchValues.Create(".:/_-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    private static readonly SearchValues<char> SymbolCharacters = SearchValues.Create("-_.ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

    private readonly List<(string Name, string Value)> _values = [];

    private Parameters(string signed) => Signed = signed;

    /// <summary>Query and form as they came, without the signature.</summary>
    public string Signed { get; }

    public IEnumerable<string> Names => _values.Select(v => v.Name);

    public static Parameters Parse(string query, string form)
    {
        var parameters = new Parameters(WithoutSignature(query) + WithoutSignature(form));
        parameters.Add(query);
        parameters.Add(form);
        return parameters;
    }

    /// <summary>Of a request that is no query: the values as they are, and what its signature is over.</summary>
    public static Parameters From(IReadOnlyDictionary<string, string> values, string signed)
    {
        if (values.Count > MaxCount)
            throw new ApiException(-1101, "Too many parameters sent for this endpoint.");
        var parameters = new Parameters(signed);
        parameters._values.AddRange(values.Select(v => (v.Key, v.Value)));
        return parameters;
    }

    /// <summary>Null when it is not there; empty is as good as not there.</summary>
    public string? Find(string name)
    {
        foreach (var (known, value) in _values)
        {
            if (known == name)
                return value.Length == 0 ? null : value;
        }
        return null;
    }

    public string Need(string name) => Find(name) ?? throw ApiException.Missing(name);

    public Fixed8? FindNumber(string name)
    {
        if (Find(name) is not { } text)
            return null;
        return Fixed8.TryParse(text, out var value) switch
        {
            NumberFault.None => value,
            NumberFault.TooPrecise => throw ApiException.TooPrecise(name),
            NumberFault.TooLarge => throw ApiException.Invalid(name),
            NumberFault.Malformed => throw ApiException.Illegal(name, NumberForm),
        };
    }

    /// <summary>One that must be there and above zero.</summary>
    public Fixed8 NeedPositive(string name)
    {
        var value = FindNumber(name) ?? throw ApiException.Missing(name);
        return value.IsPositive ? value : throw new ApiException(-1013, $"Invalid {name}.");
    }

    public long? FindWhole(string name)
    {
        if (Find(name) is not { } text)
            return null;
        if (text.AsSpan().ContainsAnyExceptInRange('0', '9'))
            throw ApiException.Illegal(name, WholeForm);
        return long.TryParse(text, out var value) ? value : throw ApiException.Invalid(name);
    }

    /// <summary>False where it is not there.</summary>
    public bool Flag(string name) => Find(name) switch
    {
        null or "false" => false,
        "true" => true,
        _ => throw ApiException.Illegal(name, "true|false"),
    };

    public long NeedWhole(string name) => FindWhole(name) ?? throw ApiException.Missing(name);

    /// <summary>How much is asked for; what is above the most gives the most, as there.</summary>
    public int Limit(int otherwise, int most)
    {
        var limit = FindWhole("limit") ?? otherwise;
        return limit is 0 ? throw ApiException.Invalid("limit") : (int)Math.Min(limit, most);
    }

    public string? FindId(string name)
    {
        var id = Find(name);
        return id is not null && (id.Length > 36 || id.AsSpan().ContainsAnyExcept(IdCharacters)) ? throw ApiException.Illegal(name, IdForm) : id;
    }

    public Instrument NeedSymbol(VenueRules rules) => FindSymbol(rules) ?? throw ApiException.Missing("symbol");

    public Instrument? FindSymbol(VenueRules rules) => Find("symbol") is { } symbol ? Symbol(symbol, "symbol", rules) : null;

    public static Instrument Symbol(string symbol, string name, VenueRules rules) =>
        symbol.Length > 20 || symbol.AsSpan().ContainsAnyExcept(SymbolCharacters)
            ? throw ApiException.Illegal(name, SymbolForm)
            : rules.Find(symbol) ?? throw ApiException.BadSymbol();

    private void Add(string encoded)
    {
        foreach (var range in encoded.AsSpan().Split('&'))
        {
            var pair = encoded.AsSpan()[range];
            if (pair.IsEmpty)
                continue;
            var at = pair.IndexOf('=');
            var name = Decode(at < 0 ? pair : pair[..at]);
            if (_values.Count >= MaxCount)
                throw new ApiException(-1101, "Too many parameters sent for this endpoint.");
            if (_values.Exists(v => v.Name == name))
                throw new ApiException(-1101, $"Duplicate values for parameter '{Printable(name)}' detected.");
            _values.Add((name, at < 0 ? "" : Decode(pair[(at + 1)..])));
        }
    }

    /// <summary>Strangers' bytes are not handed back as they came.</summary>
    private static string Printable(string name) => name.Length <= 40 && name.All(char.IsAsciiLetterOrDigit) ? name : "?";

    private static string Decode(ReadOnlySpan<char> text) =>
        text.IndexOfAny('%', '+') < 0 ? text.ToString() : Uri.UnescapeDataString(text.ToString().Replace('+', ' '));

    private static string WithoutSignature(string encoded)
    {
        var at = encoded.StartsWith("signature=", StringComparison.Ordinal) ? 0 : encoded.IndexOf("&signature=", StringComparison.Ordinal);
        if (at < 0)
            return encoded;
        var end = encoded.IndexOf('&', at + 1);
        var kept = new StringBuilder(encoded, 0, at, encoded.Length);
        if (end >= 0)
            kept.Append(encoded, at == 0 ? end + 1 : end, encoded.Length - (at == 0 ? end + 1 : end));
        return kept.ToString();
    }
}
