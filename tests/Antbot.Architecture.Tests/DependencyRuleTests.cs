using Xunit;

namespace Antbot.Architecture.Tests;

public sealed class DependencyRuleTests
{
    private const string Contracts = "shared/Antbot.Contracts/Antbot.Contracts.csproj";
    private const string Kernel = "shared/Antbot.Kernel/Antbot.Kernel.csproj";
    private const string Runtime = "shared/Antbot.Runtime/Antbot.Runtime.csproj";
    private const string EventStore = "shared/Antbot.EventStore/Antbot.EventStore.csproj";
    private const string RiskCore = "services/Antbot.Risk/Core/Antbot.Risk.Core.csproj";
    private const string RiskHost = "services/Antbot.Risk/Host/Antbot.Risk.csproj";
    private const string ExecutionCore = "services/Antbot.Execution/Core/Antbot.Execution.Core.csproj";
    private const string Forensics = "shared/Antbot.Forensics/Antbot.Forensics.csproj";
    private const string Standalone = "services/Antbot.Standalone/Antbot.Standalone.csproj";
    private const string Simulation = "tests/Antbot.Simulation/Antbot.Simulation.csproj";
    private const string CoreTests = "tests/Antbot.Core.Tests/Antbot.Core.Tests.csproj";

    /// <summary>Each with the beginning of the rule that must catch it.</summary>
    private static readonly (string Rule, Project Violation)[] Planted =
    [
        ("Contracts", With(Contracts, [], "Newtonsoft.Json")),
        ("Contracts", With(Contracts, [Kernel])),
        ("The kernel", With(Kernel, [Contracts, Runtime])),
        ("The kernel", With(Kernel, [Contracts], "Polly.Core")),
        ("A core", With(RiskCore, [Contracts, Kernel], "Npgsql")),
        ("A core", With(RiskCore, [Contracts, Kernel, Runtime])),
        ("A core", With(RiskCore, [Kernel, ExecutionCore])),
        ("A core", With(RiskCore, ["services/Antbot.Risk/Antbot.Kernel.csproj"])),
        ("A core", With("services/Antbot.Risk/Antbot.Risk.Core.csproj", [Runtime])),
        ("The runtime", With(Runtime, [Kernel], "MassTransit")),
        ("The runtime", With(Runtime, [Kernel], "Microsoft.AspNetCore.App")),
        ("The runtime", With(Runtime, [Kernel, EventStore])),
        ("Services", With(RiskHost, [RiskCore, ExecutionCore])),
        ("Services", With(RiskHost, [RiskCore, Standalone])),
        ("Services", With("services/Antbot.Cli/Antbot.Cli.csproj", [RiskHost])),
        ("The simulator", With(Simulation, [RiskCore, Runtime, EventStore])),
        ("The simulator", With(Simulation, [Standalone])),
        ("The simulator", With(Simulation, ["services/Antbot.Risk/Core/Antbot.Risk.Adapters.csproj"])),
        ("The judge", With("tests/Antbot.Chaos/Antbot.Chaos.csproj", ["shared/Antbot.LocalServers/Antbot.LocalServers.csproj", Kernel])),
        ("What is shared", With(EventStore, [Runtime, RiskCore])),
        ("Whoever decides again", With(Forensics, [Runtime, RiskCore, EventStore])),
        ("Whoever decides again", With(Forensics, [Runtime, RiskHost])),
        ("Whoever decides again", With(Forensics, [Runtime, RiskCore], "Npgsql")),
        ("The paper venue", With("services/Antbot.PaperVenue/Host/Antbot.PaperVenue.csproj", ["services/Antbot.PaperVenue/Core/Antbot.PaperVenue.Core.csproj", EventStore])),
        ("What runs", With(RiskHost, [RiskCore, CoreTests])),
        ("What runs", With(EventStore, ["tests/Antbot.EventStore.Contract/Antbot.EventStore.Contract.csproj"])),
    ];

    public static TheoryData<string> RuleNames => [.. Rules.All.Select(r => r.Says)];

