using System.Diagnostics;
using Antbot.Contracts.Venue;

namespace Antbot.Venues;

/// <summary>
/// A span for every request to the venue, in the trace of what it is sent for. It says where to and what came of it: neither
/// parameters nor signature, which open an account, nor a text of the venue's, which may say anything.
/// </summary>
internal static class VenueTrace
{
    public const string SourceName = "Antbot.Venues";

    private static readonly ActivitySource Source = new(SourceName);

    /// <returns>Null while nobody collects traces.</returns>
    public static Activity? Begin(string venue, VenueRoute route, HttpMethod method, string path)
    {
        if (!Source.HasListeners() || Source.StartActivity($"venue {route.Name}", ActivityKind.Client) is not { } span)
            return null;
        return span.SetTag("antbot.venue", venue).SetTag("antbot.venue.route", route.Name).SetTag("http.request.method", method.Method).SetTag("url.path", path);
    }

    public static void Heard(this Activity? span, HttpResponseMessage response) => span?.SetTag("http.response.status_code", (int)response.StatusCode);

    public static void Ended<T>(this Activity? span, VenueAnswer<T> answer)
    {
        if (span is null)
            return;
        var (word, isFault) = answer switch
        {
            VenueAnswer<T>.Said => ("said", false),
            VenueAnswer<T>.Refused => ("refused", false),
            VenueAnswer<T>.NotSent => ("not sent", true),
            _ => ("unknown", true),
        };
        span.SetTag("antbot.venue.answer", word);
        if (answer is VenueAnswer<T>.Refused refused)
            span.SetTag("antbot.venue.code", refused.Code);
        if (isFault)
            span.SetStatus(ActivityStatusCode.Error);
    }
}
