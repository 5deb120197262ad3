using System.Net;

namespace Antbot.Cli.Forwarding;

/// <summary>Where connections are taken, and by which names those are found that they are for.</summary>
internal sealed record Mapping(IPEndPoint Listen, IReadOnlyList<(string Host, int Port)> Targets)
{
    public override string ToString() => string.Join(',', Targets.Select(t => $"{t.Host}:{t.Port}"));

    /// <summary>As in <c>127.0.0.1:8080=console:8080</c>; null where it is no such thing.</summary>
    public static Mapping? Parse(string text)
    {
        if (text.Split('=') is not [var from, var to] || !IPEndPoint.TryParse(from, out var listen) || !from.Contains(':', StringComparison.Ordinal))
            return null;
        var targets = to.Split(',').Select(Target).ToList();
        return targets.Exists(t => t is null) ? null : new Mapping(listen, [.. targets.Select(t => t!.Value)]);
    }

    private static (string Host, int Port)? Target(string text) =>
        text.LastIndexOf(':') is var at and > 0 && Uri.CheckHostName(text[..at].Trim('[', ']')) != UriHostNameType.Unknown && ushort.TryParse(text[(at + 1)..], out var port) && port > 0
            ? (text[..at].Trim('[', ']'), port)
            : null;
}
