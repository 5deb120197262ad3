using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Antbot.Hosting.Health;

/// <summary>What <c>/health</c> and <c>/metrics</c> ask for: a key, or a name and a password as browsers and scrapers bear them. Nothing where neither is set.</summary>
internal sealed class HealthLock
{
    private const string Basic = "Basic ";
    private const int CredentialsLengthMax = 2_048;

    private readonly ApiKeys _keys;
    private readonly byte[]? _hash;

    public HealthLock(PlatformOptions options)
    {
        _keys = ApiKeys.Load(options.HealthKey, file: null, out _);
        _hash = options.HealthPassword.Length > 0 ? SHA256.HashData(Encoding.UTF8.GetBytes($"{options.HealthUserName}:{options.HealthPassword}")) : null;
    }

    public RequestDelegate Guard(RequestDelegate handle) => _hash is null
        ? _keys.IsEmpty ? handle : _keys.Guard(handle)
        : async context =>
        {
            if (IsKnown(context.Request.Headers.Authorization.ToString()) || _keys.NameOf(context.Request) is not null)
            {
                await handle(context);
                return;
            }
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"antbot\", charset=\"UTF-8\"";
            await context.Response.WriteAsJsonAsync(new { error = "A name and a password are needed, as Authorization: Basic." });
        };

    /// <summary>It takes as long whatever is wrong with them: the hashes of both together are compared, and all of them.</summary>
    private bool IsKnown(string authorization)
    {
        if (authorization.Length > CredentialsLengthMax || !authorization.StartsWith(Basic, StringComparison.OrdinalIgnoreCase))
            return false;
        var bytes = new byte[CredentialsLengthMax];
        return Convert.TryFromBase64String(authorization[Basic.Length..].Trim(), bytes, out var length) && CryptographicOperations.FixedTimeEquals(SHA256.HashData(bytes.AsSpan(0, length)), _hash);
    }
}
