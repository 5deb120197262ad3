using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Antbot.Contracts.Messages;
using Antbot.Messaging;
using Antbot.Venues.Recording;

namespace Antbot.Integration.Tests.Deployment.Kubernetes;

/// <summary>What must hold of the rendered manifests. Gives every fault in words, or none.</summary>
internal static partial class ManifestChecks
{
    private const string NamespaceName = "antbot";
    private const string SecretPrefix = "antbot-";

    /// <summary>Two of them would be two exchanges over one journal, or two who add to one file.</summary>
    private static readonly HashSet<string> OneAlone = new(StringComparer.Ordinal) { "venue", "notary" };

    /// <summary>For what a process does after its own deadline.</summary>
    private const int EndingGraceSeconds = 5;

    /// <summary>The folder is looked through once a minute, and grows until then.</summary>
    private const long RecordingSpare = 512L * 1024 * 1024;

    /// <summary>Made for the database's operator of the same passwords, in the form that it wants.</summary>
    private static readonly string[] OperatorSecrets = ["antbot-database-owner", "antbot-database-services"];

    public static IReadOnlyList<string> Faults(IReadOnlyList<JsonObject> objects, ComposeFile compose, Keys keys)
    {
        var (things, faults) = (new List<Thing>(), new List<string>());
        foreach (var o in objects)
        {
            try
            {
                things.Add(Thing.Read(o));
            }
            catch (FormatException e)
            {
                faults.Add($"{o["kind"]} {o["metadata"]?["name"]}: {e.Message}");
            }
        }
        if (faults.Count > 0)
            return faults;
        var workloads = Workload.Of(things);
        return
        [
            .. Names(things),
            .. things.SelectMany(t => Pods(t, things, keys).Select(f => $"{t}: {f}")),
            .. things.OfType<Service>().SelectMany(s => Services(s, workloads).Select(f => $"{s}: {f}")),
            .. Budgets(things),
            .. Scaling(things, keys),
            .. Clusters(things, compose).Select(f => $"clusters: {f}"),
            .. NetworkChecks.Faults(things, workloads),
            .. ComposeComparison.Faults(things, compose),
        ];
    }

    private static IEnumerable<string> Names(IReadOnlyList<Thing> things)
    {
        foreach (var twice in things.GroupBy(t => t.ToString(), StringComparer.Ordinal).Where(g => g.Count() > 1))
            yield return $"{twice.Key} is there {twice.Count()} times.";
        foreach (var thing in things.Where(t => t is not Namespace && t.Metadata.Namespace?.Value != NamespaceName))
            yield return $"{thing} is not in the namespace.";
        if (things.OfType<Namespace>().Select(n => n.Name).ToList() is not [NamespaceName])
            yield return "The namespace itself is not there once.";
    }

    private static IEnumerable<string> Pods(Thing thing, IReadOnlyList<Thing> things, Keys keys) => thing switch
    {
        Deployment d => [.. Selects(d.Spec.Selector, d.Spec.Template, thing, things), .. Pod(d.Spec.Template.Spec, [], things, keys), .. Lives(d.Spec.Template.Spec), .. Ends(d.Spec.Template.Spec), .. Alone(d)],
        StatefulSet s => [.. Selects(s.Spec.Selector, s.Spec.Template, thing, things), .. Pod(s.Spec.Template.Spec, s.Spec.VolumeClaimTemplates, things, keys), .. Lives(s.Spec.Template.Spec), .. Governed(s, things)],
        Job j => Pod(j.Spec.Template.Spec, [], things, keys),
        _ => [],
    };

    private static IEnumerable<string> Selects(Selector selector, PodTemplate template, Thing thing, IReadOnlyList<Thing> things)
    {
        if (selector.IsEmpty || !selector.Matches(template.Metadata.Labels))
            yield return "its selector does not match its own pods.";
        foreach (var other in Workload.Of(things.Where(t => t != thing)).Where(w => selector.Matches(w.Labels)))
            yield return $"its selector matches the pods of {other.Name} too.";
    }

    private static IEnumerable<string> Governed(StatefulSet set, IReadOnlyList<Thing> things)
    {
        if (!things.OfType<Service>().Any(s => s.Name == set.Spec.ServiceName.Value))
            yield return $"there is no service {set.Spec.ServiceName}.";
    }

