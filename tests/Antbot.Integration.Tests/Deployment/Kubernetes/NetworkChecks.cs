namespace Antbot.Integration.Tests.Deployment.Kubernetes;

/// <summary>
/// Who can speak to whom, worked out from the policies, against who has to, worked out from what each is configured with.
/// What is missing breaks the platform; what is too much is a way in.
/// </summary>
internal static class NetworkChecks
{
    private const int StorePort = 5432;
    private const int BusPort = 5672;

    public static IEnumerable<string> Faults(IReadOnlyList<Thing> things, IReadOnlyList<Workload> workloads)
    {
        var policies = things.OfType<NetworkPolicy>().ToList();
        if (!policies.Exists(p => p.Spec is { PodSelector.IsEmpty: true, PolicyTypes.Count: 2, Ingress: null or { Count: 0 }, Egress: null or { Count: 0 } }))
            yield return "No policy denies everything that is not allowed.";
        foreach (var policy in policies)
        {
            foreach (var fault in Faults(policy, workloads))
                yield return $"{policy}: {fault}";
        }
        var (needed, allowed) = (Needed(workloads).ToHashSet(), Allowed(policies, workloads).ToHashSet());
        foreach (var (from, to, port) in needed.Except(allowed))
            yield return $"{from} cannot reach {to}:{port}, which it needs.";
        foreach (var (from, to, port) in allowed.Except(needed))
            yield return $"{from} can reach {to}:{port}, which it does not need.";
    }

    private static IEnumerable<string> Faults(NetworkPolicy policy, IReadOnlyList<Workload> workloads)
    {
        var spec = policy.Spec;
        if ((spec.Ingress is not null && !spec.PolicyTypes.Contains(PolicyType.Ingress)) || (spec.Egress is not null && !spec.PolicyTypes.Contains(PolicyType.Egress)))
            yield return "its rules are not of its types.";
        var own = workloads.Where(w => spec.PodSelector.Matches(w.Labels)).ToList();
        if (own.Count == 0)
            yield return "its selector matches no pod.";
        foreach (var rule in spec.Ingress ?? [])
        {
            foreach (var port in (rule.Ports ?? []).Where(p => !own.Exists(w => w.Ports.Any(p.Allows))))
                yield return $"none of its pods listens on {port.Port}.";
        }
        foreach (var peer in (spec.Ingress ?? []).SelectMany(r => r.From ?? []).Concat((spec.Egress ?? []).SelectMany(r => r.To ?? [])))
        {
            if (peer is { PodSelector: null, NamespaceSelector: null })
                yield return "a peer is nobody.";
            else if (peer is { PodSelector: { } pods, NamespaceSelector: null } && !workloads.Any(w => pods.Matches(w.Labels)))
                yield return "a peer's selector matches no pod.";
        }
    }

    /// <summary>An address in a variable, a store or a bus in a file: somebody has to be reached.</summary>
    private static IEnumerable<(string From, string To, int Port)> Needed(IReadOnlyList<Workload> workloads)
    {
        foreach (var from in workloads.Where(w => w.Template is not null))
        {
            foreach (var variable in from.Template!.Spec.Containers.SelectMany(c => c.Env))
            {
                if (variable.Name.Value == "ANTBOT_STORE_FILE")
                    yield return (from.Name, "postgres", StorePort);
                else if (variable.Name.Value == "ANTBOT_BUS_FILE")
                    yield return (from.Name, "rabbitmq", BusPort);
                else if (Uri.TryCreate(variable.Value, UriKind.Absolute, out var address) && address.Scheme == "http" && workloads.Any(w => w.Host == address.Host))
                    yield return (from.Name, address.Host, address.Port);
            }
        }
    }

    /// <summary>Between pods of these manifests; what operators' pods say among themselves is theirs.</summary>
    private static IEnumerable<(string From, string To, int Port)> Allowed(IReadOnlyList<NetworkPolicy> policies, IReadOnlyList<Workload> workloads) =>
        from source in workloads
        where source.Template is not null
        from target in workloads
        from port in target.Ports
        where policies.Any(p => p.Spec.PodSelector.Matches(source.Labels) && (p.Spec.Egress ?? []).Any(r => Allows(r.To, r.Ports, target, port)))
            && policies.Any(p => p.Spec.PodSelector.Matches(target.Labels) && (p.Spec.Ingress ?? []).Any(r => Allows(r.From, r.Ports, source, port)))
        select (source.Name, target.Name, port);

    private static bool Allows(IReadOnlyList<Peer>? peers, IReadOnlyList<PolicyPort>? ports, Workload peer, int port) =>
        (peers is null || peers.Any(p => p is { PodSelector: { } pods, NamespaceSelector: null } && pods.Matches(peer.Labels))) && (ports is null || ports.Any(p => p.Allows(port)));
}
