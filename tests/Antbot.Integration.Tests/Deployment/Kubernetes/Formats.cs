using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Antbot.Integration.Tests.Deployment.Kubernetes;

[JsonConverter(typeof(FormatConverter<DnsLabel>))]
internal sealed partial record DnsLabel(string Value) : IFormat<DnsLabel>
{
    public static string? FaultOf(string text) => text.Length <= 63 && Form().IsMatch(text) ? null : "no name of small letters, digits and '-', 63 at most";

    public static DnsLabel Of(string text) => new(text);

    public override string ToString() => Value;

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();
}

[JsonConverter(typeof(FormatConverter<LabelKey>))]
internal sealed partial record LabelKey(string Value) : IFormat<LabelKey>
{
    public static string? FaultOf(string text) => text.Split('/') switch
    {
        [var name] when Name().IsMatch(name) => null,
        [var prefix, var name] when Name().IsMatch(name) && prefix.Length <= 253 && prefix.Split('.').All(p => DnsLabel.FaultOf(p) is null) => null,
        _ => "no key of a label: [prefix/]name",
    };

    public static LabelKey Of(string text) => new(text);

    public override string ToString() => Value;

    [GeneratedRegex("^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    internal static partial Regex Name();
}

[JsonConverter(typeof(FormatConverter<LabelValue>))]
internal sealed record LabelValue(string Value) : IFormat<LabelValue>
{
    public static string? FaultOf(string text) => text.Length == 0 || LabelKey.Name().IsMatch(text) ? null : "no value of a label";

    public static LabelValue Of(string text) => new(text);

    public override string ToString() => Value;
}

/// <summary>An amount of processor or memory: <c>100m</c>, <c>512Mi</c>, <c>2</c>.</summary>
[JsonConverter(typeof(FormatConverter<Quantity>))]
internal sealed partial record Quantity(string Text) : IFormat<Quantity>
{
    public decimal Amount => Form().Match(Text) is var m ? decimal.Parse(m.Groups["number"].ValueSpan, CultureInfo.InvariantCulture) * Unit(m.Groups["unit"].Value) : 0;

    public static string? FaultOf(string text) => Form().IsMatch(text) ? null : "no quantity such as 100m, 512Mi or 2";

    public static Quantity Of(string text) => new(text);

    private static decimal Unit(string unit) => unit switch
    {
        "" => 1,
        "m" => 0.001m,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "Ki" => 1L << 10,
        "Mi" => 1L << 20,
        "Gi" => 1L << 30,
        _ => 1L << 40,
    };

    [GeneratedRegex(@"^(?<number>[0-9]+(\.[0-9]+)?)(?<unit>m|k|M|G|Ki|Mi|Gi|Ti)?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();
}

/// <summary>The name of a variable. More is allowed than this; nothing here needs it.</summary>
[JsonConverter(typeof(FormatConverter<EnvName>))]
internal sealed partial record EnvName(string Value) : IFormat<EnvName>
{
    public static string? FaultOf(string text) => Form().IsMatch(text) ? null : "no name of a variable";

    public static EnvName Of(string text) => new(text);

    [GeneratedRegex("^[A-Z_][A-Z0-9_]*$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();
}

[JsonConverter(typeof(FormatConverter<MountPath>))]
internal sealed record MountPath(string Value) : IFormat<MountPath>
{
    public static string? FaultOf(string text) => text.StartsWith('/') && !text.Contains(':', StringComparison.Ordinal) && !text.Contains("..", StringComparison.Ordinal) ? null : "no absolute path without ':' and '..'";

    public static MountPath Of(string text) => new(text);
}

/// <summary>The key of a Secret or a ConfigMap, which becomes a file's name.</summary>
[JsonConverter(typeof(FormatConverter<DataKey>))]
internal sealed partial record DataKey(string Value) : IFormat<DataKey>
{
    public static string? FaultOf(string text) => text.Length <= 253 && Form().IsMatch(text) ? null : "no key of data: letters, digits, '-', '_' and '.'";

    public static DataKey Of(string text) => new(text);

    [GeneratedRegex(@"^(?!\.\.?$)[-._a-zA-Z0-9]+$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();
}

[JsonConverter(typeof(FormatConverter<ImageName>))]
internal sealed partial record ImageName(string Value) : IFormat<ImageName>
{
    public static string? FaultOf(string text) => Form().IsMatch(text) ? null : "no image such as registry/name:tag";

    public static ImageName Of(string text) => new(text);

    public override string ToString() => Value;

    [GeneratedRegex(@"^([a-z0-9][-a-z0-9.]*(:[0-9]+)?/)?[a-z0-9]+([-._/][a-z0-9]+)*(:[A-Za-z0-9_][-A-Za-z0-9_.]*)?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();
}

/// <summary>A port's number, or the name that a container gives it.</summary>
[JsonConverter(typeof(PortConverter))]
internal sealed record Port(int Number, string? Name)
{
    public override string ToString() => Name ?? $"{Number}";
}

internal sealed partial class PortConverter : JsonConverter<Port>
{
    public override Port Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
    {
        JsonTokenType.Number when reader.TryGetInt32(out var number) && number is >= 1 and <= 65_535 => new Port(number, null),
        JsonTokenType.String when reader.GetString() is { } name && Form().IsMatch(name) => new Port(0, name),
        _ => throw new JsonException("a port is a number from 1 to 65535, or a name of at most 15 small letters, digits and '-'."),
    };

    public override void Write(Utf8JsonWriter writer, Port value, JsonSerializerOptions options) => throw new NotSupportedException();

    [GeneratedRegex("^(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();
}
