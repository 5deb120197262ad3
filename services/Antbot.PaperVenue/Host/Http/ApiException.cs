namespace Antbot.PaperVenue.Http;

/// <summary>A request that is refused, in Binance's codes.</summary>
internal sealed class ApiException(int code, string message, int status = 400) : Exception(message)
{
    public int Code { get; } = code;

    public int Status { get; } = status;

    /// <summary>What is told beside code and message, as JSON; of two things asked for in one, which was done.</summary>
    public byte[]? Details { get; init; }

    public byte[] ToJson() => Json.Write(json =>
    {
        json.WriteStartObject();
        json.Field("code", Code).Field("msg", Message);
        if (Details is { } details)
        {
            json.WritePropertyName("data");
            json.WriteRawValue(details);
        }
        json.WriteEndObject();
    });

    public static ApiException Missing(string name) => new(-1102, $"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.");

    public static ApiException Illegal(string name, string legal) => new(-1100, $"Illegal characters found in parameter '{name}'; legal range is '{legal}'.");

    public static ApiException TooPrecise(string name) => new(-1111, $"Parameter '{name}' has too much precision.");

    public static ApiException Invalid(string name) => new(-1130, $"Data sent for parameter '{name}' is not valid.");

    public static ApiException NotRequired(string name) => new(-1106, $"Parameter '{name}' sent when not required.");

    public static ApiException BadSymbol() => new(-1121, "Invalid symbol.");

    public static ApiException Refused(Rejection rejection) => new(rejection.Code, rejection.Message);
}
