using System.Text.Json;
using Antbot.PaperVenue.Faults;
using Antbot.PaperVenue.Http;

namespace Antbot.PaperVenue.Admin;

/// <summary>What goes wrong on request.</summary>
internal sealed class FaultRoutes(Venue venue, FaultPlan faults, PaperVenueOptions options, WrongClock clock)
{
    public void WriteFaults(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (var fault in faults.All)
            WriteFault(json, fault);
        json.WriteEndArray();
    }

    private static void WriteFault(Utf8JsonWriter json, Fault fault)
    {
        json.WriteStartObject();
        json.Field("id", fault.Id).Field("kind", Words.Name(fault.Kind)).Field("route", fault.Group is { } group ? Words.Name(group) : "all");
        json.WriteNumber("probability", fault.Probability);
        if (fault.Left is { } left)
            json.Field("left", left);
        json.Field("ms", fault.Milliseconds).Field("status", fault.Status);
        json.WriteNumber("ratio", fault.Ratio);
        json.WriteEndObject();
    }

    public byte[] AddFault(Body body)
    {
        NeedFaults();
        var kind = Words.Named<FaultKind>(body.NeedText("kind"), "kind");
        var group = body.FindText("route") is { } route && route != "all" ? Words.Named<RouteGroup>(route, "route") : (RouteGroup?)null;
        var milliseconds = kind switch { FaultKind.Delay or FaultKind.DelayAnswer or FaultKind.LateReport or FaultKind.LateFill or FaultKind.BustedFill => 1_000, FaultKind.RateLimit => 5_000, _ => 60_000 };
        var status = body.Whole("status", kind == FaultKind.RateLimit ? 429 : 500, 400, 599);
        var fault = new Fault(
            0, kind, group, body.Number("probability", 1, 0, 1), body.Has("count") ? body.Whole("count", 1, 1, 1_000_000) : null,
            body.Has("seconds") ? clock.GetUtcNow().AddSeconds(body.Whole("seconds", 1, 1, 86_400)) : null,
            body.Whole("ms", milliseconds, 0, 600_000), status, body.Number("ratio", 0.5, 0, 1));
        var added = faults.Add(fault) ?? throw new ApiException(-1003, "There are too many faults already; remove some.");
        return Json.Write(json => WriteFault(json, added));
    }

    public byte[] RemoveFaults(string id)
    {
        if (id.Length == 0)
            faults.Clear();
        else if (!int.TryParse(id, out var number) || !faults.Remove(number))
            throw new ApiException(-1102, "There is no fault with this id.", 404);
        return Json.Write(WriteFaults);
    }

    public byte[] GoAway(Body body)
    {
        NeedFaults();
        var resets = body.FindText("mode") switch
        {
            null or "503" => false,
            "reset" => true,
            _ => throw new ApiException(-1102, "'mode' is '503' or 'reset'."),
        };
        faults.GoAway(TimeSpan.FromSeconds(body.Number("seconds", 5, 0, 86_400)), resets);
        venue.Hub.CutAll();
        return "{}"u8.ToArray();
    }

    public byte[] SetClockOff(Body body)
    {
        NeedFaults();
        clock.SetOff(TimeSpan.FromMilliseconds(body.Whole("ms", 0, -86_400_000, 86_400_000)));
        return "{}"u8.ToArray();
    }

    private void NeedFaults()
    {
        if (!options.Faults)
            throw new ApiException(-1020, "Faults are switched off here; start the venue with them.", 403);
    }
}
