using System.Collections;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Antbot.Contracts.Events;

namespace Antbot.Runtime.Store;

/// <summary>
/// Which class stands behind each stored name, and how bodies of older names become newer ones.
/// A name once stored is never given to another class; a test holds the list that is committed.
/// </summary>
public sealed partial class EventRegistry
{
    private const int UpcastStepsMax = 100;

    private readonly Dictionary<string, Type> _types = new(StringComparer.Ordinal);
    private readonly Dictionary<Type, string> _names = [];
    private readonly Dictionary<string, (string To, Func<JsonObject, JsonObject> Change)> _upcasts = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, Type> Types => _types;

    public IEnumerable<string> UpcastNames => _upcasts.Keys;

    /// <summary>Every class with a <see cref="StoredNameAttribute"/> in these assemblies.</summary>
    public static EventRegistry From(params IEnumerable<Assembly> assemblies)
    {
        var registry = new EventRegistry();
        foreach (var type in assemblies.SelectMany(a => a.GetTypes()).Where(t => t.GetCustomAttribute<StoredNameAttribute>() is not null))
            registry.Add(type);
        return registry;
    }

    public EventRegistry Add(params IEnumerable<Type> types)
    {
        foreach (var type in types)
            Add(type);
        return this;
    }

    /// <summary>Bodies stored as <paramref name="from"/> are changed into bodies of <paramref name="to"/> when they are read. History itself stays.</summary>
    public EventRegistry Upcast(string from, string to, Func<JsonObject, JsonObject> change)
    {
        CheckName(from);
        CheckName(to);
        if (_types.ContainsKey(from))
            throw new ArgumentException($"'{from}' is a class of this build; what is upcast must not be.", nameof(from));
        if (!_upcasts.TryAdd(from, (to, change)))
            throw new ArgumentException($"'{from}' already has an upcaster.", nameof(from));
        return this;
    }

    public string NameOf(Type type) => _names.TryGetValue(type, out var name)
        ? name
        : throw new EventStoreException(StoreFault.UnknownType, $"{type.FullName} is not registered as an event. Give it a [StoredName] and register its assembly.");

    /// <summary>The class for a stored name, and the changes on the way to it, oldest first.</summary>
    internal bool TryResolve(string name, out Type? type, out List<Func<JsonObject, JsonObject>>? changes)
    {
        changes = null;
        for (var steps = 0; steps < UpcastStepsMax && _upcasts.TryGetValue(name, out var upcast); steps++)
        {
            (changes ??= []).Add(upcast.Change);
            name = upcast.To;
        }
        return _types.TryGetValue(name, out type);
    }

    private void Add(Type type)
    {
        var name = type.GetCustomAttribute<StoredNameAttribute>()?.Name
            ?? throw new ArgumentException($"{type.FullName} has no [StoredName]: its name in the store must be pinned.", nameof(type));
        CheckName(name);
        if (_types.TryGetValue(name, out var other) && other != type)
            throw new ArgumentException($"'{name}' is the stored name of both {other.FullName} and {type.FullName}.", nameof(type));
        if (_upcasts.ContainsKey(name))
            throw new ArgumentException($"'{name}' is upcast to another name; a class cannot have it too.", nameof(type));
        if (FindFloat(type, type.Name, []) is { } path)
            throw new ArgumentException($"{path} is a binary floating-point number. Events hold decimals: a double does not read back as it was decided.", nameof(type));
        _types[name] = type;
        _names[type] = name;
    }

    private static void CheckName(string name)
    {
        if (name.Length > StoreLimits.TypeLengthMax || !StoredName().IsMatch(name))
            throw new ArgumentException($"'{name}' is no stored name: snake_case, at most {StoreLimits.TypeLengthMax} characters.", nameof(name));
    }

    private static string? FindFloat(Type type, string path, HashSet<Type> seen)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(double) || type == typeof(float) || type == typeof(Half))
            return path;
        if (type.IsPrimitive || type.IsEnum || type == typeof(string) || !seen.Add(type))
            return null;
        if (typeof(IEnumerable).IsAssignableFrom(type) || type.Namespace == "System")
            return First(Elements(type).Select(t => FindFloat(t, path, seen)));
        var derived = type.GetCustomAttributes<JsonDerivedTypeAttribute>(inherit: false).Select(a => FindFloat(a.DerivedType, path, seen));
        return First(derived.Concat(type.GetProperties(BindingFlags.Instance | BindingFlags.Public)
            .Select(p => FindFloat(p.PropertyType, $"{path}.{p.Name}", seen))));
    }

    private static string? First(IEnumerable<string?> found) => found.FirstOrDefault(path => path is not null);

    /// <summary>What a collection, a tuple or a memory holds; a class derived from a collection says so only through its interfaces.</summary>
    private static IEnumerable<Type> Elements(Type type) => type.IsArray
        ? [type.GetElementType()!]
        : type.GetGenericArguments().Concat(type.GetInterfaces()
            .Where(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEnumerable<>))
            .Select(i => i.GetGenericArguments()[0]));

    [GeneratedRegex("^[a-z][a-z0-9]*(_[a-z0-9]+)*\\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex StoredName();
}