    private static IEnumerable<string> Alone(Deployment deployment)
    {
        if (OneAlone.Contains(deployment.Name) && deployment.Spec is not { Replicas: 1, Strategy.Type: StrategyType.Recreate })
            yield return $"there may be one {deployment.Name}, and never two at once.";
        if (!OneAlone.Contains(deployment.Name) && deployment.Spec.Replicas is not null)
            yield return "its number is the autoscaler's to say.";
    }

    private static IEnumerable<string> Pod(PodSpec pod, IReadOnlyList<ClaimTemplate> claims, IReadOnlyList<Thing> things, Keys keys)
    {
        if (pod.AutomountServiceAccountToken || !things.OfType<ServiceAccount>().Any(a => a.Name == pod.ServiceAccountName.Value && a.AutomountServiceAccountToken == false))
            yield return "it has a service account's token, or no account of its own.";
        if (pod.EnableServiceLinks)
            yield return "it gets variables of every service in the namespace.";
        if (pod.SecurityContext is not { RunAsNonRoot: true, RunAsUser: > 0, RunAsGroup: > 0, FsGroup: > 0, SeccompProfile.Type: SeccompType.RuntimeDefault })
            yield return "its pods are not confined.";
        if (pod.Containers.Count != 1)
            yield return "there is not one container.";
        var volumes = pod.Volumes.Select(v => v.Name.Value).Concat(claims.Select(c => c.Metadata.Name.Value)).ToList();
        foreach (var fault in pod.Containers.SelectMany(c => Contained(c, pod, volumes, things, keys)).Concat(Mountable(pod, volumes, things, keys)))
            yield return fault;
    }

    private static IEnumerable<string> Contained(Container container, PodSpec pod, List<string> volumes, IReadOnlyList<Thing> things, Keys keys)
    {
        if (container.SecurityContext is not { AllowPrivilegeEscalation: false, ReadOnlyRootFilesystem: true, Privileged: not true, Capabilities: { Drop: ["ALL"], Add: null } })
            yield return $"container {container.Name} is not confined.";
        var (requests, limits) = (container.Resources.Requests, container.Resources.Limits);
        if (requests.Cpu.Amount <= 0 || requests.Cpu.Amount > limits.Cpu.Amount || requests.Memory.Amount < 1 << 20 || requests.Memory.Amount > limits.Memory.Amount)
            yield return "what it asks for is not within its limits.";
        foreach (var twice in container.VolumeMounts.GroupBy(m => m.MountPath).Where(g => g.Count() > 1))
            yield return $"{twice.Key.Value} is mounted twice.";
        foreach (var mount in container.VolumeMounts.Where(m => !volumes.Contains(m.Name.Value, StringComparer.Ordinal)))
            yield return $"there is no volume {mount.Name} to mount.";
        foreach (var name in volumes.Where(v => container.VolumeMounts.All(m => m.Name.Value != v)))
            yield return $"volume {name} is mounted nowhere.";
        foreach (var fault in Recording(container, pod))
            yield return fault;
        foreach (var mount in container.VolumeMounts.Where(m => m.SubPath is not null))
        {
            var map = pod.Volumes.FirstOrDefault(v => v.Name == mount.Name)?.ConfigMap?.Name.Value;
            if (things.OfType<ConfigMap>().FirstOrDefault(c => c.Name == map)?.Data.ContainsKey(new DataKey(mount.SubPath!)) != true)
                yield return $"there is no {mount.SubPath} in {map ?? "a config map"}.";
        }
        foreach (var twice in container.Env.GroupBy(e => e.Name).Where(g => g.Count() > 1))
            yield return $"{twice.Key.Value} is set twice.";
        foreach (var variable in container.Env)
        {
            if (SecretName().IsMatch(variable.Name.Value) && !variable.Name.Value.EndsWith("_FILE", StringComparison.Ordinal))
                yield return $"{variable.Name.Value} is a secret in the open.";
            if (variable.Name.Value.EndsWith("_FILE", StringComparison.Ordinal) && !IsMounted(variable.Value, container, pod, keys))
                yield return $"{variable.Name.Value}: no secret has {variable.Value}.";
        }
    }

