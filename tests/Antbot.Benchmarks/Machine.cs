using System.Runtime.InteropServices;

namespace Antbot.Benchmarks;

/// <summary>What the figures were measured on.</summary>
/// <param name="Cores">The cores that client and server share.</param>
public sealed record Machine(int Cores, string Cpu)
{
    private const int CoresMax = 2;

    /// <summary>The same two cores for client and server, whatever the machine has: what is started from here inherits them.</summary>
    public static Machine Claim()
    {
        var all = Environment.ProcessorCount;
        if (all <= CoresMax || !(OperatingSystem.IsLinux() || OperatingSystem.IsWindows()))
            return new Machine(all, Model());
        using var self = System.Diagnostics.Process.GetCurrentProcess();
        var allowed = (long)self.ProcessorAffinity;
        var first = allowed & -allowed;
        var others = allowed ^ first;
        self.ProcessorAffinity = (nint)(first | (others & -others));
        return new Machine(CoresMax, Model());
    }

    private static string Model()
    {
        const string field = "model name";
        const string linux = "/proc/cpuinfo";
        var named = File.Exists(linux)
            ? File.ReadLines(linux).FirstOrDefault(l => l.StartsWith(field, StringComparison.Ordinal))?[field.Length..].Trim(' ', '\t', ':')
            : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
        return string.IsNullOrEmpty(named) ? $"{RuntimeInformation.ProcessArchitecture}" : named;
    }
}
