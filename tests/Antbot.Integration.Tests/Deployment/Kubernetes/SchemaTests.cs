using System.Diagnostics;
using System.Text.Json.Nodes;
using Xunit;

namespace Antbot.Integration.Tests.Deployment.Kubernetes;

/// <summary>
/// The manifests held to the schemas that Kubernetes, KEDA and CloudNativePG publish, as packages from npm have them: the records here
/// say what is used, and say nothing of whether it is true. <c>make test</c> leaves it out, and says so, where npm has them not.
/// </summary>
[Trait("Needs", "npm-kubernetes")]
public sealed class SchemaTests
{
    private static readonly string Folder = Path.Combine(RepositoryFolder.Root, "tests", "clients", "kubernetes");

    [Theory]
    [InlineData("single-node", 0)]
    // RabbitMQ's operator publishes none.
    [InlineData("production", 1)]
    public async Task What_is_rendered_is_what_Kubernetes_takes(string overlay, int unpublished)
    {
        var objects = Render(overlay);
        var (faults, said) = await HoldAsync(objects);
        Assert.Equal("", faults);
        Assert.StartsWith($"{objects.Count - unpublished} held to their schemas", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Deployment/risk", "spec/replicas", "\"two\"")]
    [InlineData("Deployment/risk", "spec/template/spec/containers/0/ports/0/containerPort", "\"x\"")]
    [InlineData("Deployment/risk", "spec/selector", null)]
    [InlineData("ScaledObject/risk", "spec/scaleTargetRef", null)]
    [InlineData("Cluster/postgres", "spec/instances", "\"three\"")]
    [InlineData("NetworkPolicy/bus", "spec/podSelector", "3")]
    public async Task What_Kubernetes_would_refuse_is_found(string which, string path, string? json)
    {
        var objects = Render("production");
        Corruption.Apply(objects.Single(o => $"{o["kind"]}/{o["metadata"]!["name"]}" == which), path, json);
        Assert.Contains(which, (await HoldAsync(objects)).Faults, StringComparison.Ordinal);
    }

    private static IReadOnlyList<JsonObject> Render(string overlay) => Kustomize.Render(Path.Combine(RepositoryFolder.Root, "deploy", "k8s", "overlays", overlay));

    private static async Task<(string Faults, string Said)> HoldAsync(IReadOnlyList<JsonObject> objects)
    {
        Assert.True(Directory.Exists(Path.Combine(Folder, "node_modules")), "The schemas are not installed: run build/clients.sh true.");
        return await Program.RunAsync(new ProcessStartInfo("node", ["validate.mjs"]) { WorkingDirectory = Folder }, new JsonArray([.. objects.Select(o => o.DeepClone())]).ToJsonString());
    }
}

/// <summary>The renderer here is as much of kustomize as the manifests use: where kubectl is there, kustomize itself renders the same.</summary>
[Trait("Needs", "kubectl")]
public sealed class KubectlTests
{
    [Theory]
    [InlineData("single-node")]
    [InlineData("production")]
    public async Task Kustomize_renders_the_same(string overlay)
    {
        var folder = Path.Combine(RepositoryFolder.Root, "deploy", "k8s", "overlays", overlay);
        var (rendered, _) = await Program.RunAsync(new ProcessStartInfo("kubectl", ["kustomize", folder]), "");
        var theirs = Yaml.Read(rendered).Cast<JsonObject>().ToDictionary(NameOf, StringComparer.Ordinal);
        var ours = Kustomize.Render(folder).ToDictionary(NameOf, StringComparer.Ordinal);
        Assert.Equal(theirs.Keys.Order(StringComparer.Ordinal), ours.Keys.Order(StringComparer.Ordinal));
        Assert.All(ours, o => Assert.True(JsonNode.DeepEquals(o.Value, theirs[o.Key]), $"{o.Key}{Environment.NewLine}{o.Value}{Environment.NewLine}{theirs[o.Key]}"));
    }

    private static string NameOf(JsonObject o) => $"{o["kind"]}/{o["metadata"]!["name"]}";
}

internal static class Program
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>What it printed, and what it said beside; it has to end well.</summary>
    public static async Task<(string Printed, string Said)> RunAsync(ProcessStartInfo start, string input)
    {
        (start.UseShellExecute, start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (false, true, true, true);
        using var process = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            var (printed, said) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
            await process.StandardInput.WriteAsync(input.AsMemory(), limit.Token);
            process.StandardInput.Close();
            await process.WaitForExitAsync(limit.Token);
            Assert.True(process.ExitCode == 0, await said);
            return (await printed, await said);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }
}
