using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Antbot.EventStore.Proof.Publishing;

/// <summary>What object stores that speak S3 take for proof of a key: version 4 of its signature.</summary>
internal sealed class AwsSignature(string accessKey, string secretKey, string region)
{
    private const string Algorithm = "AWS4-HMAC-SHA256";
    private const string Service = "s3";

    public void Sign(HttpRequestMessage request, byte[] body, DateTimeOffset at)
    {
        request.Headers.Add("x-amz-content-sha256", Convert.ToHexStringLower(SHA256.HashData(body)));
        request.Headers.Add("x-amz-date", at.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture));
        var uri = request.RequestUri!;
        var headers = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["host"] = uri.IsDefaultPort ? uri.Host : $"{uri.Host}:{uri.Port}" };
        foreach (var (name, values) in request.Headers)
            headers[name.ToLowerInvariant()] = string.Join(',', values).Trim();
        var day = at.UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        request.Headers.TryAddWithoutValidation(
            "Authorization", $"{Algorithm} Credential={accessKey}/{day}/{region}/{Service}/aws4_request, SignedHeaders={string.Join(';', headers.Keys)}, Signature={Of(request.Method.Method, PathOf(uri), headers, day)}");
    }

    /// <summary>Everything but letters, digits and <c>-._~</c> is escaped in what is signed, whatever the address itself leaves as it is.</summary>
    private static string PathOf(Uri uri) => string.Join('/', uri.AbsolutePath.Split('/').Select(s => Uri.EscapeDataString(Uri.UnescapeDataString(s))));

    private string Of(string method, string path, SortedDictionary<string, string> headers, string day)
    {
        var request = $"{method}\n{path}\n\n{string.Concat(headers.Select(h => $"{h.Key}:{h.Value}\n"))}\n{string.Join(';', headers.Keys)}\n{headers["x-amz-content-sha256"]}";
        var toSign = $"{Algorithm}\n{headers["x-amz-date"]}\n{day}/{region}/{Service}/aws4_request\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(request)))}";
        var key = new[] { day, region, Service, "aws4_request" }.Aggregate(Encoding.UTF8.GetBytes($"AWS4{secretKey}"), (k, part) => HMACSHA256.HashData(k, Encoding.UTF8.GetBytes(part)));
        return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(toSign)));
    }
}
