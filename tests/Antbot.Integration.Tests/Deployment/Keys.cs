using System.Diagnostics;

namespace Antbot.Integration.Tests.Deployment;

/// <summary>What <c>deploy/make-keys.sh</c> makes: which files in which folder.</summary>
internal sealed class Keys : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly (string Name, string Value)[] _settings;

    /// <param name="settings">In its environment: <c>RABBITMQ_HOST</c>.</param>
    public Keys(params (string Name, string Value)[] settings)
    {
        _settings = settings;
        Make();
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("antbot-keys-").FullName;

    public bool Has(string folder, string file) => File.Exists(Path.Combine(Folder, folder, file));

    public bool Has(string folder) => Directory.Exists(Path.Combine(Folder, folder));

    public string Read(string folder, string file) => File.ReadAllText(Path.Combine(Folder, folder, file));

    public void Make()
    {
        var start = new ProcessStartInfo("bash", [Path.Combine(RepositoryFolder.Root, "deploy", "make-keys.sh"), Folder]) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var (name, value) in _settings)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        if (!process.WaitForExit(Patience) || process.ExitCode != 0)
            throw new InvalidOperationException($"make-keys.sh: {process.StandardError.ReadToEnd()}");
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
