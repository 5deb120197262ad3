using System.ComponentModel.DataAnnotations;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Hosting;

/// <summary>Something that must hold before anything runs. Gives every fault in words, or none.</summary>
public interface IStartCheck
{
    IEnumerable<string> Faults();
}

/// <summary>That a section is read into these options: what else is in it is a mistake. The template is made from the same list.</summary>
/// <param name="Section">Empty for the platform's own.</param>
internal sealed record OptionsUse(string Section, Type Options);

internal sealed class OptionsCheck<TOptions>(IServiceProvider provider) : IStartCheck
    where TOptions : class
{
    public IEnumerable<string> Faults()
    {
        try
        {
            _ = provider.GetRequiredService<TOptions>();
            return [];
        }
        catch (InvalidConfigurationException e)
        {
            return e.Faults;
        }
    }
}

public sealed class InvalidConfigurationException(IReadOnlyList<string> faults) : Exception(string.Join(Environment.NewLine, faults))
{
    public IReadOnlyList<string> Faults { get; } = faults;
}

internal static class BoundOptions
{
    /// <summary>Every fault is found, not the first alone; each names its variable, and never what a secret holds.</summary>
    public static TOptions Bind<TOptions>(string section, IConfiguration configuration, Func<TOptions, IEnumerable<ValidationResult>>? check)
        where TOptions : class, new()
    {
        var options = new TOptions();
        var nullability = new NullabilityInfoContext();
        var faults = new List<string>();
        var wrong = new HashSet<string>(StringComparer.Ordinal);
        var children = configuration.GetChildren().ToList();
        foreach (var property in Properties(typeof(TOptions)))
        {
            if (children.Find(c => IsSame(c.Key, KeyOf(property))) is not { } given)
                continue;
            try
            {
                var value = given.Get(property.PropertyType);
                if (value is null && nullability.Create(property).WriteState == NullabilityState.NotNull)
                {
                    wrong.Add(property.Name);
                    faults.Add($"{Variable(section, property)}: it is empty, and something is wanted.");
                    continue;
                }
                property.SetValue(options, value);
            }
            catch (Exception e) when (e is InvalidOperationException or ArgumentException or TargetInvocationException)
            {
                wrong.Add(property.Name);
                faults.Add($"{Variable(section, property)}: it cannot be read as {Describe(property.PropertyType)}.");
            }
        }
        var results = Properties(typeof(TOptions)).SelectMany(p => Validate(options, p)).ToList();
        if (check is not null)
            results.AddRange(check(options).Where(r => r != ValidationResult.Success));
        // What could not be read stands at its default here: its own fault is told already.
        faults.AddRange(results.Where(r => !r.MemberNames.Any(wrong.Contains)).Select(r => $"{Names<TOptions>(section, r)}: {r.ErrorMessage}"));
        return faults.Count == 0 ? options : throw new InvalidConfigurationException(faults);
    }

    private static List<ValidationResult> Validate(object options, PropertyInfo property)
    {
        var results = new List<ValidationResult>();
        Validator.TryValidateProperty(property.GetValue(options), new ValidationContext(options) { MemberName = property.Name }, results);
        return results;
    }

    public static IEnumerable<PropertyInfo> Properties(Type options) =>
        options.GetProperties(BindingFlags.Instance | BindingFlags.Public).Where(p => p is { CanRead: true, CanWrite: true, SetMethod.IsPublic: true });

    /// <summary>The environment may write <c>STREAM_ADDRESS</c> for what is <c>StreamAddress</c> here.</summary>
    public static bool IsSame(string key, string other) =>
        string.Equals(key.Replace("_", "", StringComparison.Ordinal), other.Replace("_", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase);

    public static string KeyOf(PropertyInfo property) => property.GetCustomAttribute<ConfigurationKeyNameAttribute>()?.Name ?? property.Name;

    public static string Variable(string section, PropertyInfo property) => Variable(section, KeyOf(property));

    public static string Variable(string section, string key) =>
        $"{HostConfiguration.Prefix}{(section.Length == 0 ? "" : section + "__")}{key.Replace(ConfigurationPath.KeyDelimiter, "__", StringComparison.Ordinal)}".ToUpperInvariant();

    private static string Names<TOptions>(string section, ValidationResult result)
    {
        var names = result.MemberNames.Select(n => typeof(TOptions).GetProperty(n) is { } property ? Variable(section, property) : n).ToList();
        return names.Count > 0 ? string.Join(", ", names) : Variable(section, "*");
    }

    private static string Describe(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type switch
        {
            _ when type == typeof(bool) => "true or false",
            _ when type == typeof(int) || type == typeof(long) => "a whole number",
            _ when type == typeof(decimal) || type == typeof(double) => "a number",
            _ when type == typeof(TimeSpan) => "a time span such as 00:00:30",
            _ when type == typeof(Uri) => "an address",
            { IsEnum: true } => $"one of {string.Join(", ", Enum.GetNames(type))}",
            _ => type.Name,
        };
    }
}
