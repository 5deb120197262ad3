using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Antbot.Integration.Tests.Support;

/// <summary>Whoever goes on logs lines of one shape, whether it has the services' host, its own few lines, or shares no code with them.</summary>
internal static class LogLines
{
    private static readonly string[] Always = ["time", "level", "service", "instance", "category", "message"];
    private static readonly HashSet<string> Sometimes = new(StringComparer.Ordinal) { "trace", "trade", "endpoint", "work", "message_type", "exception" };

    /// <returns>The entry.</returns>
    public static JsonElement Check(string line, string service, string? instance = null)
    {
        Assert.True(line.StartsWith('{'), $"no line of JSON: {line}");
        var entry = JsonElement.Parse(line);
        var names = entry.EnumerateObject().Select(m => m.Name).ToList();
        Assert.Equal(Always, names.Take(Always.Length));
        Assert.Subset(Sometimes, names.Skip(Always.Length).ToHashSet(StringComparer.Ordinal));
        Assert.All(entry.EnumerateObject(), m => Assert.Equal(JsonValueKind.String, m.Value.ValueKind));
        Assert.True(DateTimeOffset.TryParseExact(Text("time"), "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _), line);
        Assert.Contains(Text("level"), Enum.GetNames<LogLevel>());
        Assert.Equal((service, instance ?? Environment.MachineName), (Text("service"), Text("instance")));
        Assert.NotEqual("", Text("message"));
        return entry;

        string Text(string name) => entry.GetProperty(name).GetString()!;
    }

    public static string MessageOf(string line, string service) => Check(line, service).GetProperty("message").GetString()!;
}
