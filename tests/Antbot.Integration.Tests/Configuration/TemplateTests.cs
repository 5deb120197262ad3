using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.RegularExpressions;
using Antbot.Hosting;
using Xunit;

namespace Antbot.Integration.Tests.Configuration;

/// <summary>The template in <c>deploy/</c> is made from the options themselves, so that it names every variable and no other.</summary>
public sealed partial class TemplateTests
{
    private const string Rewrite = "ANTBOT_REWRITE_TEMPLATE";

    [Fact]
    public void The_template_is_what_the_options_say()
    {
        var rendered = ConfigurationTemplate.Render(Modules());
        var file = Path.Combine(Root(), "deploy", "antbot.env.example");
        if (Environment.GetEnvironmentVariable(Rewrite) == "true")
            File.WriteAllText(file, rendered);
        Assert.True(File.Exists(file) && File.ReadAllText(file) == rendered, $"{file} does not name what the options have now. Run this test with {Rewrite}=true, and commit what it writes.");
    }

    [Fact]
    public void Every_variable_says_what_it_means()
    {
        var lines = ConfigurationTemplate.Render(Modules()).Split('\n');
        Assert.DoesNotContain(lines.Zip(lines.Skip(1)), pair => pair.Second.StartsWith("#ANTBOT_", StringComparison.Ordinal) && (!pair.First.StartsWith("# ", StringComparison.Ordinal) || pair.First.Length < 12 || pair.First.StartsWith("# --", StringComparison.Ordinal) || pair.First.StartsWith("#  (", StringComparison.Ordinal)));
        Assert.Contains("#ANTBOT_STORE=", lines);
        Assert.Contains("#ANTBOT_RISK__MAXEXPOSURE=10000", lines);
    }

    /// <summary>What a program reads and the template does not name is found by nobody.</summary>
    [Fact]
    public void Every_variable_that_the_sources_name_or_compose_sets_or_asks_for_is_in_it()
    {
        var names = Named().Matches(ConfigurationTemplate.Render(Modules())).Select(m => m.Groups["name"].Value).ToHashSet(StringComparer.Ordinal);
        var sources = new[] { "services", "shared" }.SelectMany(f => Directory.EnumerateFiles(Path.Combine(Root(), f), "*.cs", SearchOption.AllDirectories))
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .SelectMany(f => Ours().Matches(File.ReadAllText(f)).Select(m => m.Value));
        var compose = File.ReadAllText(Path.Combine(Root(), "docker-compose.yml"));
        var used = sources.Concat(Ours().Matches(compose).Select(m => m.Value)).Concat(Asked().Matches(compose).Select(m => m.Groups["name"].Value)).Distinct().ToList();
        Assert.True(used.Count > 40, $"{used.Count} variables");
        Assert.Equal([], used.Where(u => !IsIn(u)).Order(StringComparer.Ordinal));

        // A file that holds it, the beginning of several, and one of those that a setting holds under its name.
        bool IsIn(string used) => names.Contains(used)
            || (used.EndsWith("_FILE", StringComparison.Ordinal) && names.Contains(used[..^"_FILE".Length]))
            || (used.EndsWith("__", StringComparison.Ordinal) && names.Any(n => n.StartsWith(used.TrimEnd('_'), StringComparison.Ordinal)))
            || names.Any(n => used.StartsWith($"{n}__", StringComparison.Ordinal));
    }

    [Fact]
    public void The_page_about_hosting_names_what_the_documents_set_and_what_other_programs_read()
    {
        var page = File.ReadAllText(Path.Combine(Root(), "docs", "hosting.md"));
        var template = ConfigurationTemplate.Render(Modules());
        var names = Said().Matches(template[template.IndexOf("# ---- names of the operating documents", StringComparison.Ordinal)..]).Select(m => m.Groups["name"].Value).ToList();
        Assert.Superset(new HashSet<string>(StringComparer.Ordinal) { "LOG_JSON", "PAGERDUTY_KEY", "ANTBOT_VENUE_API_KEY", "ANTBOT_CONSOLE", "OTEL_EXPORTER_OTLP_ENDPOINT", "CONSOLE_PORT" }, names.ToHashSet(StringComparer.Ordinal));
        Assert.Equal([], names.Where(n => !page.Contains($"`{n}`", StringComparison.Ordinal)));
    }

    /// <summary>A range compares by the type of its bounds: what does not fit into that ended a service with a trace and without the setting's name.</summary>
    [Fact]
    public void Every_range_has_bounds_that_take_whatever_its_setting_can_be()
    {
        var ranges = Modules().Select(m => m.GetType().Assembly).Append(typeof(PlatformOptions).Assembly).Distinct().SelectMany(a => a.GetTypes()).SelectMany(t => t.GetProperties())
            .Select(p => (Property: p, Range: p.GetCustomAttribute<RangeAttribute>())).Where(p => p.Range is not null).ToList();
        Assert.True(ranges.Count > 20, $"{ranges.Count} ranges");
        Assert.All(ranges, r => Assert.True(r.Range!.OperandType == r.Property.PropertyType || r.Range.OperandType == typeof(double), $"{r.Property.DeclaringType!.Name}.{r.Property.Name} is compared as {r.Range.OperandType.Name}"));
    }

    /// <summary>All that a service's own program hosts; Standalone puts them together and has no settings of its own.</summary>
    private static List<IServiceModule> Modules()
    {
        var modules = Directory.GetFiles(AppContext.BaseDirectory, "Antbot.*.dll")
            .Select(Path.GetFileNameWithoutExtension).Where(n => !n!.Contains("Testing", StringComparison.Ordinal) && !n.Contains("Tests", StringComparison.Ordinal))
            .SelectMany(n => Assembly.Load(n!).GetTypes())
            .Where(t => t is { IsClass: true, IsAbstract: false, IsPublic: true } && typeof(IServiceModule).IsAssignableFrom(t) && t.GetConstructor(Type.EmptyTypes) is not null)
            .Select(t => (IServiceModule)Activator.CreateInstance(t)!)
            .OrderBy(m => m.Name, StringComparer.Ordinal).ToList();
        Assert.Subset(
            modules.Select(m => m.Name).ToHashSet(StringComparer.Ordinal),
            new HashSet<string>(StringComparer.Ordinal) { "coordinator", "execution", "reconciliation", "risk", "signal", "validation" });
        return modules;
    }

    [GeneratedRegex("^#(?<name>[A-Z][A-Z0-9_]+)=", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Named();

    /// <summary>With a line to set it, or with what it will be for.</summary>
    [GeneratedRegex("^#(?<name>[A-Z][A-Z0-9_]+)=|^# (?<name>[A-Z][A-Z0-9_]+):", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Said();

    [GeneratedRegex("ANTBOT_[A-Z0-9_]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Ours();

    [GeneratedRegex(@"\$\{(?<name>[A-Z][A-Z0-9_]*)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Asked();

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Antbot.Services.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not run within the repository.");
        return folder;
    }
}
