using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Antbot.Cli.Sources;
using Antbot.EventStore;
using Antbot.EventStore.Archives;
using Antbot.EventStore.Proof;
using Antbot.ReadModels;
using Antbot.Runtime.Store;
using Antbot.Runtime.Telemetry;

namespace Antbot.Cli.Commands;

/// <summary>What the commands share: where the store and its proofs are, and how answers and errors are given.</summary>
internal static class Common
{
    private const string DefaultStore = "sqlite:.local/antbot.db";
    private const string StoreFileVariable = $"{StoreAddress.Variable}_FILE";
    private const int StoreBytesMax = 64 * 1024;
    private const int SecretBytesMax = 4_096;
    private const string ArchivesVariable = "ANTBOT_ARCHIVES";
    private const string CheckpointsVariable = "ANTBOT_CHECKPOINTS";

    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Converters = { new JsonStringEnumConverter() } };

    // Without a default of its own: help tells defaults, and the environment's has a password.
    public static Option<string?> Store { get; } = new("--store")
    {
        Description = $"Which store: 'sqlite:FILE' or a PostgreSQL connection string. Default: the variable {StoreAddress.Variable}, or the file that {StoreFileVariable} names, else {DefaultStore}.",
        Recursive = true,
    };

    public static string AddressOfStore(ParseResult parsed) => parsed.GetValue(Store) ?? StoreOfEnvironment ?? DefaultStore;

    /// <summary>Null where the environment names none.</summary>
    public static string? StoreOfEnvironment
    {
        get
        {
            var (given, file) = (Environment.GetEnvironmentVariable(StoreAddress.Variable), Environment.GetEnvironmentVariable(StoreFileVariable));
            if (string.IsNullOrEmpty(file))
                return string.IsNullOrEmpty(given) ? null : given;
            if (!string.IsNullOrEmpty(given))
                throw new CommandException("Usage", $"{StoreAddress.Variable} is given both as it is and as a file; give one.", ExitCode.Usage);
            try
            {
                return new FileInfo(file) is { Exists: true, Length: > StoreBytesMax }
                    ? throw new CommandException("File", $"'{file}', which {StoreFileVariable} names, is too large to hold a store's address.", ExitCode.Usage)
                    : File.ReadAllText(file).Trim();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CommandException("File", $"{StoreFileVariable} names a file that cannot be read: {e.Message}", ExitCode.Usage, e);
            }
        }
    }

    public static Option<bool> Json { get; } = new("--json") { Description = "Answer as JSON.", Recursive = true };

    public static Option<string?> Archives { get; } = new("--archives")
    {
        Description = $"The folder with the files that old streams were moved to. Default: the variable {ArchivesVariable}.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable(ArchivesVariable) is { Length: > 0 } set ? set : null,
    };

    /// <summary>Null where none is named.</summary>
    public static ArchiveFolder? ArchiveFolderOf(ParseResult parsed) => parsed.GetValue(Archives) is { Length: > 0 } folder ? new ArchiveFolder(folder) : null;

    public static Option<string> KeyFile() => new("--key")
    {
        Description = $"The signing key's file; made on the first run. The variables {SigningKey.KeyVariable} and {SigningKey.FileVariable} win over it.",
        DefaultValueFactory = _ => ".local/signing.key",
    };

    public static Option<string> Checkpoints() => new("--checkpoints")
    {
        Description = $"The file with the checkpoints outside the database. Default: the variable {CheckpointsVariable}, else .local/checkpoints.jsonl.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable(CheckpointsVariable) is { Length: > 0 } set ? set : ".local/checkpoints.jsonl",
    };

    /// <summary>Of a command that goes on as a service does.</summary>
    public static ProcessLog LogOf(string service, Type command) => ProcessLog.OnStandardError(service, command.FullName!, "antbot: ");

    /// <summary>Runs a command's work; what went wrong goes to the error stream, in one sentence, with an honest exit code.</summary>
    /// <param name="log">Where it says what it has to say, where it goes on.</param>
    public static async Task<int> RunAsync(ParseResult parsed, Func<Task<int>> work, ProcessLog? log = null)
    {
        try
        {
            return await work();
        }
        catch (OperationCanceledException)
        {
            if (log is null)
                Console.Error.WriteLine("antbot: stopped.");
            else
                log.Say("Stopped.");
            return ExitCode.Stopped;
        }
        catch (CommandException e)
        {
            Fail(parsed, e.Error, e.Message, log);
            return e.ExitCode;
        }
        catch (EventStoreException e)
        {
            Fail(parsed, e.Fault.ToString(), e.Message, log);
            return e.Fault switch { StoreFault.Forbidden => ExitCode.NotAllowed, StoreFault.Archived => ExitCode.NotFound, _ => ExitCode.Failed };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Fail(parsed, "File", e.Message, log);
        }
    }

    public static async Task<int> WithStoreAsync(ParseResult parsed, bool create, Func<IEventStore, Task<int>> work, CancellationToken cancellationToken, ProcessLog? log = null) =>
        await RunAsync(
            parsed,
            async () =>
            {
                await using var store = await StoreAddress.OpenAsync(AddressOfStore(parsed), create, cancellationToken);
                return await work(store);
            },
            log);

    /// <summary>The store and its archives, where these are named: a question is then answered as if nothing had been archived.</summary>
    public static Task<int> WithHistoryAsync(ParseResult parsed, Func<IEventStore, Task<int>> work, CancellationToken cancellationToken) =>
        RunAsync(parsed, async () =>
        {
            await using var store = await OpenHistoryAsync(AddressOfStore(parsed), ArchiveFolderOf(parsed), cancellationToken);
            return await work(store);
        });

    public static async Task<IEventStore> OpenHistoryAsync(string address, ArchiveFolder? archives, CancellationToken cancellationToken)
    {
        var store = await StoreAddress.OpenAsync(address, create: false, cancellationToken);
        return archives is null ? store : new ArchivedEventStore(store, archives);
    }

    /// <summary>The answer: as JSON where it was asked for, else the sentence.</summary>
    public static void Answer(ParseResult parsed, object answer, string sentence) =>
        Console.Out.WriteLine(parsed.GetValue(Json) ? JsonSerializer.Serialize(answer, Format) : sentence);

    /// <summary>The same of a command that goes on: the sentence is the first of its log.</summary>
    public static void Answer(ParseResult parsed, object answer, string sentence, ProcessLog log)
    {
        if (parsed.GetValue(Json))
            Answer(parsed, answer, sentence);
        else
            log.Say(sentence);
    }

    /// <summary>The answer as JSON, where it was asked for; else the command shows it itself.</summary>
    public static bool AnswerJson(ParseResult parsed, object answer)
    {
        if (!parsed.GetValue(Json))
            return false;
        Console.Out.WriteLine(JsonSerializer.Serialize(answer, answer.GetType(), ReadModelJson.Indented));
        return true;
    }

    /// <param name="fault">What is wrong with a text, or null.</param>
    public static void Check(SymbolResult result, Func<string, string?> fault)
    {
        if (result.Tokens is [{ } given] && fault(given.Value) is { } why)
            result.AddError(why);
    }

    /// <summary>What was said for a choice, by its words alone: a number would be taken for the choice at that place, or for none.</summary>
    public static T[] Words<T>(ArgumentResult result)
        where T : struct, Enum
    {
        var words = Enum.GetValues<T>().Where(v => !v.Equals(default(T))).ToDictionary(v => v.ToString(), StringComparer.OrdinalIgnoreCase);
        foreach (var token in result.Tokens.Where(t => !words.ContainsKey(t.Value)))
            result.AddError($"'{token.Value}' is none of {string.Join(", ", words.Keys.Select(w => w.ToLowerInvariant()))}.");
        return [.. result.Tokens.Where(t => words.ContainsKey(t.Value)).Select(t => words[t.Value])];
    }

    /// <summary>A key or token from its file: one line, as it can stand in a header.</summary>
    public static string ReadSecret(string file)
    {
        if (new FileInfo(file) is { Exists: true, Length: > SecretBytesMax })
            throw new CommandException("File", $"'{file}' is too large to hold a key or token.");
        var secret = File.ReadAllText(file).Trim();
        return IsSecret(secret) ? secret : throw new CommandException("File", $"'{file}' holds no key or token: one line of visible ASCII characters is wanted.");
    }

    /// <summary>Whether it can stand in a header.</summary>
    public static bool IsSecret(string text) => text.Length > 0 && text.All(c => c is > ' ' and < '\x7f');

    /// <summary>What was asked for cannot be understood.</summary>
    public static void FailUsage(ParseResult parsed)
    {
        if (parsed.GetResult(Json) is { Implicit: false })
        {
            Fail(parsed, "Usage", string.Join(' ', parsed.Errors.Select(e => e.Message)));
            return;
        }
        foreach (var error in parsed.Errors)
            Console.Error.WriteLine($"antbot: {error.Message}");
        Console.Error.WriteLine("Try 'antbot --help'.");
    }

    private static int Fail(ParseResult parsed, string fault, string message, ProcessLog? log = null)
    {
        if (log is not null && !parsed.GetValue(Json))
            log.Fail(message);
        else
            Console.Error.WriteLine(parsed.GetValue(Json) ? JsonSerializer.Serialize(new { Error = fault, Message = message }, Format) : $"antbot: {message}");
        return ExitCode.Failed;
    }
}
