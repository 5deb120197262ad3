using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary>Every verb of the command line, found as a person finds it: by the help of the one above it.</summary>
public sealed class HelpTests : IDisposable
{
    private const string Password = "hunter2-hunter2";
    private const string Address = $"Host=127.0.0.1;Username=antbot;Password={Password};Database=antbot";

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-help-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Every_verb_explains_itself_and_none_shows_the_stores_password()
    {
        var (verbs, next) = (new List<string[]>(), new Queue<string[]>([[]]));
        while (next.TryDequeue(out var verb))
        {
            verbs.Add(verb);
            foreach (var below in await VerbsBelowAsync(verb, ("STORE", Address)))
                next.Enqueue([.. verb, below]);
        }
        var names = verbs.Select(v => string.Join(' ', v)).ToList();
        Assert.Equal(names.Distinct(StringComparer.Ordinal), names);
        Assert.All(new[] { "status", "verify", "dlq replay", "order resolve", "views rebuild" }, v => Assert.Contains(v, names));
    }

    [Fact]
    public async Task Nor_does_any_show_what_is_in_the_file_with_the_stores_address()
    {
        var file = Path.Combine(_folder, "store");
        await File.WriteAllTextAsync(file, Address, TestContext.Current.CancellationToken);
        await VerbsBelowAsync([], ("STORE_FILE", file));
        await VerbsBelowAsync(["verify"], ("STORE_FILE", file));
    }

    private async Task<IReadOnlyList<string>> VerbsBelowAsync(string[] verb, (string Name, string Value) store)
    {
        var (name, said) = (string.Join(' ', verb), await AntbotProcess.RunAsync(_folder, [store], [.. verb, "--help"]));
        Assert.True(said is { ExitCode: 0, Error: "" }, $"{name}: {said.ExitCode} {said.Error}");
        var lines = said.Output.Split('\n', StringSplitOptions.TrimEntries);
        Assert.True(lines.SkipWhile(l => l != "Description:").Skip(1).FirstOrDefault() is { Length: > 10 }, $"{name} does not say what it is for");
        Assert.All(new[] { "--json", "--store", "--console", "--token-file" }, option => Assert.True(lines.Any(l => l.StartsWith(option, StringComparison.Ordinal)), $"{name} has no {option}"));
        Assert.DoesNotContain(Password, said.Output, StringComparison.Ordinal);
        // What is further in goes on with what was said of the one above it.
        return [.. said.Output.Split('\n').SkipWhile(l => l != "Commands:").Skip(1).Where(l => l.Length > 2 && l.StartsWith("  ", StringComparison.Ordinal) && l[2] != ' ').Select(l => l.Trim().Split(' ')[0])];
    }
}
