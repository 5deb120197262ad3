using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Antbot.Messaging;

/// <summary>
/// All that is wrong with a message, and not only the first of it: by the types and converters that it is read with, member by member. Whoever reads
/// passes over a member that nobody knows; here it is a fault, because somebody has put it there to be read.
/// </summary>
internal static class ContractFaults
{
    private const int FaultsMax = 100;

    public static IReadOnlyList<string> Of(Type type, JsonElement element, JsonSerializerOptions options)
    {
        // As their first use would make them; before it they do not tell of any type.
        options.MakeReadOnly(populateMissingResolver: true);
        var faults = new List<string>();
        Check("", type, element, options, faults);
        return faults;
    }

    private static void Check(string path, Type type, JsonElement element, JsonSerializerOptions options, List<string> faults)
    {
        if (faults.Count >= FaultsMax)
            return;
        if (element.ValueKind == JsonValueKind.Array && ElementOf(type) is { } inner)
        {
            foreach (var (place, item) in element.EnumerateArray().Index())
                Check($"{path}/{place}", inner, item, options, faults);
            return;
        }
        if (options.GetTypeInfo(type) is { Kind: JsonTypeInfoKind.Object } contract && element.ValueKind == JsonValueKind.Object)
            Members(path, contract, element, options, faults);
        else
            Leaf(path, type, element, options, faults);
    }

    private static void Members(string path, JsonTypeInfo contract, JsonElement element, JsonSerializerOptions options, List<string> faults)
    {
        var names = options.PropertyNameCaseInsensitive ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;
        // What is only told, such as a trade that the signal names, is written and never read.
        var told = contract.Properties.Where(p => p.AssociatedParameter is null && p.Set is null).Select(p => p.Name).ToHashSet(names);
        var known = contract.Properties.Where(p => !told.Contains(p.Name)).ToDictionary(p => p.Name, names);
        foreach (var member in element.EnumerateObject())
        {
            var at = $"{path}/{member.Name}";
            if (!known.Remove(member.Name, out var property))
            {
                if (!told.Contains(member.Name))
                    faults.Add($"{at}: nobody reads such a member.");
            }
            else if (member.Value.ValueKind != JsonValueKind.Null)
            {
                Check(at, property.PropertyType, member.Value, options, faults);
            }
            else if (property.AssociatedParameter is { IsNullable: false } || (property.PropertyType.IsValueType && Nullable.GetUnderlyingType(property.PropertyType) is null))
            {
                faults.Add($"{at}: it must not be null.");
            }
        }
        faults.AddRange(known.Values.Where(p => p.IsRequired || p.AssociatedParameter is { HasDefaultValue: false }).Select(p => $"{path}/{p.Name}: it is missing."));
    }

    private static void Leaf(string path, Type type, JsonElement element, JsonSerializerOptions options, List<string> faults)
    {
        try
        {
            _ = element.Deserialize(type, options);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException or FormatException or NotSupportedException)
        {
            faults.Add($"{(path.Length > 0 ? path : "the message")}: {e.Message.Split(" Path: ", 2)[0]}");
        }
    }

    private static Type? ElementOf(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;
}
