using System.Text.Json.Nodes;
using Labels = System.Collections.Generic.Dictionary<Antbot.Integration.Tests.Deployment.Kubernetes.LabelKey, Antbot.Integration.Tests.Deployment.Kubernetes.LabelValue>;

namespace Antbot.Integration.Tests.Deployment.Kubernetes;

// What the manifests use of Kubernetes' kinds, named and typed as its reference has them. A field that is not here is refused:
// look it up in the reference of its API version before it is added.
internal abstract record Thing(string ApiVersion, string Kind, Metadata Metadata)
{
    private static readonly Dictionary<(string ApiVersion, string Kind), Type> Types = new()
    {
        [("v1", "Namespace")] = typeof(Namespace),
        [("v1", "ServiceAccount")] = typeof(ServiceAccount),
        [("v1", "Service")] = typeof(Service),
        [("v1", "ConfigMap")] = typeof(ConfigMap),
        [("v1", "PersistentVolumeClaim")] = typeof(PersistentVolumeClaim),
        [("apps/v1", "Deployment")] = typeof(Deployment),
        [("apps/v1", "StatefulSet")] = typeof(StatefulSet),
        [("batch/v1", "Job")] = typeof(Job),
        [("policy/v1", "PodDisruptionBudget")] = typeof(PodDisruptionBudget),
        [("networking.k8s.io/v1", "NetworkPolicy")] = typeof(NetworkPolicy),
        [("autoscaling/v2", "HorizontalPodAutoscaler")] = typeof(HorizontalPodAutoscaler),
        [("keda.sh/v1alpha1", "ScaledObject")] = typeof(ScaledObject),
        [("keda.sh/v1alpha1", "TriggerAuthentication")] = typeof(TriggerAuthentication),
        [("postgresql.cnpg.io/v1", "Cluster")] = typeof(PostgresCluster),
        [("rabbitmq.com/v1beta1", "RabbitmqCluster")] = typeof(RabbitmqCluster),
    };

    public string Name => Metadata.Name.Value;

    /// <exception cref="FormatException">Something in it is not as the reference says.</exception>
    public static Thing Read(JsonObject o)
    {
        var (version, kind) = (o["apiVersion"]?.GetValue<string>() ?? "", o["kind"]?.GetValue<string>() ?? "");
        return Types.TryGetValue((version, kind), out var type) ? (Thing)Strict.Read(o, type) : throw new FormatException($"'{kind}' of '{version}' is no kind that is known here.");
    }

    public sealed override string ToString() => $"{Kind} {Name}";
}

internal sealed record Metadata(DnsLabel Name, DnsLabel? Namespace = null, Labels? Labels = null, Dictionary<LabelKey, string>? Annotations = null);

internal sealed record Reference(DnsLabel Name);

internal enum Operator
{
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

internal sealed record Requirement(LabelKey Key, Operator Operator, IReadOnlyList<LabelValue>? Values = null)
{
    public bool Matches(Labels labels) => (Operator, labels.TryGetValue(Key, out var value)) switch
    {
        (Operator.In, var there) => there && Values!.Contains(value),
        (Operator.NotIn, var there) => !there || !Values!.Contains(value),
        (Operator.Exists, var there) => there,
        (Operator.DoesNotExist, var there) => !there,
        _ => throw new InvalidOperationException($"{Operator}"),
    };
}

internal sealed record Selector(Labels? MatchLabels = null, IReadOnlyList<Requirement>? MatchExpressions = null)
{
    public bool IsEmpty => MatchLabels is null or { Count: 0 } && MatchExpressions is null or { Count: 0 };

