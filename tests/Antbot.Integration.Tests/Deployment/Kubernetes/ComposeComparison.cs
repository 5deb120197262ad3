namespace Antbot.Integration.Tests.Deployment.Kubernetes;

/// <summary>The same services run here and there: image, arguments, environment, ports, probes, limits and user are equal.</summary>
internal static class ComposeComparison
{
    /// <summary>There they are done once for everybody, here by whoever runs the cluster, or by the cluster itself.</summary>
    private static readonly HashSet<string> ComposeAlone = new(StringComparer.Ordinal) { "keys", "cli", "gate" };

    /// <summary>What may go with its pod: a volume there, and here a folder of the pod's.</summary>
    private static readonly HashSet<string> MayGo = new(StringComparer.Ordinal) { "/recording" };

    public static IEnumerable<string> Faults(IReadOnlyList<Thing> things, ComposeFile compose)
    {
        var workloads = Workload.Of(things).ToDictionary(w => w.Name, StringComparer.Ordinal);
        foreach (var name in workloads.Keys.Except(compose.Services.Keys, StringComparer.Ordinal))
            yield return $"{name}: compose has no such service.";
        foreach (var fault in Ports(compose, workloads))
            yield return fault;
        foreach (var (name, service) in compose.Services.Where(s => !ComposeAlone.Contains(s.Key)))
        {
            if (!workloads.TryGetValue(name, out var workload))
                yield return $"{name}: compose has it, and here it is not.";
            else if (workload.Template is { } template)
            {
                foreach (var fault in Differences(service, template.Spec, template.Spec.Containers[0]))
                    yield return $"{name}: {fault}";
            }
        }
    }

    private static IEnumerable<string> Differences(ComposeService service, PodSpec pod, Container container)
    {
        if (container.Image.Value != service.Image)
            yield return $"image {container.Image} is {service.Image} in compose.";
        if (!(container.Args ?? []).SequenceEqual(service.Command ?? [], StringComparer.Ordinal))
            yield return "its arguments are not those in compose.";
        if (service.User != $"{pod.SecurityContext.RunAsUser}:{pod.SecurityContext.RunAsGroup}")
            yield return $"it runs as {pod.SecurityContext.RunAsUser}:{pod.SecurityContext.RunAsGroup}, in compose as {service.User}.";
        if (container.Resources.Limits.Memory.Amount != service.MemoryBytes || container.Resources.Limits.Cpu.Amount != service.Cpus)
            yield return "its limits are not those in compose.";
        foreach (var fault in Environment(service, container).Concat(Mounts(service, pod, container)).Concat(Probes(service.Healthcheck, container)))
            yield return fault;
    }

    private static IEnumerable<string> Environment(ComposeService service, Container container)
    {
        var here = container.Env.ToDictionary(e => e.Name.Value, e => e.Value, StringComparer.Ordinal);
        foreach (var name in here.Keys.Union(service.Variables.Keys, StringComparer.Ordinal))
        {
            var (mine, theirs) = (here.GetValueOrDefault(name), service.Variables.GetValueOrDefault(name));
            if (mine != theirs)
                yield return $"{name} is '{mine ?? "not set"}', in compose '{theirs ?? "not set"}'.";
        }
    }

    /// <summary>The same secrets and data at the same paths.</summary>
    private static IEnumerable<string> Mounts(ComposeService service, PodSpec pod, Container container)
    {
        var here = container.VolumeMounts.Where(m => MayGo.Contains(m.MountPath.Value) || pod.Volumes.FirstOrDefault(v => v.Name == m.Name)?.EmptyDir is null).Select(m => m.MountPath.Value).ToHashSet(StringComparer.Ordinal);
        foreach (var mount in service.Mounts.Where(m => !here.Contains(m.Path) && !here.Contains(Path.GetDirectoryName(m.Path)!)))
            yield return $"{mount.Path} is mounted in compose, and not here.";
        foreach (var path in here.Where(p => !service.Mounts.Any(m => m.Path == p || Path.GetDirectoryName(m.Path) == p)))
            yield return $"{path} is mounted here, and not in compose.";
        foreach (var path in (service.Tmpfs ?? []).Where(p => container.VolumeMounts.All(m => m.MountPath.Value != p)))
            yield return $"{path} can be written in compose, and not here.";
    }

    private static IEnumerable<string> Probes(ComposeHealth health, Container container)
    {
        if (health.Disable)
        {
            if (container.StartupProbe is not null || container.ReadinessProbe is not null || container.LivenessProbe is not null)
                yield return "it is probed here, and not in compose.";
            yield break;
        }
        if (container.StartupProbe is not { } startup || container.ReadinessProbe is not { } readiness)
            yield break; // Said already.
        if (!Asks(readiness, container).SequenceEqual(health.Test!, StringComparer.Ordinal))
            yield return $"its readiness asks '{string.Join(' ', Asks(readiness, container))}', compose '{string.Join(' ', health.Test!)}'.";
        if (readiness.PeriodSeconds != ComposeHealth.Seconds(health.Interval) || readiness.TimeoutSeconds != ComposeHealth.Seconds(health.Timeout) || readiness.FailureThreshold != health.Retries)
            yield return "its readiness does not ask as often, as long or as patiently as compose.";
        if (startup.PeriodSeconds != ComposeHealth.Seconds(health.StartInterval) || startup.PeriodSeconds * startup.FailureThreshold != ComposeHealth.Seconds(health.StartPeriod))
            yield return "its start is not given the time that it has in compose.";
    }

    /// <summary>As compose writes it.</summary>
    private static IReadOnlyList<string> Asks(Probe probe, Container container) => probe switch
    {
        { HttpGet: { } http } => ["CMD", "/bin/bash", "/probe.sh", $"{container.NumberOf(http.Port)}", http.Path],
        { Exec.Command: ["/bin/sh", "-c", var line] } => ["CMD-SHELL", line],
        { Exec.Command: var command } => ["CMD", .. command],
        _ => [],
    };

    /// <summary>What the gate leads to there can be reached by the same name and port here.</summary>
    private static IEnumerable<string> Ports(ComposeFile compose, Dictionary<string, Workload> workloads)
    {
        foreach (var target in compose.Services["gate"].Command!.Where(c => c.Contains('=', StringComparison.Ordinal)).Select(c => c.Split('=')[1].Split(':')))
        {
            if (workloads.GetValueOrDefault(target[0])?.Template?.Spec.Containers[0].Ports?.Any(p => p.ContainerPort.Number == int.Parse(target[1])) != true)
                yield return $"{target[0]}: the gate leads to its port {target[1]} in compose, and nobody listens on it here.";
        }
    }
}
