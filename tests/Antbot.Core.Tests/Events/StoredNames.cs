using System.Reflection;
using System.Text.Json.Serialization.Metadata;
using Antbot.Core.Tests.Store;
using Antbot.Runtime.Store;

namespace Antbot.Core.Tests.Events;

/// <summary>Holds the events of this build to the list of what was ever stored.</summary>
internal static class StoredNames
{
    /// <summary>Lines of <c>name shape</c>; empty ones and those that begin with # say nothing.</summary>
    public static IReadOnlyDictionary<string, string> Parse(IEnumerable<string> lines) => lines
        .Select(line => line.Trim())
        .Where(line => line.Length > 0 && line[0] != '#')
        .Select(line => line.Split(' ', 2))
        .ToDictionary(parts => parts[0], parts => parts.Length > 1 ? parts[1] : "", StringComparer.Ordinal);

    /// <summary>What is wrong, each with what to do about it; empty where history is safe.</summary>
    public static IReadOnlyList<string> Compare(IReadOnlyDictionary<string, string> listed, EventRegistry registry)
    {
        var findings = new List<string>();
        foreach (var (name, shape) in listed.OrderBy(l => l.Key, StringComparer.Ordinal))
        {
            if (registry.Types.TryGetValue(name, out var type))
            {
                if (ShapeOf(type) != shape)
                    findings.Add($"'{name}' has another shape: it was stored as {shape}, and {type.FullName} is {ShapeOf(type)}. Give the new shape a new name and an upcaster.");
            }
            else if (!IsUpcast(name, registry))
            {
                findings.Add($"'{name}' has vanished: stores hold events of that name. Bring its class back or register an upcaster that leads to one.");
            }
        }
        findings.AddRange(registry.Types.Where(t => !listed.ContainsKey(t.Key)).OrderBy(t => t.Key, StringComparer.Ordinal)
            .Select(t => $"'{t.Key}' is new. Add the line: {LineOf(t.Key, t.Value)}"));
        findings.AddRange(registry.UpcastNames.Where(n => !listed.ContainsKey(n)).Order(StringComparer.Ordinal)
            .Select(n => $"'{n}' is upcast and not listed: its line was taken out, or it was never stored."));
        return findings;
    }

    public static string LineOf(string name, Type type) => $"{name} {ShapeOf(type)}";

    /// <summary>Members in the order of their names, with what decides how their JSON reads back; names of classes do not.</summary>
    public static string ShapeOf(Type type) => Shape(type, []);

    /// <summary>Every assembly of this platform beside the tests, loaded or not.</summary>
    public static IReadOnlyList<Assembly> ProductionAssemblies() =>
    [
        .. Directory.EnumerateFiles(AppContext.BaseDirectory, "Antbot.*.dll")
            .Select(file => Path.GetFileNameWithoutExtension(file))
            .Where(name => !name.EndsWith(".Tests", StringComparison.Ordinal) && !name.EndsWith(".Contract", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name => Assembly.Load(new AssemblyName(name))),
    ];

    /// <summary>Only a reader can say whether the upcasters lead to a class of this build.</summary>
    private static bool IsUpcast(string name, EventRegistry registry)
    {
        try
        {
            new EventCodec(registry).Decode(Sample.Stored(name, "{}"));
            return true;
        }
        catch (EventStoreException e)
        {
            return e.Fault != StoreFault.UnknownType;
        }
    }

    private static string Shape(Type type, HashSet<Type> within)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner)
            return Shape(inner, within) + "?";
        if (type.IsEnum)
            return $"enum({string.Join(',', Enum.GetNames(type).Select(n => $"{n}={Enum.Format(type, Enum.Parse(type, n), "d")}"))})";
        var info = EventCodec.Json.GetTypeInfo(type);
        switch (info.Kind)
        {
            case JsonTypeInfoKind.Enumerable:
                return $"[{Shape(info.ElementType!, within)}]";
            case JsonTypeInfoKind.Dictionary:
                return $"[{Shape(info.KeyType!, within)}:{Shape(info.ElementType!, within)}]";
            case JsonTypeInfoKind.Object:
                if (!within.Add(type))
                    return "itself";
                var members = info.Properties
                    .Where(p => p.Set is not null || p.AssociatedParameter is not null)
                    .OrderBy(p => p.Name, StringComparer.Ordinal)
                    .Select(p => $"{p.Name}{(p.IsRequired || p.AssociatedParameter is { HasDefaultValue: false } ? "" : "?")}:{Shape(p.PropertyType, within)}{Mark(p)}")
                    .ToList();
                within.Remove(type);
                return $"{{{string.Join(' ', members)}}}";
            default:
                return type.Name;
        }
    }

    private static string Mark(JsonPropertyInfo property) => !property.PropertyType.IsValueType && property.IsSetNullable ? "?" : "";
}
