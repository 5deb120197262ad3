using System.ComponentModel.DataAnnotations;
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
    public static TOptions Bind<TOptions>(string section, IConfiguration configuration, Func<TOptions, IEnumerable<ValidationResult>>? check)
        where TOptions : class, new()
    {
        var options = new TOptions();
        try
        {
            WithoutUnderscores(configuration).Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
        }
        catch (InvalidOperationException e)
        {
            // The binder stops at the first; what it says names the key, and never a secret's value.
            throw new InvalidConfigurationException([$"{section}: {e.Message}"]);
        }
        var results = new List<ValidationResult>();
        Validator.TryValidateObject(options, new ValidationContext(options), results, validateAllProperties: true);
        if (check is not null)
            results.AddRange(check(options).Where(r => r != ValidationResult.Success));
        return results.Count == 0
            ? options
            : throw new InvalidConfigurationException([.. results.Select(r => $"{section}: {string.Join(", ", r.MemberNames)}: {r.ErrorMessage}")]);
    }

    /// <summary>The environment writes <c>KEY_FILE</c> for what is <c>KeyFile</c> here.</summary>
    private static IConfiguration WithoutUnderscores(IConfiguration configuration) => new ConfigurationBuilder()
        .AddInMemoryCollection(configuration.AsEnumerable(makePathsRelative: true).Where(e => e.Key.Length > 0).Select(e => KeyValuePair.Create(e.Key.Replace("_", "", StringComparison.Ordinal), e.Value)))
        .Build();
}
