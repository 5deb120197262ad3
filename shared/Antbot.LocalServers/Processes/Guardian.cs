using System.Diagnostics;
using System.Globalization;

namespace Antbot.LocalServers.Processes;

/// <summary>
/// A small shell process in its own session that has the server as its child and reads a pipe from us. When we end,
/// however we end, the kernel closes the pipe, and the guardian ends the server. (A parent-death signal would hang on
/// the thread that started the process, and thread-pool threads come and go.)
/// </summary>
internal sealed class Guardian : IAsyncDisposable
{
    private static readonly TimeSpan CleanUpLimit = TimeSpan.FromSeconds(20);
    private static readonly string[] ForeignSettings = ["PG", "RABBITMQ_", "ERL_"];
    private readonly Process _process;
    private readonly string _name;
    private readonly TimeSpan _endLimit;

    private Guardian(Process process, string name, TimeSpan endLimit) => (_process, _name, _endLimit) = (process, name, endLimit);

    /// <param name="Name">Names the log, the pid file and the messages.</param>
    /// <param name="EndSignal">What the server is asked to end with; after the patience it is killed.</param>
    /// <param name="PidFile">Where the server itself writes its id, or empty.</param>
    internal sealed record Plan(
        InstanceFolder Folder, string Name, string EndSignal, TimeSpan Patience, string PidFile, bool RemovesFolder, IReadOnlyList<string> Command)
    {
        public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
    }

    public static Guardian Start(Plan plan)
    {
        var tenths = (int)(plan.Patience.TotalSeconds * 10);
        return Start(
            Scripts.Guardian,
            [
                plan.Folder.Path, plan.Name, plan.EndSignal, tenths.ToString(CultureInfo.InvariantCulture), plan.PidFile,
                plan.RemovesFolder ? "remove" : "keep", .. plan.Command,
            ],
            plan.Name, plan.Patience, plan.Environment);
    }

    public static Guardian Start(
        string script, IReadOnlyList<string> arguments, string name, TimeSpan patience, IReadOnlyDictionary<string, string> environment)
    {
        var process = new Process
        {
            StartInfo = ShortCommand.StartInfo([.. NewSession(), "/bin/sh", "-c", script, "antbot-guardian", .. arguments]),
        };
        process.StartInfo.RedirectStandardError = false;
        RemoveForeignSettings(process.StartInfo.Environment);
        foreach (var (key, value) in environment)
            process.StartInfo.Environment[key] = value;
        process.Start();
        process.StandardInput.AutoFlush = true;
        return new Guardian(process, name, patience + CleanUpLimit);
    }

    /// <summary>What our user has set for its own servers and clients must not steer ours.</summary>
    public static void RemoveForeignSettings(IDictionary<string, string?> environment)
    {
        foreach (var key in environment.Keys.Where(key => Array.Exists(ForeignSettings, prefix => key.StartsWith(prefix, StringComparison.Ordinal))).ToList())
            environment.Remove(key);
        environment["LC_ALL"] = "C";
        environment.Remove("NOTIFY_SOCKET");
    }

    public int ProcessId => _process.Id;

    public async Task<int> StartServerAsync(CancellationToken cancellationToken)
    {
        var answer = await OrderAsync(CleanUpLimit, cancellationToken);
        return int.Parse(answer, NumberStyles.None, CultureInfo.InvariantCulture);
    }

    /// <summary>Gives the order to start, and returns the guardian's one line of answer.</summary>
    public async Task<string> OrderAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(limit);
        try
        {
            await _process.StandardInput.WriteLineAsync("start".AsMemory(), limited.Token);
            return await _process.StandardOutput.ReadLineAsync(limited.Token) ?? throw Gone(innerException: null);
        }
        catch (IOException brokenPipe)
        {
            throw Gone(brokenPipe);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ServerException($"The guardian of {_name} (process {_process.Id}) did not answer within {limit.TotalSeconds:0} s.", late);
        }
    }

    /// <summary>Lets the guardian end the server, and waits until it has.</summary>
    public async ValueTask DisposeAsync()
    {
        using (_process)
        {
            try
            {
                _process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It is gone already; the next start sweeps what it left.
            }

            using var limit = new CancellationTokenSource(_endLimit);
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException late)
            {
                throw new ServerException(
                    $"The guardian of {_name} (process {_process.Id}) has not ended the server within {_endLimit.TotalSeconds:0} s. The next start sweeps it.", late);
            }
        }
    }

    private GuardianGoneException Gone(Exception? innerException) =>
        new($"The guardian of {_name} (process {_process.Id}) is gone: it could not go on, or somebody killed it. Dispose what it held and start another.", innerException);

    private static IReadOnlyList<string> NewSession()
    {
        if (HostView.Machine.OnPath("setsid") is { } setsid)
            return [setsid];
        // macOS has no setsid program.
        if (HostView.Machine.OnPath("perl") is { } perl)
            return [perl, "-MPOSIX", "-e", "POSIX::setsid(); exec @ARGV or die", "--"];
        throw new ServerException("Neither 'setsid' (package util-linux) nor 'perl' is here; one of them is needed to keep servers apart from our own signals.");
    }
}

/// <summary>The guardian has ended without an answer.</summary>
internal sealed class GuardianGoneException(string message, Exception? innerException) : ServerException(message, innerException);