    public static TheoryData<int> Violations => [.. Enumerable.Range(0, Planted.Length)];

    [Theory]
    [MemberData(nameof(RuleNames))]
    public void The_repository_keeps_the_rule(string says)
    {
        var findings = Rules.All.Single(r => r.Says == says).Check(Repository.Projects);
        Assert.True(findings.Count == 0, string.Join('\n', findings));
    }

    [Theory]
    [MemberData(nameof(Violations))]
    public void A_planted_violation_is_caught_by_its_rule_and_named(int at)
    {
        var (rule, violation) = Planted[at];
        var findings = Rules.All.Single(r => r.Says.StartsWith(rule, StringComparison.Ordinal)).Check([violation]);
        var culprit = violation.Packages.Count > 0 ? violation.Packages[0] : violation.Projects[^1];
        Assert.StartsWith($"{violation.Path} references {culprit}: {rule}", Assert.Single(findings), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_rule_has_a_planted_violation() =>
        Assert.All(Rules.All, r => Assert.Contains(Planted, p => r.Says.StartsWith(p.Rule, StringComparison.Ordinal)));

    [Fact]
    public void A_repository_as_the_design_has_it_breaks_no_rule()
    {
        Project[] design =
        [
            With(Contracts, []),
            With(Kernel, [Contracts]),
            With(Runtime, [Kernel]),
            With(EventStore, [Runtime], "Npgsql"),
            With(RiskCore, [Contracts, Kernel]),
            With(RiskHost, [RiskCore, Runtime, EventStore], "OpenTelemetry"),
            With(ExecutionCore, [Kernel]),
            With(Standalone, [RiskHost, ExecutionCore, EventStore]),
            With(Simulation, [RiskCore, RiskHost, ExecutionCore, Runtime, Kernel, Contracts], "FsCheck"),
            With(CoreTests, [RiskCore, RiskHost, EventStore, Simulation], "xunit.v3"),
        ];
        Assert.Empty(Rules.All.SelectMany(r => r.Check(design)));
    }

    [Fact]
    public void A_project_is_read_with_everything_it_references()
    {
        const string File = """
            <Project Sdk="Microsoft.NET.Sdk">
              <ItemGroup>
                <ProjectReference Include="..\..\..\shared\Antbot.Kernel\Antbot.Kernel.csproj" />
                <ProjectReference Include="../../../shared/Antbot.Ke*/*.csproj" />
                <FrameworkReference Include="Microsoft.AspNetCore.App" />
                <Reference Include="Vendor.dll" />
              </ItemGroup>
              <ItemGroup Condition="'$(Marten)' == 'true'">
                <PackageReference Include="Marten" />
              </ItemGroup>
            </Project>
            """;
        const string Lock = """{"version":2,"dependencies":{"net10.0":{"From.Props":{"type":"Direct"},"Meziantou.Analyzer":{"type":"Direct"},"Deep":{"type":"Transitive"}}}}""";
        var project = Repository.Parse(RiskCore, File, Lock);
        Assert.Equal([Kernel, Kernel], project.Projects);
        Assert.Equal(["Marten", "Microsoft.AspNetCore.App", "Vendor.dll", "From.Props"], project.Packages);
        Assert.Equal(("Antbot.Risk.Core", "services", "Antbot.Risk", true), (project.Name, project.Area, project.Service, project.IsCore));
    }

    [Fact]
    public void The_projects_that_the_rules_name_are_really_there()
    {
        Assert.Subset(Repository.Projects.Select(p => p.Path).ToHashSet(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal) { Contracts, Kernel, Runtime, EventStore, CoreTests });
        Assert.Contains(Repository.Projects, p => p.Path == EventStore && p.Projects.Contains(Runtime, StringComparer.Ordinal) && p.Packages.Contains("Npgsql", StringComparer.Ordinal));
    }

    private static Project With(string path, IReadOnlyList<string> projects, params string[] packages) => new(path, projects, packages);
}
