using System.Net;
using System.Net.NetworkInformation;

namespace Antbot.LocalServers.Tests;

/// <summary>What the operating system says about the servers, whatever they say about themselves.</summary>
internal static class Kernel
{
    public static IReadOnlyList<IPEndPoint> ListenersOn(int port) =>
        [.. IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Where(endpoint => endpoint.Port == port)];

    public static int UserOf(int pid) =>
        int.Parse(File.ReadLines($"/proc/{pid}/status").Single(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1]);

    /// <summary>Every process whose command line or environment names the folder: a server, its port mapper, its helpers, its guardians.</summary>
    public static IReadOnlyList<string> ProcessesNaming(string folder)
    {
        var found = new List<string>();
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)))
        {
            var commandLine = Read(Path.Combine(process, "cmdline"));
            if (commandLine.Contains(folder, StringComparison.Ordinal)
                || Read(Path.Combine(process, "environ")).Contains(folder, StringComparison.Ordinal))
                found.Add($"{Path.GetFileName(process)}: {commandLine.Replace('\0', ' ')}");
        }

        return found;
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
