namespace Antbot.Architecture.Tests;

/// <summary>One line of the design's dependency map.</summary>
/// <param name="Says">The rule in words.</param>
/// <param name="AppliesTo">Which projects it binds.</param>
/// <param name="Violations">What a project that it binds references against it.</param>
internal sealed record Rule(string Says, Func<Project, bool> AppliesTo, Func<Project, IEnumerable<string>> Violations)
{
    public IReadOnlyList<string> Check(IEnumerable<Project> projects) =>
        [.. projects.Where(AppliesTo).SelectMany(p => Violations(p).Select(v => $"{p.Path} references {v}: {Says}"))];

    public override string ToString() => Says;
}

internal static class Rules
{
    private const string Contracts = "Antbot.Contracts";
    private const string Kernel = "Antbot.Kernel";
    private const string Runtime = "Antbot.Runtime";
    private const string Forensics = "Antbot.Forensics";

    public static IReadOnlyList<Rule> All { get; } =
    [
        new("Contracts reference nothing", p => p.Name == Contracts, p => p.Projects.Concat(p.Packages)),
        new("The kernel references the contracts alone", p => p.Name == Kernel, p => ProjectsBut(p, Contracts).Concat(p.Packages)),
        new("A core references contracts and kernel, and no package: purity is a compile error", p => p.IsCore, p => ProjectsBut(p, Contracts, Kernel).Concat(p.Packages)),
        new("The runtime references the kernel and no vendor's package", p => p.Name == Runtime, p => ProjectsBut(p, Contracts, Kernel).Concat(p.Packages)),
        new("Services never reference one another; the standalone alone references them", p => p.Service is not null and not "Antbot.Standalone", OtherServices),
        new("The simulator references cores, the hosts that it runs and the runtime, never adapters", p => p.Name == "Antbot.Simulation", p => p.Projects.Where(r => !IsCore(r) && !IsSimulated(r) && !Is(r, Contracts, Kernel, Runtime, Forensics))),
        new("The judge of the chaos cases shares no code with what it judges", p => p.Name == "Antbot.Chaos", p => ProjectsBut(p, "Antbot.LocalServers")),
        new("What is shared references no service", p => p.Area == "shared" && p.Name != Forensics, p => p.Projects.Where(r => In(r, "services"))),
        new("Whoever decides again references the cores and the runtime, never hosts or adapters", p => p.Name == Forensics, p => p.Projects.Where(r => !IsCore(r) && !Is(r, Contracts, Kernel, Runtime)).Concat(p.Packages)),
        new("The paper venue stands by itself, as an exchange does: of what is shared it references contracts and kernel at most", p => p.Service == "Antbot.PaperVenue", p => p.Projects.Where(r => In(r, "shared") && !Is(r, Contracts, Kernel))),
        new("What runs references no test", p => p.Area != "tests", p => p.Projects.Where(r => In(r, "tests"))),
    ];

    /// <summary>What the assembly of a project may reference besides the platform's own; null where no rule binds it.</summary>
    public static IReadOnlyList<string>? AllowedAssemblies(string assembly) => assembly switch
    {
        Contracts => [],
        Kernel => [Contracts],
        Runtime => [Contracts, Kernel],
        _ when assembly.EndsWith(".Core", StringComparison.Ordinal) => [Contracts, Kernel],
        _ => null,
    };

    private static IEnumerable<string> ProjectsBut(Project project, params string[] allowed) => project.Projects.Where(r => !Is(r, allowed));

    private static IEnumerable<string> OtherServices(Project project) =>
        project.Projects.Where(r => Project.ServiceOf(r) is { } service && service != project.Service);

    /// <summary>By its whole path: a project elsewhere does not become the kernel by its name.</summary>
    private static bool Is(string reference, params string[] names) => names.Any(n => reference == $"shared/{n}/{n}.csproj");

    private static bool IsCore(string reference) => reference.Split('/') is ["services", var service, "Core", var file] && file == $"{service}.Core.csproj";

    /// <summary>A service whose handlers and background work the simulator runs as they are; the watchdog, the venue and the command line are not among them.</summary>
    private static bool IsSimulated(string reference) =>
        reference.Split('/') is ["services", ("Antbot.Signal" or "Antbot.Coordinator" or "Antbot.Validation" or "Antbot.Risk" or "Antbot.Execution" or "Antbot.Reconciliation" or "Antbot.Console") and var service, "Host", var file] && file == $"{service}.csproj";

    private static bool In(string reference, string area) => reference.StartsWith($"{area}/", StringComparison.Ordinal);
}
