using System.Text.Json.Nodes;

namespace Antbot.Integration.Tests.Deployment;

/// <summary>Read, rendered and made once for all tests of a class; each gets a copy of its own.</summary>
public sealed class DeploymentFiles : IDisposable
{
    private readonly JsonObject _compose = ComposeFile.ReadRaw();
    private readonly Dictionary<string, IReadOnlyList<JsonObject>> _rendered = new(StringComparer.Ordinal);

    internal Keys Keys { get; } = new();

    public void Dispose() => Keys.Dispose();

    internal JsonObject Compose() => (JsonObject)_compose.DeepClone();

    internal List<JsonObject> Render(string overlay)
    {
        if (!_rendered.TryGetValue(overlay, out var objects))
            _rendered[overlay] = objects = Kustomize.Render(Path.Combine(RepositoryFolder.Root, "deploy", "k8s", "overlays", overlay));
        return [.. objects.Select(o => (JsonObject)o.DeepClone())];
    }
}
