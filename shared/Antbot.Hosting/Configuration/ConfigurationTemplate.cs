using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Xml.Linq;
using Antbot.Messaging;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Hosting;

/// <summary>Every variable that the modules read, with what it means and its default, as a file for people to copy.</summary>
public static class ConfigurationTemplate
{
    private const int Width = 140;

    private const string Head =
        """
        # Every setting of Antbot, with its default. Copy this file, take the '#' from a line to change it.
        # A secret is better kept in a file: NAME_FILE=/path is read into NAME, for every variable that a service reads.
        """;

    /// <summary>Of these modules, and of every program that is none.</summary>
    public static string Render(IEnumerable<IServiceModule> modules)
    {
        var text = new StringBuilder(RenderModules(modules));
        foreach (var (section, variables) in OtherPrograms.All)
        {
            text.Append("\n# ---- ").Append(section).Append(" ----\n");
            foreach (var variable in variables)
                Render(text, variable.Name, variable.Example, variable.Means);
        }
        return text.ToString();
    }

    /// <summary>What a process that hosts these modules reads.</summary>
    public static string RenderModules(IEnumerable<IServiceModule> modules)
    {
        var services = new ServiceCollection();
        services.AddSingleton(new OptionsUse("", typeof(PlatformOptions)));
        foreach (var module in modules)
            module.Configure(new ModuleBuilder(module.Name, services, new ConfigurationBuilder().Build(), new EndpointCatalog()));
        var text = new StringBuilder(Head).Append('\n');
        var uses = services.Select(s => s.ImplementationInstance).OfType<OptionsUse>().Distinct();
        foreach (var section in uses.GroupBy(u => u.Section, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            text.Append("\n# ---- ").Append(section.Key.Length == 0 ? "every process" : section.Key).Append(" ----\n");
            foreach (var options in section.Select(u => u.Options))
                Render(text, section.Key, options);
        }
        RenderDocumentNames(text);
        return text.ToString();
    }

    private static void RenderDocumentNames(StringBuilder text)
    {
        text.Append("\n# ---- names of the operating documents, read where the variable of ours is not given ----\n");
        foreach (var name in DocumentNames.Known)
            Render(text, name.Name, name.Example, $"{name.Means} As {name.Variable}.");
        text.Append("# Those without a setting, and what they will be for; whoever sets one of them is told at the start that it does nothing yet.\n");
        foreach (var (name, will) in DocumentNames.WithoutSetting)
        {
            foreach (var line in Wrap($"{name}: {will}."))
                text.Append("# ").Append(line).Append('\n');
        }
    }

    private static void Render(StringBuilder text, string name, string? value, string means)
    {
        foreach (var line in Wrap(means))
            text.Append("# ").Append(line).Append('\n');
        text.Append('#').Append(name).Append('=').Append(value).Append('\n');
    }

    private static void Render(StringBuilder text, string section, Type options)
    {
        var defaults = Activator.CreateInstance(options);
        var comments = Comments(options);
        var properties = BoundOptions.Properties(options).ToList();
        foreach (var property in properties)
        {
            // Every variable may come from a file: what an option has of its own for that says nothing new.
            if (property.Name.EndsWith("File", StringComparison.Ordinal) && properties.Exists(p => p.Name + "File" == property.Name))
                continue;
            var range = property.GetCustomAttribute<RangeAttribute>() is { } r ? $" ({Say(r.Minimum)} to {Say(r.Maximum)})" : "";
            Render(text, BoundOptions.Variable(section, property), Say(property.GetValue(defaults)), comments.GetValueOrDefault(property.Name, "") + range);
        }
    }

    private static string Say(object? value) => value switch
    {
        null => "",
        bool b => b ? "true" : "false",
        string text => text,
        IEnumerable many => string.Join(',', many.Cast<object>()),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    /// <summary>What the code says of each member, from the documentation that is built beside the assembly.</summary>
    private static Dictionary<string, string> Comments(Type options)
    {
        var file = Path.ChangeExtension(options.Assembly.Location, ".xml");
        if (!File.Exists(file))
            throw new FileNotFoundException($"The documentation of {options.Assembly.GetName().Name} is not beside it; the template is made from it.", file);
        var prefix = $"P:{options.FullName}.";
        return XDocument.Load(file).Descendants("member")
            .Where(m => m.Attribute("name")?.Value.StartsWith(prefix, StringComparison.Ordinal) == true)
            .ToDictionary(m => m.Attribute("name")!.Value[prefix.Length..], m => Plain(m.Element("summary")), StringComparer.Ordinal);
    }

    private static string Plain(XElement? summary) => summary is null ? "" : string.Join(' ', string.Concat(summary.Nodes().Select(n => n switch
    {
        XElement { Name.LocalName: "see" } see => see.Attribute("cref")?.Value.Split('.')[^1] ?? "",
        XElement element => element.Value,
        _ => n.ToString(),
    })).Split([' ', '\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries)).Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal).Replace("&amp;", "&", StringComparison.Ordinal);

    private static IEnumerable<string> Wrap(string text)
    {
        var line = new StringBuilder();
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length + word.Length + 1 > Width)
            {
                yield return line.ToString();
                line.Clear();
            }
            line.Append(line.Length == 0 ? "" : " ").Append(word);
        }
        if (line.Length > 0)
            yield return line.ToString();
    }
}