    /// <summary>A pod that outgrows its folder is evicted: the recording shall end before that.</summary>
    private static IEnumerable<string> Recording(Container container, PodSpec pod)
    {
        if (container.Env.FirstOrDefault(e => e.Name.Value == "ANTBOT_RECORDING__FOLDER")?.Value is not { } folder)
            yield break;
        var megabytes = container.Env.FirstOrDefault(e => e.Name.Value == "ANTBOT_RECORDING__MEGABYTES") is { } given ? int.Parse(given.Value) : new RecordingOptions().Megabytes;
        var mount = container.VolumeMounts.FirstOrDefault(m => m.MountPath.Value == folder);
        if (mount is null || mount.ReadOnly || pod.Volumes.FirstOrDefault(v => v.Name == mount.Name) is not { } volume)
            yield return $"it cannot write its recording to {folder}.";
        else if (volume.EmptyDir is { } own && own.SizeLimit.Amount < (megabytes * 1024L * 1024) + RecordingSpare)
            yield return $"its recording may take {megabytes} MB, and its folder holds too little more than that.";
    }

    private static bool IsMounted(string path, Container container, PodSpec pod, Keys keys)
    {
        if (container.VolumeMounts.FirstOrDefault(m => path.StartsWith($"{m.MountPath.Value}/", StringComparison.Ordinal)) is not { } mount)
            return false;
        var secret = pod.Volumes.FirstOrDefault(v => v.Name == mount.Name)?.Secret?.SecretName.Value ?? "";
        return secret.StartsWith(SecretPrefix, StringComparison.Ordinal) && keys.Has(secret[SecretPrefix.Length..], path[(mount.MountPath.Value.Length + 1)..]);
    }

    private static IEnumerable<string> Mountable(PodSpec pod, List<string> volumes, IReadOnlyList<Thing> things, Keys keys)
    {
        foreach (var twice in volumes.GroupBy(v => v, StringComparer.Ordinal).Where(g => g.Count() > 1))
            yield return $"volume {twice.Key} is there twice.";
        foreach (var volume in pod.Volumes)
        {
            if (new object?[] { volume.EmptyDir, volume.Secret, volume.ConfigMap, volume.PersistentVolumeClaim }.Count(s => s is not null) != 1)
                yield return $"volume {volume.Name} has not one source.";
            // Readable for the group that the pod's files belong to, and for nobody else.
            if (volume.Secret is { } secret && (secret.DefaultMode != Convert.ToInt32("440", 8) || !IsMade(secret.SecretName.Value, keys)))
                yield return $"secret {secret.SecretName} is not one of those that are made, or others may read it.";
            if (volume.ConfigMap is { } map && !things.OfType<ConfigMap>().Any(c => c.Name == map.Name.Value))
                yield return $"there is no config map {map.Name}.";
            if (volume.PersistentVolumeClaim is { } claim && !things.OfType<PersistentVolumeClaim>().Any(c => c.Name == claim.ClaimName.Value))
                yield return $"there is no claim {claim.ClaimName}.";
        }
    }

    private static bool IsMade(string secret, Keys keys) =>
        OperatorSecrets.Contains(secret, StringComparer.Ordinal) || (secret.StartsWith(SecretPrefix, StringComparison.Ordinal) && keys.Has(secret[SecretPrefix.Length..]));

    private static IEnumerable<string> Lives(PodSpec pod)
    {
        foreach (var container in pod.Containers)
        {
            foreach (var (name, probe) in new[] { ("startup", container.StartupProbe), ("readiness", container.ReadinessProbe), ("liveness", container.LivenessProbe) })
            {
                if (probe is null)
                    yield return $"it has no {name} probe.";
                else if (probe.HttpGet is null == probe.Exec is null || probe.PeriodSeconds < 1 || probe.TimeoutSeconds < 1 || probe.FailureThreshold < 1)
                    yield return $"its {name} probe is not complete.";
                else if (probe.HttpGet is { } http && (!container.Listens(http.Port) || !http.Path.StartsWith('/')))
                    yield return $"its {name} probe asks where nobody listens.";
            }
        }
    }

    private static IEnumerable<string> Ends(PodSpec pod)
    {
        foreach (var container in pod.Containers)
        {
            var pause = container.Lifecycle?.PreStop.Exec.Command is [_, var seconds] ? int.Parse(seconds) : 0;
            var own = container.Env.FirstOrDefault(e => e.Name.Value == "ANTBOT_SHUTDOWNSECONDS") is { } shutdown ? int.Parse(shutdown.Value) : 30;
            if (pod.TerminationGracePeriodSeconds < pause + own + EndingGraceSeconds)
                yield return $"it is killed {pod.TerminationGracePeriodSeconds} s after it is asked to stop, and may take {pause + own} s.";
        }
    }

