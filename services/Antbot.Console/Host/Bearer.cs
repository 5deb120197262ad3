using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Antbot.ConsoleService;

/// <summary>Lets in who bears the operators' token. Hashes are compared, so that neither length nor content shows in the time it takes.</summary>
internal sealed class Bearer(ConsoleOptions options)
{
    private const string Scheme = "Bearer ";

    private readonly byte[] _expected = SHA256.HashData(Encoding.UTF8.GetBytes(options.ReadToken()));

    public bool Admits(HttpRequest request)
    {
        var headers = request.Headers.Authorization;
        if (headers.Count != 1 || headers[0] is not { } header || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) || header.Length > Scheme.Length + ConsoleOptions.TokenLengthMax)
            return false;
        var given = SHA256.HashData(Encoding.UTF8.GetBytes(header[Scheme.Length..].Trim()));
        return CryptographicOperations.FixedTimeEquals(given, _expected);
    }
}
