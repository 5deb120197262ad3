using Antbot.Cli.Sources;
using Antbot.Forensics;

namespace Antbot.Cli.Commands;

/// <summary>A chain as a person reads it, from top to bottom: when, what, who, what it followed from, why, on what, and what it said to whom.</summary>
internal static class TraceText
{
    public static void Show(TextWriter to, Trace trace)
    {
        to.WriteLine($"{trace.Target.Kind} {Tables.Plain(trace.Target.Id)}: {trace.Steps.Count:N0} events{(trace.Trades.Count > 0 ? $" of trade {string.Join(", ", trace.Trades)}" : "")}. {Verdict(trace)}");
        foreach (var process in trace.Processes)
            to.WriteLine(Tables.Plain($"Process {process.Instance:N}: {process.Service} {process.Name}, build {process.Build} {process.BuildHash ?? ""}, configuration {process.Configuration ?? "not recorded"}, since {process.StartedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss}, {process.Events:N0} of the events"));
        to.WriteLine();
        DateTimeOffset? before = null;
        foreach (var step in trace.Steps)
        {
            Show(to, step, before);
            before = step.At;
        }
        foreach (var recorded in trace.Trades.Select(t => trace.Steps is [var first, ..] and [.., var last] ? Recordings.Of(t, first.At, last.At) : null).OfType<string>())
            to.WriteLine(recorded);
        foreach (var related in trace.Related)
            to.WriteLine($"See also: antbot trace {related.Id}");
        foreach (var gap in trace.Gaps)
            to.WriteLine(Tables.Plain($"{Word(gap.Kind)}{(gap.Step is { } number ? $" [{number}]" : "")} {gap.What}"));
    }

    private static string Verdict(Trace trace)
    {
        var missing = trace.Gaps.Count(g => g.Kind == GapKind.Missing);
        var open = trace.Gaps.Count(g => g.Kind == GapKind.Open);
        return $"{(trace.More ? "There is more; this is its beginning." : missing > 0 ? $"{missing} links are missing." : "Every link is there.")}{(open > 0 ? $" {open} are open." : "")}";
    }

    private static void Show(TextWriter to, TraceStep step, DateTimeOffset? before)
    {
        var since = before is { } b ? $"{(step.At - b).TotalSeconds:+0.000;-0.000} s" : "";
        to.WriteLine($"{step.At.UtcDateTime:yyyy-MM-dd HH:mm:ss.ffffff} {since,11}  [{step.Number}] {step.Type.Replace('_', ' ')}  #{step.Sequence} {step.Stream} v{step.Version}  {Tables.Plain(step.Actor ?? "nobody")}");
        to.WriteLine($"{StoryText.Indent}← {(step.Cause.Step is { } cause ? $"[{cause}] " : "")}{Word(step.Cause.Kind)}: {Tables.Plain(step.Cause.What)}");
        foreach (var verdict in step.Verdicts)
            to.WriteLine($"{StoryText.Indent}{(verdict.Passed ? "✓" : "✗")} {Tables.Plain(verdict.Rule)}: {Tables.Plain(verdict.Saw)}");
        if (step.Withheld)
            to.WriteLine($"{StoryText.Indent}(what it says is for others to see)");
        foreach (var line in StoryText.Wrapped(step.Body))
            to.WriteLine($"{StoryText.Indent}{line}");
        foreach (var message in step.Messages)
            to.WriteLine($"{StoryText.Indent}→ {message.Type} to {message.Endpoint} {message.Id:N}: {Fate(message)}");
    }

    private static string Fate(SaidMessage message)
    {
        string[] fates = [.. message.Effects.Select(e => $"[{e}]"), .. message.Letters.Select(l => $"dead letter {l}")];
        return fates.Length > 0 ? string.Join(", ", fates) : "nothing was decided on it";
    }

    private static string Word(CauseKind kind) => kind switch
    {
        CauseKind.Message => "message",
        CauseKind.Answer => "answer",
        CauseKind.Look => "look",
        CauseKind.Deadline => "deadline",
        CauseKind.Command => "command",
        CauseKind.Outside => "from outside",
        CauseKind.Missing => "MISSING",
        _ => kind.ToString(),
    };

    private static string Word(GapKind kind) => kind switch
    {
        GapKind.Missing => "MISSING",
        GapKind.Open => "Open",
        GapKind.NotKept => "Not kept",
        _ => kind.ToString(),
    };
}