    private static IEnumerable<string> Services(Service service, IReadOnlyList<Workload> workloads)
    {
        var selector = new Selector(service.Spec.Selector);
        if (workloads.Where(w => selector.Matches(w.Labels)).ToList() is not [var workload])
        {
            yield return "its selector does not match the pods of one workload.";
            yield break;
        }
        if (workload.Name != service.Name)
            yield return $"it leads to {workload.Name}.";
        foreach (var port in service.Spec.Ports.Where(p => !workload.Template!.Spec.Containers.Any(c => c.Listens(p.TargetPort))))
            yield return $"nobody listens on {port.TargetPort}.";
        foreach (var port in service.Spec.Ports.Where(p => p.Port.Name is not null))
            yield return $"its port {port.Port} is no number.";
    }

    private static IEnumerable<string> Budgets(IReadOnlyList<Thing> things)
    {
        var deployments = things.OfType<Deployment>().ToList();
        foreach (var budget in things.OfType<PodDisruptionBudget>().Where(b => b.Spec.MaxUnavailable < 1 || !deployments.Exists(d => d.Name == b.Name && b.Spec.Selector.Matches(d.Spec.Template.Metadata.Labels))))
            yield return $"{budget}: it matches no deployment of its name, or lets no node be emptied.";
        foreach (var deployment in deployments.Where(d => things.OfType<PodDisruptionBudget>().Count(b => b.Spec.Selector.Matches(d.Spec.Template.Metadata.Labels)) != 1))
            yield return $"{deployment}: it has not one disruption budget.";
    }

    private static IEnumerable<string> Scaling(IReadOnlyList<Thing> things, Keys keys)
    {
        var scalers = things.OfType<HorizontalPodAutoscaler>().Select(h => (Thing: (Thing)h, Target: h.Spec.ScaleTargetRef.Name.Value, h.Spec.MinReplicas, h.Spec.MaxReplicas))
            .Concat(things.OfType<ScaledObject>().Select(s => (Thing: (Thing)s, Target: s.Spec.ScaleTargetRef.Name.Value, MinReplicas: s.Spec.MinReplicaCount, MaxReplicas: s.Spec.MaxReplicaCount))).ToList();
        foreach (var (thing, target, min, max) in scalers)
        {
            if (!things.OfType<Deployment>().Any(d => d.Name == target))
                yield return $"{thing}: there is no deployment {target}.";
            if (OneAlone.Contains(target))
                yield return $"{thing}: there may be one {target}.";
            if (min < 2 || max < min)
                yield return $"{thing}: from {min} to {max} is no range that survives the loss of one.";
        }
        if (scalers.Count > 0)
        {
            foreach (var deployment in things.OfType<Deployment>().Where(d => !OneAlone.Contains(d.Name) && scalers.Count(s => s.Target == d.Name) != 1))
                yield return $"{deployment}: it has not one autoscaler.";
        }
        foreach (var autoscaler in things.OfType<HorizontalPodAutoscaler>().Where(h => h.Spec is not { ScaleTargetRef: { ApiVersion: "apps/v1", Kind: "Deployment" }, Metrics: [{ Resource: { Name: ResourceName.cpu, Target: { Type: TargetType.Utilization, AverageUtilization: > 0 and <= 100 } } }] }))
            yield return $"{autoscaler}: it does not look at the processor.";
        foreach (var scaled in things.OfType<ScaledObject>())
        {
            foreach (var fault in Triggers(scaled, things, keys))
                yield return $"{scaled}: {fault}";
        }
    }

