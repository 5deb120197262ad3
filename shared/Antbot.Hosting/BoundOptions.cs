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
    /// <summary>A setting that nobody reads is a misspelt one. (The binder's own check does not know of other key names.)</summary>
    private static IEnumerable<ValidationResult> Unknown<TOptions>(IConfiguration configuration)
    {
        var known = typeof(TOptions).GetProperties()
            .Select(p => p.GetCustomAttribute<ConfigurationKeyNameAttribute>()?.Name ?? p.Name)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        return configuration.GetChildren()
            .Where(c => !known.Contains(c.Key))
            .Select(c => new ValidationResult($"There is no such setting; there are {string.Join(", ", known.Order(StringComparer.Ordinal))}.", [c.Key]));
    }

    public static TOptions Bind<TOptions>(string section, IConfiguration configuration, Func<TOptions, IEnumerable<ValidationResult>>? check)
        where TOptions : class, new()
    {
        var options = new TOptions();
        try
        {
            configuration.Bind(options);
        }
        catch (InvalidOperationException e)
        {
            // The binder stops at the first; what it says names the key, and never a secret's value.
            throw new InvalidConfigurationException([$"{section}: {e.Message}"]);
        }
        var results = new List<ValidationResult>(Unknown<TOptions>(configuration));
        Validator.TryValidateObject(options, new ValidationContext(options), results, validateAllProperties: true);
        if (check is not null)
            results.AddRange(check(options).Where(r => r != ValidationResult.Success));
        return results.Count == 0
            ? options
            : throw new InvalidConfigurationException([.. results.Select(r => $"{section}: {string.Join(", ", r.MemberNames)}: {r.ErrorMessage}")]);
    }
}
