using System.Diagnostics;

namespace Antbot.Messaging;

/// <summary>Trace ids as events and messages carry them: 32 hexadecimal digits, W3C's form.</summary>
public static class Traces
{
    /// <summary>The trace that what is being done now belongs to, or null.</summary>
    public static string? Current => Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.TraceId.ToHexString() : null;

    public static bool TryParse(string? text, out ActivityTraceId trace)
    {
        trace = default;
        if (text is not { Length: 32 } || text.AsSpan().ContainsAnyExcept("0123456789abcdef") || !text.AsSpan().ContainsAnyExcept('0'))
            return false;
        trace = ActivityTraceId.CreateFromString(text);
        return true;
    }

    /// <summary>Goes on in a recorded trace with what no message has asked for, until it is disposed of; null where there is none.</summary>
    public static Activity? Continue(string what, string? recorded) =>
        TryParse(recorded, out var trace) ? BusMeter.Activities.StartActivity(what, ActivityKind.Internal, ParentIn(trace)) : null;

    /// <summary>What is continued from a recorded trace id has no span to hang on; it gets the same root for all of its trace.</summary>
    internal static ActivityContext ParentIn(ActivityTraceId trace) =>
        new(trace, ActivitySpanId.CreateFromString(trace.ToHexString().AsSpan(16)), ActivityTraceFlags.Recorded, isRemote: true);
}