    private static IEnumerable<string> Triggers(ScaledObject scaled, IReadOnlyList<Thing> things, Keys keys)
    {
        if (scaled.Spec.Triggers.Select(t => t.Type).Order().ToList() is not [TriggerType.rabbitmq, TriggerType.cpu])
            yield return "it does not look at queue and processor.";
        foreach (var trigger in scaled.Spec.Triggers)
        {
            if (!int.TryParse(trigger.Metadata.Value, out var value) || value <= 0)
                yield return $"'{trigger.Metadata.Value}' is no target.";
            if (trigger.Type != TriggerType.rabbitmq)
                continue;
            var queues = Routes.Endpoints.ToDictionary(Topology.QueueOf, e => e, StringComparer.Ordinal);
            if (!queues.TryGetValue(trigger.Metadata.QueueName ?? "", out var endpoint))
                yield return $"nobody declares a queue '{trigger.Metadata.QueueName}'.";
            else if (endpoint != scaled.Spec.ScaleTargetRef.Name.Value)
                yield return $"'{trigger.Metadata.QueueName}' is another's queue.";
            if (trigger.Metadata is not { Mode: "QueueLength", Protocol: "amqp" } || trigger.MetricType != TargetType.AverageValue)
                yield return "it does not look at the queue's length.";
            var authentication = things.OfType<TriggerAuthentication>().FirstOrDefault(a => a.Name == trigger.AuthenticationRef?.Name.Value);
            if (authentication?.Spec.SecretTargetRef is not [{ Parameter: "host" } secret] || !secret.Name.Value.StartsWith(SecretPrefix, StringComparison.Ordinal) || !keys.Has(secret.Name.Value[SecretPrefix.Length..], secret.Key.Value))
                yield return "it does not know the broker's address.";
        }
        if (scaled.Spec.Fallback is { } fallback && (fallback.FailureThreshold < 1 || fallback.Replicas < scaled.Spec.MinReplicaCount))
            yield return "with the broker gone it would run fewer than at least.";
    }

    private static IEnumerable<string> Clusters(IReadOnlyList<Thing> things, ComposeFile compose)
    {
        foreach (var cluster in things.OfType<PostgresCluster>())
        {
            if (cluster.Spec.ImageName.Value.Split(':')[^1] != compose.Services["postgres"].Image.Split(':')[^1])
                yield return $"{cluster.Spec.ImageName} is another version than compose has.";
            if (cluster.Spec.Instances < 3 || cluster.Spec.Postgresql.Synchronous.Number < 1 || cluster.Spec.EnableSuperuserAccess)
                yield return "what was recorded may be lost with one machine, or a superuser may log in.";
            var made = cluster.Spec.Bootstrap.Initdb.PostInitApplicationSQL.Select(s => CreateRole().Match(s).Groups["role"].Value).ToHashSet(StringComparer.Ordinal);
            if (!made.SetEquals(StoreRoles()))
                yield return $"it makes the groups {string.Join(", ", made)}; the store has {string.Join(", ", StoreRoles())}.";
            foreach (var role in cluster.Spec.Managed.Roles.Where(r => r.Superuser || !r.InRoles.All(made.Contains) || !r.InRoles.Contains("antbot_writer", StringComparer.Ordinal)))
                yield return $"{role.Name} is not in the groups that the store has.";
            foreach (var secret in cluster.Spec.Managed.Roles.Select(r => r.PasswordSecret).Append(cluster.Spec.Bootstrap.Initdb.Secret).Where(s => !OperatorSecrets.Contains(s.Name.Value, StringComparer.Ordinal)))
                yield return $"nobody makes the secret {secret.Name}.";
        }
        foreach (var cluster in things.OfType<RabbitmqCluster>())
        {
            if (cluster.Spec.Image.Value != compose.Services["rabbitmq"].Image)
                yield return $"{cluster.Spec.Image} is not the image that compose has.";
            if (cluster.Spec.Replicas < 3 || cluster.Spec.Replicas % 2 == 0)
                yield return $"{cluster.Spec.Replicas} brokers have no majority after the loss of one.";
            if (cluster.Spec.SecretBackend.ExternalSecret.Name.Value != "antbot-rabbitmq")
                yield return "its user is not the one that the services log in as.";
        }
    }

    /// <summary>The groups as the store's own script makes them.</summary>
    public static IReadOnlyList<string> StoreRoles() => [.. RoleName().Matches(File.ReadAllText(Path.Combine(RepositoryFolder.Root, "shared", "Antbot.EventStore", "Postgres", "Schema", "roles.sql"))).Select(m => m.Groups["role"].Value).Distinct(StringComparer.Ordinal)];

    public static IReadOnlyList<string> RolesMadeBy(string script) => [.. CreateRole().Matches(script).Select(m => m.Groups["role"].Value)];

    [GeneratedRegex("PASS|SECRET|TOKEN|KEY", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SecretName();

    [GeneratedRegex("create role (?<role>[a-z_]+) nologin", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CreateRole();

    [GeneratedRegex("'(?<role>antbot_[a-z]+)'", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RoleName();
}
