using System.Collections.Concurrent;

namespace Antbot.LocalServers.Processes;

/// <summary>The shell scripts of this project, as text: they are handed to <c>sh -c</c>, so that no file has to be found.</summary>
internal static class Scripts
{
    private static readonly ConcurrentDictionary<string, string> Texts = new();

    public static string Guardian => Text("guardian.sh");

    public static string DockerGuardian => Text("docker-guardian.sh");

    public static string Install => Text("install.sh");

    public static string SmallDisk => Text("small-disk.sh");

    private static string Text(string name) => Texts.GetOrAdd(name, static key =>
    {
        using var stream = typeof(Scripts).Assembly.GetManifestResourceStream(key)
            ?? throw new InvalidOperationException($"The script {key} is missing in the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    });
}
