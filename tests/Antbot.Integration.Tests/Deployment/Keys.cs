using System.Diagnostics;

namespace Antbot.Integration.Tests.Deployment;

/// <summary>What <c>deploy/make-keys.sh</c> makes: which files in which folder.</summary>
internal sealed class Keys : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public Keys() => Make();

    public string Folder { get; } = Directory.CreateTempSubdirectory("antbot-keys-").FullName;

    public bool Has(string folder, string file) => File.Exists(Path.Combine(Folder, folder, file));

    public bool Has(string folder) => Directory.Exists(Path.Combine(Folder, folder));

    public void Make()
    {
        var start = new ProcessStartInfo("bash", [Path.Combine(RepositoryFolder.Root, "deploy", "make-keys.sh"), Folder]) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        if (!process.WaitForExit(Patience) || process.ExitCode != 0)
            throw new InvalidOperationException($"make-keys.sh: {process.StandardError.ReadToEnd()}");
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
