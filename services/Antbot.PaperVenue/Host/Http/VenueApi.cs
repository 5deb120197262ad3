using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Antbot.PaperVenue.Http;

/// <summary>The API as HTTP: parameters from query and form, limits as headers.</summary>
internal sealed class VenueApi(Gateway gateway)
{
    private const int MaxBodyBytes = 16 << 10;

    public async Task AnswerAsync(HttpContext context)
    {
        try
        {
            var request = context.Request;
            var meters = new Meters();
            var reply = await gateway.ReplyAsync(
                request.Method, request.Path.Value ?? "", () => ReadAsync(context), request.Headers["X-MBX-APIKEY"].ToString(), session: null,
                context.Connection.RemoteIpAddress ?? IPAddress.None, meters, context.RequestAborted);
            if (reply is not { } answer)
            {
                context.Abort();
                return;
            }
            Show(context.Response.Headers, meters);
            await WriteAsync(context, answer.Status, answer.Json);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            // The client is gone.
        }
    }

    public static async Task WriteAsync(HttpContext context, int status, ReadOnlyMemory<byte> json)
    {
        var response = context.Response;
        if (response.HasStarted || context.RequestAborted.IsCancellationRequested)
            return;
        response.StatusCode = status;
        response.ContentType = "application/json;charset=UTF-8";
        response.ContentLength = json.Length;
        await response.Body.WriteAsync(json);
    }

    public static Task ErrorAsync(HttpContext context, int status, int code, string message) => WriteAsync(context, status, new ApiException(code, message).ToJson());

    /// <summary>A body of at most so many bytes as text; more is refused.</summary>
    public static async Task<string> ReadBodyAsync(HttpContext context, int most)
    {
        var request = context.Request;
        if (request.ContentLength > most)
            throw new ApiException(-1102, $"The body is larger than {most} bytes.", 413);
        if (request.ContentLength is null or 0 && !request.Headers.TransferEncoding.Contains("chunked"))
            return "";
        var buffer = new byte[(int)(request.ContentLength ?? most) + 1];
        var length = 0;
        while (length < buffer.Length && await request.Body.ReadAsync(buffer.AsMemory(length), context.RequestAborted) is > 0 and var read)
            length += read;
        return length > most ? throw new ApiException(-1102, $"The body is larger than {most} bytes.", 413) : Encoding.UTF8.GetString(buffer, 0, length);
    }

    private static async Task<Parameters> ReadAsync(HttpContext context)
    {
        var form = HttpMethods.IsGet(context.Request.Method) ? "" : await ReadBodyAsync(context, MaxBodyBytes);
        return Parameters.Parse(context.Request.QueryString.Value is { Length: > 1 } query ? query[1..] : "", form);
    }

    private static void Show(IHeaderDictionary headers, Meters meters)
    {
        if (meters.Weight is { } weight)
            headers["X-MBX-USED-WEIGHT"] = headers["X-MBX-USED-WEIGHT-1M"] = weight.ToString();
        if (meters.OrdersInTenSeconds is { } inTenSeconds)
            headers["X-MBX-ORDER-COUNT-10S"] = inTenSeconds.ToString();
        if (meters.OrdersToday is { } today)
            headers["X-MBX-ORDER-COUNT-1D"] = today.ToString();
        if (meters.RetryAfterSeconds is { } seconds)
            headers.RetryAfter = seconds.ToString();
    }
}
