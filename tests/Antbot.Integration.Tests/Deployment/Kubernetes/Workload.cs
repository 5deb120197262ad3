using Labels = System.Collections.Generic.Dictionary<Antbot.Integration.Tests.Deployment.Kubernetes.LabelKey, Antbot.Integration.Tests.Deployment.Kubernetes.LabelValue>;

namespace Antbot.Integration.Tests.Deployment.Kubernetes;

/// <summary>Pods, whoever makes them: a manifest here, or an operator for one of its clusters.</summary>
/// <param name="Host">Under which name others reach them.</param>
/// <param name="Template">Null where an operator makes them.</param>
/// <param name="Ports">Where they listen.</param>
internal sealed record Workload(string Name, string Host, Labels Labels, PodTemplate? Template, IReadOnlyList<int> Ports)
{
    public static IReadOnlyList<Workload> Of(IEnumerable<Thing> things) => [.. things.SelectMany(Of)];

    private static IEnumerable<Workload> Of(Thing thing) => thing switch
    {
        Deployment d => [Of(d.Name, d.Spec.Template)],
        StatefulSet s => [Of(s.Name, s.Spec.Template)],
        Job j => [Of(j.Name, j.Spec.Template)],
        // The operators' labels and ports, as their documentation has them.
        PostgresCluster c => [new Workload(c.Name, $"{c.Name}-rw", Of(("cnpg.io/cluster", c.Name)), null, [5432, 8000])],
        RabbitmqCluster r => [new Workload(r.Name, r.Name, Of(("app.kubernetes.io/name", r.Name), ("app.kubernetes.io/component", "rabbitmq")), null, [4369, 5672, 15672, 25672, .. Enumerable.Range(35_672, 11)])],
        _ => [],
    };

    private static Workload Of(string name, PodTemplate template) =>
        new(name, name, template.Metadata.Labels, template, [.. template.Spec.Containers.SelectMany(c => c.Ports ?? []).Select(p => p.ContainerPort.Number)]);

    private static Labels Of(params (string Key, string Value)[] labels) => labels.ToDictionary(l => new LabelKey(l.Key), l => new LabelValue(l.Value));
}
