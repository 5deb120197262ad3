using System.CommandLine;
using Antbot.Cli.Commands;

namespace Antbot.Cli.Sources;

/// <summary>From which of the two a command has its answers, and how it is found.</summary>
internal static class SourceOptions
{
    private const string ConsoleVariable = "ANTBOT_CONSOLE";
    private const string TokenFileVariable = "ANTBOT_CONSOLE__TOKEN_FILE";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public static Option<string> ConsoleAddress { get; } = new("--console")
    {
        Description = $"Ask the Console at this address. Default: the variable {ConsoleVariable}, else what runs here has written into .local/console.json or .local/up/console.json; without either, or when that one is down, the store itself.",
        Recursive = true,
    };

    public static Option<string> TokenFile { get; } = new("--token-file") { Description = $"The file with the operators' token. Default: the variable {TokenFileVariable}, else what .local/console.json or .local/up/console.json names.", Recursive = true };

    /// <summary>Of the commands that can.</summary>
    public static Option<string?> Bundle { get; } = new("--bundle") { Description = "Ask this bundle of an incident instead, on whatever machine: it shows what it holds, and 'antbot verify --bundle' says whether that is true." };

    /// <summary>Runs a command's work on whichever source is meant. One that was only found, not asked for, may be down: then the store is asked.</summary>
    public static Task<int> WithSourceAsync(ParseResult parsed, Func<ISource, Task<int>> work) => Common.RunAsync(parsed, async () =>
    {
        if (parsed.GetResult(Bundle) is { Implicit: false } && parsed.GetValue(Bundle) is { } bundle)
        {
            await using var shown = new StoreSource(new BundlePlace(bundle));
            return await work(shown);
        }
        var local = LocalRun.Find();
        var storeIsMeant = IsStoreMeant(parsed);
        var asked = parsed.GetValue(ConsoleAddress) ?? (parsed.GetValue(Common.Store) is not null ? null : Environment.GetEnvironmentVariable(ConsoleVariable));
        // Only whoever has the files can read them.
        var archives = Common.ArchiveFolderOf(parsed);
        if (archives is not null && parsed.GetResult(ConsoleAddress) is { Implicit: false })
            throw new CommandException("Usage", "--archives goes with the store itself, and a Console knows of no folder here.", ExitCode.Usage);
        if (!string.IsNullOrEmpty(asked) && archives is null)
        {
            await using var console = Open(asked, parsed.GetValue(TokenFile) ?? Environment.GetEnvironmentVariable(TokenFileVariable) ?? local.TokenFile);
            return await RunAsync(console, work);
        }
        if (!storeIsMeant && archives is null && local.Address is { } found)
        {
            try
            {
                await using var console = Open(found, parsed.GetValue(TokenFile) ?? local.TokenFile);
                return await work(console);
            }
            catch (ConsoleUnreachableException)
            {
                await Console.Error.WriteLineAsync($"antbot: the Console that ran here ({found}) does not answer; asking the store itself.");
            }
        }
        await using var store = new StoreSource(new StorePlace(StoreOf(parsed), archives));
        return await work(store);
    });

    /// <summary>The store that is meant; the one that runs here where none is named.</summary>
    public static string StoreOf(ParseResult parsed) => IsStoreMeant(parsed) ? Common.AddressOfStore(parsed) : LocalRun.Find().Store ?? Common.AddressOfStore(parsed);

    private static bool IsStoreMeant(ParseResult parsed) => parsed.GetValue(Common.Store) is not null || Common.StoreOfEnvironment is not null;

    private static async Task<int> RunAsync(ConsoleSource console, Func<ISource, Task<int>> work)
    {
        try
        {
            return await work(console);
        }
        catch (ConsoleUnreachableException e)
        {
            throw new CommandException("Unavailable", e.Message, inner: e);
        }
    }

    private static ConsoleSource Open(string address, string? tokenFile)
    {
        if (!Uri.TryCreate(address.TrimEnd('/') + "/", UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new CommandException("Usage", $"'{address}' is no address of a Console, such as http://127.0.0.1:5100.", ExitCode.Usage);
        if (string.IsNullOrEmpty(tokenFile))
            throw new CommandException("Usage", "Which token? Say --token-file with the file that holds the operators' token.", ExitCode.Usage);
        return new ConsoleSource(uri, Common.ReadSecret(tokenFile), Patience);
    }
}