    public bool Matches(Labels labels) =>
        (MatchLabels ?? []).All(m => labels.TryGetValue(m.Key, out var value) && value == m.Value) && (MatchExpressions ?? []).All(e => e.Matches(labels));
}

internal sealed record Namespace(string ApiVersion, string Kind, Metadata Metadata) : Thing(ApiVersion, Kind, Metadata);

internal sealed record ServiceAccount(string ApiVersion, string Kind, Metadata Metadata, bool? AutomountServiceAccountToken = null) : Thing(ApiVersion, Kind, Metadata);

internal sealed record ConfigMap(string ApiVersion, string Kind, Metadata Metadata, Dictionary<DataKey, string> Data) : Thing(ApiVersion, Kind, Metadata);

internal enum Protocol
{
    TCP,
    UDP,
}

internal sealed record Service(string ApiVersion, string Kind, Metadata Metadata, ServiceSpec Spec) : Thing(ApiVersion, Kind, Metadata);

internal sealed record ServiceSpec(Labels Selector, IReadOnlyList<ServicePort> Ports);

internal sealed record ServicePort(DnsLabel Name, Port Port, Port TargetPort, Protocol Protocol = Protocol.TCP);

internal enum AccessMode
{
    ReadWriteOnce,
    ReadWriteOncePod,
}

internal sealed record PersistentVolumeClaim(string ApiVersion, string Kind, Metadata Metadata, ClaimSpec Spec) : Thing(ApiVersion, Kind, Metadata);

internal sealed record ClaimTemplate(Metadata Metadata, ClaimSpec Spec);

internal sealed record ClaimSpec(IReadOnlyList<AccessMode> AccessModes, StorageRequest Resources, DnsLabel? StorageClassName = null);

internal sealed record StorageRequest(StorageAmount Requests);

internal sealed record StorageAmount(Quantity Storage);

internal sealed record Deployment(string ApiVersion, string Kind, Metadata Metadata, DeploymentSpec Spec) : Thing(ApiVersion, Kind, Metadata);

internal sealed record DeploymentSpec(Selector Selector, PodTemplate Template, int? Replicas = null, DeploymentStrategy? Strategy = null, int? RevisionHistoryLimit = null);

internal enum StrategyType
{
    Recreate,
    RollingUpdate,
}

internal sealed record DeploymentStrategy(StrategyType Type);

internal sealed record StatefulSet(string ApiVersion, string Kind, Metadata Metadata, StatefulSetSpec Spec) : Thing(ApiVersion, Kind, Metadata);

internal sealed record StatefulSetSpec(DnsLabel ServiceName, int Replicas, Selector Selector, PodTemplate Template, IReadOnlyList<ClaimTemplate> VolumeClaimTemplates);

internal sealed record Job(string ApiVersion, string Kind, Metadata Metadata, JobSpec Spec) : Thing(ApiVersion, Kind, Metadata);

internal sealed record JobSpec(PodTemplate Template, int BackoffLimit, int TtlSecondsAfterFinished);

internal sealed record PodTemplate(TemplateMetadata Metadata, PodSpec Spec);

internal sealed record TemplateMetadata(Labels Labels, Dictionary<LabelKey, string>? Annotations = null);

internal enum RestartPolicy
{
    Always,
    OnFailure,
    Never,
}

internal sealed record PodSpec(
    DnsLabel ServiceAccountName, bool AutomountServiceAccountToken, bool EnableServiceLinks, PodSecurity SecurityContext, IReadOnlyList<Container> Containers, IReadOnlyList<Volume> Volumes,
    int TerminationGracePeriodSeconds = 30, RestartPolicy RestartPolicy = RestartPolicy.Always, IReadOnlyList<SpreadConstraint>? TopologySpreadConstraints = null);

internal enum Unsatisfiable
{
    DoNotSchedule,
    ScheduleAnyway,
}

internal sealed record SpreadConstraint(int MaxSkew, LabelKey TopologyKey, Unsatisfiable WhenUnsatisfiable, Selector LabelSelector, IReadOnlyList<LabelKey>? MatchLabelKeys = null);

internal enum GroupChange
{
    Always,
    OnRootMismatch,
}

internal sealed record PodSecurity(bool RunAsNonRoot, long RunAsUser, long RunAsGroup, long FsGroup, Seccomp SeccompProfile, GroupChange FsGroupChangePolicy = GroupChange.Always);

internal enum SeccompType
{
    RuntimeDefault,
    Unconfined,
    Localhost,
}

internal sealed record Seccomp(SeccompType Type);

internal sealed record ContainerSecurity(bool AllowPrivilegeEscalation, bool ReadOnlyRootFilesystem, Capabilities Capabilities, bool? Privileged = null);

internal sealed record Capabilities(IReadOnlyList<string> Drop, IReadOnlyList<string>? Add = null);

internal enum PullPolicy
{
    Always,
    IfNotPresent,
    Never,
}

internal sealed record Container(
    DnsLabel Name, ImageName Image, PullPolicy ImagePullPolicy, ContainerSecurity SecurityContext, Resources Resources, IReadOnlyList<EnvVariable> Env, IReadOnlyList<VolumeMount> VolumeMounts,
    IReadOnlyList<string>? Command = null, IReadOnlyList<string>? Args = null, IReadOnlyList<NamedPort>? Ports = null, Lifecycle? Lifecycle = null,
    Probe? StartupProbe = null, Probe? ReadinessProbe = null, Probe? LivenessProbe = null)
{
    public bool Listens(Port port) => (Ports ?? []).Any(p => port.Name is null ? p.ContainerPort.Number == port.Number : p.Name?.Value == port.Name);

    public int NumberOf(Port port) => port.Name is null ? port.Number : Ports!.Single(p => p.Name?.Value == port.Name).ContainerPort.Number;
}

internal sealed record EnvVariable(EnvName Name, string Value);

internal sealed record NamedPort(Port ContainerPort, DnsLabel? Name = null, Protocol Protocol = Protocol.TCP);

internal sealed record Resources(Amounts Requests, Amounts Limits);

internal sealed record Amounts(Quantity Cpu, Quantity Memory);

internal sealed record Lifecycle(Handler PreStop);

internal sealed record Handler(ExecAction Exec);

internal sealed record ExecAction(IReadOnlyList<string> Command);

internal sealed record HttpAction(string Path, Port Port);

internal sealed record Probe(int PeriodSeconds, int TimeoutSeconds, int FailureThreshold, HttpAction? HttpGet = null, ExecAction? Exec = null);

internal sealed record VolumeMount(DnsLabel Name, MountPath MountPath, bool ReadOnly = false, string? SubPath = null);

internal sealed record Volume(DnsLabel Name, EmptyDir? EmptyDir = null, SecretSource? Secret = null, ConfigMapSource? ConfigMap = null, ClaimSource? PersistentVolumeClaim = null);

internal enum Medium
{
    Memory,
}

internal sealed record EmptyDir(Quantity SizeLimit, Medium? Medium = null);

internal sealed record SecretSource(DnsLabel SecretName, int DefaultMode);

internal sealed record ConfigMapSource(DnsLabel Name);

internal sealed record ClaimSource(DnsLabel ClaimName);

internal sealed record PodDisruptionBudget(string ApiVersion, string Kind, Metadata Metadata, BudgetSpec Spec) : Thing(ApiVersion, Kind, Metadata);

internal sealed record BudgetSpec(Selector Selector, int MaxUnavailable);

internal enum PolicyType
{
    Ingress,
    Egress,
}

internal sealed record NetworkPolicy(string ApiVersion, string Kind, Metadata Metadata, PolicySpec Spec) : Thing(ApiVersion, Kind, Metadata);

internal sealed record PolicySpec(Selector PodSelector, IReadOnlyList<PolicyType> PolicyTypes, IReadOnlyList<IngressRule>? Ingress = null, IReadOnlyList<EgressRule>? Egress = null);

internal sealed record IngressRule(IReadOnlyList<Peer>? From = null, IReadOnlyList<PolicyPort>? Ports = null);

internal sealed record EgressRule(IReadOnlyList<Peer>? To = null, IReadOnlyList<PolicyPort>? Ports = null);

internal sealed record Peer(Selector? PodSelector = null, Selector? NamespaceSelector = null);

internal sealed record PolicyPort(Port Port, int? EndPort = null, Protocol Protocol = Protocol.TCP)
{
    public bool Allows(int number) => EndPort is { } end ? number >= Port.Number && number <= end : number == Port.Number;
}

internal sealed record HorizontalPodAutoscaler(string ApiVersion, string Kind, Metadata Metadata, AutoscalerSpec Spec) : Thing(ApiVersion, Kind, Metadata);

internal sealed record AutoscalerSpec(ScaleTarget ScaleTargetRef, int MinReplicas, int MaxReplicas, IReadOnlyList<Metric> Metrics, ScalingBehavior? Behavior = null);

internal sealed record ScaleTarget(string ApiVersion, string Kind, DnsLabel Name);

internal enum MetricType
{
    Resource,
}

internal sealed record Metric(MetricType Type, ResourceMetric Resource);

internal enum ResourceName
{
    cpu,
    memory,
}

internal sealed record ResourceMetric(ResourceName Name, MetricTarget Target);

internal enum TargetType
{
    Utilization,
    AverageValue,
    Value,
}

internal sealed record MetricTarget(TargetType Type, int AverageUtilization);

internal sealed record ScalingBehavior(ScalingRules ScaleDown);

internal sealed record ScalingRules(int StabilizationWindowSeconds);

internal sealed record TriggerAuthentication(string ApiVersion, string Kind, Metadata Metadata, AuthenticationSpec Spec) : Thing(ApiVersion, Kind, Metadata);

internal sealed record AuthenticationSpec(IReadOnlyList<SecretTarget> SecretTargetRef);

internal sealed record SecretTarget(string Parameter, DnsLabel Name, DataKey Key);

internal sealed record ScaledObject(string ApiVersion, string Kind, Metadata Metadata, ScaledSpec Spec) : Thing(ApiVersion, Kind, Metadata);

internal sealed record ScaledSpec(
    Reference ScaleTargetRef, int PollingInterval, int MinReplicaCount, int MaxReplicaCount, IReadOnlyList<Trigger> Triggers, Fallback? Fallback = null, AdvancedScaling? Advanced = null);

internal sealed record Fallback(int FailureThreshold, int Replicas);

internal sealed record AdvancedScaling(AutoscalerConfig HorizontalPodAutoscalerConfig);

internal sealed record AutoscalerConfig(ScalingBehavior Behavior);

internal enum TriggerType
{
    rabbitmq,
    cpu,
}

internal sealed record Trigger(TriggerType Type, TargetType MetricType, TriggerMetadata Metadata, Reference? AuthenticationRef = null);

/// <summary>Texts all, whatever they say.</summary>
internal sealed record TriggerMetadata(string Value, string? Protocol = null, string? QueueName = null, string? Mode = null);

internal sealed record PostgresCluster(string ApiVersion, string Kind, Metadata Metadata, PostgresClusterSpec Spec) : Thing(ApiVersion, Kind, Metadata);

internal sealed record PostgresClusterSpec(
    int Instances, ImageName ImageName, bool EnableSuperuserAccess, PostgresBootstrap Bootstrap, PostgresManaged Managed, PostgresSettings Postgresql, PostgresStorage Storage, Resources Resources, PostgresAffinity Affinity);

internal sealed record PostgresBootstrap(PostgresInit Initdb);

internal sealed record PostgresInit(string Database, string Owner, Reference Secret, string Encoding, bool DataChecksums, IReadOnlyList<string> PostInitApplicationSQL);

internal sealed record PostgresManaged(IReadOnlyList<PostgresRole> Roles);

internal enum Ensure
{
    present,
    absent,
}

internal sealed record PostgresRole(string Name, Ensure Ensure, bool Login, bool Inherit, IReadOnlyList<string> InRoles, Reference PasswordSecret, bool Superuser = false);

internal sealed record PostgresSettings(PostgresSynchronous Synchronous, Dictionary<string, string> Parameters);

internal enum SynchronousMethod
{
    any,
    first,
}

internal sealed record PostgresSynchronous(SynchronousMethod Method, int Number);

internal sealed record PostgresStorage(Quantity Size);

internal enum AntiAffinity
{
    required,
    preferred,
}

internal sealed record PostgresAffinity(bool EnablePodAntiAffinity, LabelKey TopologyKey, AntiAffinity PodAntiAffinityType);

internal sealed record RabbitmqCluster(string ApiVersion, string Kind, Metadata Metadata, RabbitmqSpec Spec) : Thing(ApiVersion, Kind, Metadata);

internal sealed record RabbitmqSpec(int Replicas, ImageName Image, RabbitmqSecrets SecretBackend, RabbitmqStorage Persistence, Resources Resources, RabbitmqSettings Rabbitmq, RabbitmqAffinity Affinity);

internal sealed record RabbitmqSecrets(Reference ExternalSecret);

internal sealed record RabbitmqStorage(Quantity Storage);

internal sealed record RabbitmqSettings(string AdditionalConfig);

internal sealed record RabbitmqAffinity(RabbitmqAntiAffinity PodAntiAffinity);

internal sealed record RabbitmqAntiAffinity(IReadOnlyList<AffinityTerm> RequiredDuringSchedulingIgnoredDuringExecution);

internal sealed record AffinityTerm(LabelKey TopologyKey, Selector LabelSelector);
