using System.Diagnostics.CodeAnalysis;

namespace Antbot.Contracts;

/// <summary>The name of one stream of events, such as <c>order-7f3a</c>. Stored for ever, so its alphabet is small.</summary>
public readonly record struct StreamId
{
    public const int LengthMax = 200;

    private readonly string? _value;

    public StreamId(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (Fault(value) is { } fault)
            throw new ArgumentException(fault, nameof(value));
        _value = value;
    }

    public string Value => _value ?? throw new InvalidOperationException("This stream id was never given a value.");

    public static bool TryParse([NotNullWhen(true)] string? value, out StreamId id)
    {
        id = default;
        if (value is null || Fault(value) is not null)
            return false;
        id = new StreamId(value);
        return true;
    }

    public override string ToString() => _value ?? "";

    /// <summary>Why it can be no stream's name, or null.</summary>
    public static string? Fault(string value)
    {
        if (value.Length is 0 or > LengthMax)
            return $"A stream id has 1 to {LengthMax} characters; this one has {value.Length}.";
        foreach (var c in value)
        {
            if (!(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '/' or '+' or '@'))
                return $"A stream id holds ASCII letters, digits and -_.:/+@ only; this one holds U+{(int)c:X4}.";
        }
        return null;
    }
}
