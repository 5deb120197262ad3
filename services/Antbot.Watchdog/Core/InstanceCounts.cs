using System.Globalization;

namespace Antbot.Watchdog.Core;

/// <summary>How many processes of each service: <c>validation=3 risk=2</c>, one of whatever is not named.</summary>
public static class InstanceCounts
{
    public const int Max = 32;

    /// <summary>Every fault of the text, or the counts.</summary>
    public static (IReadOnlyDictionary<string, int> Counts, IReadOnlyList<string> Faults) Parse(string text, IReadOnlyCollection<string> scalable, IReadOnlyCollection<string> single)
    {
        ArgumentNullException.ThrowIfNull(text);
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var faults = new List<string>();
        foreach (var part in text.Split([' ', ',', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (part.Split('=') is not [var name, var number])
                faults.Add($"'{part}' is not of the form service=number");
            else if (single.Contains(name))
                faults.Add($"there is one {name}: it cannot be scaled");
            else if (!scalable.Contains(name))
                faults.Add($"'{name}' is no service; there are {string.Join(", ", scalable)}");
            else if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count is < 1 or > Max)
                faults.Add($"'{part}': the number lies between 1 and {Max}");
            else if (!counts.TryAdd(name, count))
                faults.Add($"{name} is named twice");
        }
        return (counts, faults);
    }
}
