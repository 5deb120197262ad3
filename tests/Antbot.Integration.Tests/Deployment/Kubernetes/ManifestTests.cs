using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace Antbot.Integration.Tests.Deployment.Kubernetes;

/// <summary>The manifests, rendered as kustomize would, held to Kubernetes' reference, to one another, to the code and to docker-compose.yml.</summary>
public sealed class ManifestTests(DeploymentFiles files) : IClassFixture<DeploymentFiles>
{
    private const string OneNode = "single-node";
    private const string Production = "production";

    [Theory]
    [InlineData(OneNode)]
    [InlineData(Production)]
    public void Everything_that_is_promised_of_them_holds(string overlay) => Assert.Empty(FaultsOf(Render(overlay)));

    [Fact]
    public void In_production_every_service_but_the_venue_is_scaled()
    {
        var objects = Render(Production);
        Assert.Equal(
            ["console", "coordinator", "execution", "reconciliation", "risk", "signal", "validation"],
            objects.Where(o => o["kind"]!.GetValue<string>() is "ScaledObject" or "HorizontalPodAutoscaler").Select(o => o["metadata"]!["name"]!.GetValue<string>()).Order(StringComparer.Ordinal));
        Assert.Contains(objects, o => o["kind"]!.GetValue<string>() == "Cluster");
        Assert.Contains(objects, o => o["kind"]!.GetValue<string>() == "RabbitmqCluster");
    }

    /// <summary>Prevents an autoscaler that never finds the broker: KEDA asks from its own namespace, where a bare name is nobody's.</summary>
    [Theory]
    [InlineData(OneNode, "postgres")]
    [InlineData(Production, "postgres-rw")]
    public void The_addresses_that_the_page_has_made_are_found_from_where_they_are_asked(string overlay, string store)
    {
        var said = Regex.Match(File.ReadAllText(Path.Combine(Folder, "README.md")), $@"^POSTGRES_HOST=(?<store>\S+) RABBITMQ_HOST=(?<bus>\S+) deploy/make-keys\.sh \S+ +# {overlay}$", RegexOptions.Multiline, TimeSpan.FromSeconds(1));
        Assert.True(said.Success);
        using var keys = new Keys(("POSTGRES_HOST", said.Groups["store"].Value), ("RABBITMQ_HOST", said.Groups["bus"].Value));
        var objects = Render(overlay);
        var space = objects.Single(o => o["kind"]!.GetValue<string>() == "Namespace")["metadata"]!["name"]!.GetValue<string>();
        var broker = objects.Single(o => o["kind"]!.GetValue<string>() == (overlay == Production ? "RabbitmqCluster" : "StatefulSet") && o["metadata"]!["name"]!.GetValue<string>() == "rabbitmq");
        Assert.Equal($"{broker["metadata"]!["name"]}.{space}.svc", new Uri(keys.Read("platform", "bus")).Host);
        Assert.StartsWith($"Host={store};", keys.Read("platform", "store"), StringComparison.Ordinal);
        Assert.Contains(objects, o => o["metadata"]!["name"]!.GetValue<string>() == (overlay == Production ? store[..^"-rw".Length] : store) && o["kind"]!.GetValue<string>() == (overlay == Production ? "Cluster" : "Service"));
    }

    [Fact]
    public void The_groups_of_the_database_are_the_stores_own() =>
        Assert.Equal(ManifestChecks.StoreRoles(), ManifestChecks.RolesMadeBy(File.ReadAllText(Path.Combine(Folder, "overlays", OneNode, "roles.sql"))));

    [Fact]
    public void It_says_that_no_cluster_has_run_them() =>
        Assert.Contains("not run on a cluster", File.ReadAllText(Path.Combine(Folder, "README.md")), StringComparison.Ordinal);

    [Theory]
    // What Kubernetes itself would refuse, or take for something else.
    [InlineData(OneNode, "Deployment/risk", "spec/replica", "2", "replica")]
    [InlineData(OneNode, "Deployment/risk", "apiVersion", "\"apps/v1beta1\"", "no kind that is known")]
    [InlineData(OneNode, "Deployment/risk", "metadata/name", "\"Risk\"", "no name of small letters")]
    [InlineData(OneNode, "Deployment/risk", "metadata/labels/antbot~1role", "\"ser vice\"", "no value of a label")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/resources/limits/memory", "\"512MB\"", "no quantity")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/resources/limits/cpu", "1", "a text is wanted")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/resources/requests", null, "requests")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/env/ANTBOT_SHUTDOWNSECONDS/value", "30", "value")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/ports/0/containerPort", "80800", "a port is")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/image", "\"antbot/Risk\"", "no image")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/imagePullPolicy", "\"Sometimes\"", "imagePullPolicy")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/livenessProbe/initialDelay", "5", "initialDelay")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/securityContext/readOnlyRootFileSystem", "true", "readOnlyRootFileSystem")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/terminationGracePeriodSeconds", "\"45s\"", "terminationGracePeriodSeconds")]
    [InlineData(OneNode, "Deployment/venue", "spec/strategy/type", "\"Recreated\"", "type")]
    [InlineData(OneNode, "NetworkPolicy/clients", "spec/podSelector/matchExpressions/0/operator", "\"Equals\"", "operator")]
    [InlineData(OneNode, "PersistentVolumeClaim/venue", "spec/accessModes/0", "\"ReadWriteSome\"", "accessModes")]
    [InlineData(Production, "ScaledObject/risk", "spec/minReplicas", "2", "minReplicas")]
    [InlineData(Production, "Cluster/postgres", "spec/instances", null, "instances")]
    [InlineData(Production, "RabbitmqCluster/rabbitmq", "spec/persistence/storage", "\"20 Gi\"", "no quantity")]
    // Confinement.
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/securityContext/readOnlyRootFilesystem", "false", "not confined")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/securityContext/allowPrivilegeEscalation", "true", "not confined")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/securityContext/capabilities/drop", "[]", "not confined")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/securityContext/runAsNonRoot", "false", "not confined")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/securityContext/seccompProfile/type", "\"Unconfined\"", "not confined")]
    [InlineData(OneNode, "StatefulSet/postgres", "spec/template/spec/securityContext/runAsUser", "0", "not confined")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/automountServiceAccountToken", "true", "token")]
    [InlineData(OneNode, "ServiceAccount/risk", "automountServiceAccountToken", null, "token")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/resources/requests/memory", "\"1Gi\"", "within its limits")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/volumes/platform/secret/defaultMode", "420", "others may read it")]
    // Secrets and data.
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/volumes/platform/secret/secretName", "\"antbot-platfrom\"", "not one of those that are made")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/env/ANTBOT_BUS_FILE/value", "\"/run/antbot/platform/buss\"", "no secret has")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/env/-", """{"name":"ANTBOT_HEALTHKEY","value":"letmein"}""", "secret in the open")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/volumeMounts/platform", null, "mounted nowhere")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/volumes/platform", null, "no volume platform")]
    [InlineData(OneNode, "StatefulSet/rabbitmq", "spec/template/spec/containers/0/volumeMounts/config/subPath", "\"rabbit.conf\"", "no rabbit.conf")]
    [InlineData(OneNode, "StatefulSet/postgres", "spec/template/spec/volumes/init/configMap/name", "\"init\"", "no config map init")]
    [InlineData(OneNode, "Deployment/venue", "spec/template/spec/volumes/data/persistentVolumeClaim/claimName", "\"journal\"", "no claim journal")]
    [InlineData(OneNode, "Deployment/signal", "spec/template/spec/volumes/recording/emptyDir/sizeLimit", "\"1Gi\"", "holds too little more")]
    [InlineData(OneNode, "Deployment/signal", "spec/template/spec/containers/0/env/-", """{"name":"ANTBOT_RECORDING__MEGABYTES","value":"4096"}""", "holds too little more")]
    [InlineData(OneNode, "Deployment/signal", "spec/template/spec/containers/0/volumeMounts/recording/mountPath", "\"/record\"", "cannot write its recording")]
    [InlineData(OneNode, "Deployment/venue", "spec/template/spec/volumes/data", """{"name":"data","emptyDir":{"sizeLimit":"5Gi"}}""", "is mounted in compose, and not here")]
    // What belongs together.
    [InlineData(OneNode, "Deployment/risk", "metadata/namespace", "\"default\"", "not in the namespace")]
    [InlineData(OneNode, "Deployment/risk", "spec/selector/matchLabels/app.kubernetes.io~1name", "\"risks\"", "does not match its own pods")]
    [InlineData(OneNode, "Deployment/risk", "spec/selector/matchLabels", """{"antbot/role":"service"}""", "matches the pods of")]
    [InlineData(OneNode, "Service/risk", "spec/selector/app.kubernetes.io~1name", "\"signal\"", "leads to signal")]
    [InlineData(OneNode, "Service/risk", "spec/selector/app.kubernetes.io~1name", "\"risks\"", "does not match the pods of one workload")]
    [InlineData(OneNode, "Service/risk", "spec/ports/0/targetPort", "\"web\"", "nobody listens on web")]
    [InlineData(OneNode, "Service/risk", "spec/ports/0/targetPort", "8081", "nobody listens on 8081")]
    [InlineData(OneNode, "StatefulSet/postgres", "spec/serviceName", "\"database\"", "no service database")]
    [InlineData(OneNode, "PodDisruptionBudget/risk", "spec/selector/matchLabels/app.kubernetes.io~1name", "\"risks\"", "not one disruption budget")]
    [InlineData(OneNode, "PodDisruptionBudget/risk", "spec/maxUnavailable", "0", "lets no node be emptied")]
    [InlineData(OneNode, "Deployment/venue", "spec/replicas", "2", "one venue")]
    [InlineData(OneNode, "Deployment/venue", "spec/strategy", null, "one venue")]
    [InlineData(OneNode, "Deployment/notary", "spec/replicas", "2", "one notary")]
    [InlineData(OneNode, "Deployment/notary", "spec/strategy", null, "one notary")]
    [InlineData(Production, "ScaledObject/risk", "spec/scaleTargetRef/name", "\"notary\"", "one notary")]
    [InlineData(OneNode, "Deployment/notary", "spec/template/spec/containers/0/args/4", "\"file:/data/checkpoints.jsonl\"", "arguments are not those")]
    [InlineData(OneNode, "Deployment/notary", "spec/template/spec/containers/0/readinessProbe/exec/command/3", "\"3600\"", "its readiness asks")]
    [InlineData(OneNode, "Deployment/notary", "spec/template/spec/volumes/key/secret/defaultMode", "420", "others may read it")]
    [InlineData(OneNode, "Deployment/notary", "spec/template/spec/volumes/data", """{"name":"data","emptyDir":{"sizeLimit":"1Gi"}}""", "is mounted in compose, and not here")]
    [InlineData(OneNode, "NetworkPolicy/to-store", "spec/podSelector/matchExpressions/0/values/2", null, "notary cannot reach postgres:5432")]
    [InlineData(OneNode, "Deployment/risk", "spec/replicas", "3", "autoscaler's to say")]
    [InlineData(OneNode, "Deployment/signal", "spec/template/spec/terminationGracePeriodSeconds", "30", "killed 30 s after")]
    [InlineData(OneNode, "Deployment/signal", "spec/template/spec/containers/0/lifecycle/preStop/exec/command/1", "\"20\"", "killed 45 s after")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/livenessProbe", null, "no liveness probe")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/livenessProbe/httpGet/port", "\"web\"", "asks where nobody listens")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/livenessProbe/httpGet", null, "liveness probe is not complete")]
    // The network.
    [InlineData(OneNode, "NetworkPolicy/nothing", "spec/policyTypes/1", null, "No policy denies everything")]
    [InlineData(OneNode, "NetworkPolicy/venue", "spec/podSelector/matchLabels/app.kubernetes.io~1name", "\"venues\"", "matches no pod")]
    [InlineData(OneNode, "NetworkPolicy/venue", "spec/ingress/0/from/0/podSelector/matchLabels/antbot~1trades", "\"yes\"", "matches no pod")]
    [InlineData(OneNode, "NetworkPolicy/venue", "spec/ingress/0/ports/0/port", "8081", "listens on 8081")]
    [InlineData(OneNode, "NetworkPolicy/to-venue", "spec/egress/0/ports/0/port", "8081", "cannot reach venue:8080")]
    [InlineData(OneNode, "NetworkPolicy/to-store", "spec/podSelector/matchExpressions/0/values/1", null, "schema cannot reach postgres:5432")]
    [InlineData(OneNode, "NetworkPolicy/to-bus", "spec", """{"podSelector":{},"policyTypes":["Egress"],"egress":[{}]}""", "which it does not need")]
    [InlineData(Production, "NetworkPolicy/store", "spec/podSelector/matchLabels/cnpg.io~1cluster", "\"antbot\"", "matches no pod")]
    [InlineData(Production, "NetworkPolicy/bus", "spec/ingress/0/ports/0/port", "5671", "listens on 5671")]
    // Scaling.
    [InlineData(Production, "ScaledObject/risk", "spec/triggers/0/metadata/queueName", "\"antbot-risks\"", "nobody declares a queue")]
    [InlineData(Production, "ScaledObject/risk", "spec/triggers/0/metadata/queueName", "\"antbot-execution\"", "another's queue")]
    [InlineData(Production, "ScaledObject/risk", "spec/triggers/0/metadata/queueName", null, "nobody declares a queue")]
    [InlineData(Production, "ScaledObject/risk", "spec/triggers/0/metadata/mode", "\"MessageRate\"", "queue's length")]
    [InlineData(Production, "ScaledObject/risk", "spec/triggers/0/metadata/value", "\"many\"", "is no target")]
    [InlineData(Production, "ScaledObject/risk", "spec/triggers/0/authenticationRef/name", "\"broker\"", "broker's address")]
    [InlineData(Production, "ScaledObject/risk", "spec/triggers/1", null, "queue and processor")]
    [InlineData(Production, "ScaledObject/risk", "spec/scaleTargetRef/name", "\"risks\"", "no deployment risks")]
    [InlineData(Production, "ScaledObject/risk", "spec/scaleTargetRef/name", "\"venue\"", "one venue")]
    [InlineData(Production, "ScaledObject/risk", "spec/maxReplicaCount", "1", "is no range")]
    [InlineData(Production, "ScaledObject/risk", "spec/fallback/replicas", "0", "fewer than at least")]
    [InlineData(Production, "TriggerAuthentication/bus", "spec/secretTargetRef/0/key", "\"address\"", "broker's address")]
    [InlineData(Production, "HorizontalPodAutoscaler/signal", "spec/scaleTargetRef/name", "\"console\"", "not one autoscaler")]
    [InlineData(Production, "HorizontalPodAutoscaler/signal", "spec/metrics/0/resource/name", "\"memory\"", "processor")]
    // The operators' clusters.
    [InlineData(Production, "Cluster/postgres", "spec/imageName", "\"ghcr.io/cloudnative-pg/postgresql:16\"", "another version")]
    [InlineData(Production, "Cluster/postgres", "spec/instances", "1", "lost with one machine")]
    [InlineData(Production, "Cluster/postgres", "spec/bootstrap/initdb/postInitApplicationSQL/1", null, "the store has")]
    [InlineData(Production, "Cluster/postgres", "spec/managed/roles/0/inRoles", "[\"antbot_reader\"]", "not in the groups")]
    [InlineData(Production, "Cluster/postgres", "spec/managed/roles/0/passwordSecret/name", "\"passwords\"", "nobody makes the secret")]
    [InlineData(Production, "RabbitmqCluster/rabbitmq", "spec/image", "\"rabbitmq:3-management\"", "not the image that compose has")]
    [InlineData(Production, "RabbitmqCluster/rabbitmq", "spec/replicas", "2", "no majority")]
    // Against compose.
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/image", "\"antbot/signal\"", "is antbot/risk in compose")]
    [InlineData(Production, "Deployment/risk", "spec/template/spec/containers/0/image", "\"antbot/risk:1\"", "is antbot/risk in compose")]
    [InlineData(OneNode, "StatefulSet/postgres", "spec/template/spec/containers/0/image", "\"postgres:16\"", "is postgres:17 in compose")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/env/ANTBOT_SHUTDOWNSECONDS/value", "\"20\"", "in compose '30'")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/env/ANTBOT_SHUTDOWNSECONDS", null, "is 'not set', in compose '30'")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/env/-", """{"name":"ANTBOT_PREFETCH","value":"5"}""", "in compose 'not set'")]
    [InlineData(OneNode, "Deployment/venue", "spec/template/spec/containers/0/args/1", "\"127.0.0.1\"", "arguments are not those")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/readinessProbe/httpGet/path", "\"/healthz\"", "its readiness asks")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/readinessProbe/periodSeconds", "60", "as often")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/startupProbe/failureThreshold", "5", "given the time")]
    [InlineData(OneNode, "StatefulSet/rabbitmq", "spec/template/spec/containers/0/readinessProbe/exec/command/2", "\"true\"", "its readiness asks")]
    [InlineData(OneNode, "Deployment/risk", "spec/template/spec/containers/0/resources/limits/memory", "\"256Mi\"", "limits are not those")]
    [InlineData(OneNode, "StatefulSet/postgres", "spec/template/spec/securityContext/runAsUser", "1000", "in compose as 999:999")]
    [InlineData(OneNode, "Deployment/signal", "spec/template/spec/containers/0/ports/0/containerPort", "8081", "the gate leads to its port 8080")]
    [InlineData(OneNode, "StatefulSet/postgres", "spec/template/spec/containers/0/volumeMounts/init/mountPath", "\"/init\"", "is mounted in compose, and not here")]
    [InlineData(OneNode, "Deployment/risk", "", null, "risk: compose has it, and here it is not")]
    public void Whatever_is_made_wrong_in_them_is_found(string overlay, string thing, string path, string? json, string named)
    {
        var objects = Render(overlay);
        var o = objects.Single(x => thing == $"{x["kind"]}/{x["metadata"]!["name"]}");
        if (path.Length == 0)
            objects.Remove(o);
        else
            Corruption.Apply(o, path, json);
        Assert.Contains(FaultsOf(objects), f => f.Contains(named, StringComparison.Ordinal));
    }

    [Fact]
    public void The_same_thing_twice_is_found()
    {
        var objects = Render(OneNode);
        objects.Add((JsonObject)objects.Single(o => $"{o["kind"]}/{o["metadata"]!["name"]}" == "Service/risk").DeepClone());
        Assert.Contains(FaultsOf(objects), f => f.Contains("is there 2 times", StringComparison.Ordinal));
    }

    /// <summary>What kustomize would make of it is not known to the renderer, so nothing that it renders may be believed.</summary>
    [Theory]
    [InlineData("namePrefix: x-", "'namePrefix'")]
    [InlineData("patches: [{path: p.yaml}]", "without a target")]
    [InlineData("patches: [{path: p.yaml, target: {kind: Deployment, group: apps}}]", "'group'")]
    [InlineData("patches: [{path: p.yaml, target: {kind: Deployment, name: nobody}}]", "target is not there")]
    [InlineData("patches: [{path: list.yaml, target: {kind: Deployment}}]", "lists called 'strangers'")]
    [InlineData("patches: [{path: directive.yaml, target: {kind: Deployment}}]", "'$patch'")]
    [InlineData("patches: [{patch: '[{op: test, path: /kind, value: x}]', target: {kind: Deployment}}]", "not known to this renderer")]
    [InlineData("patches: [{patch: '[{op: replace, path: /spec/nothing, value: x}]', target: {kind: Deployment}}]", "cannot be applied")]
    [InlineData("configMapGenerator: [{name: x, files: [p.yaml]}]", "hash")]
    [InlineData("labels: [{pairs: {a: b}, includeSelectors: true}]", "'includeSelectors'")]
    public void What_the_renderer_does_not_know_is_refused(string field, string named)
    {
        var folder = Directory.CreateTempSubdirectory("antbot-kustomize-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "d.yaml"), "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {strangers: [1], template: {metadata: {}}}}");
            File.WriteAllText(Path.Combine(folder, "p.yaml"), "{apiVersion: apps/v1, kind: Deployment, metadata: {name: any}}");
            File.WriteAllText(Path.Combine(folder, "list.yaml"), "{apiVersion: apps/v1, kind: Deployment, metadata: {name: any}, spec: {strangers: [2]}}");
            File.WriteAllText(Path.Combine(folder, "directive.yaml"), "{apiVersion: apps/v1, kind: Deployment, metadata: {name: any}, spec: {$patch: delete}}");
            File.WriteAllText(Path.Combine(folder, "kustomization.yaml"), $"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [d.yaml]\n{field}\n");
            Assert.Contains(named, Assert.Throws<FormatException>(() => Kustomize.Render(folder)).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Patches_are_merged_by_name_and_by_operation()
    {
        var folder = Directory.CreateTempSubdirectory("antbot-kustomize-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "d.yaml"), "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, labels: {a: '1'}}, spec: {template: {spec: {containers: [{name: x, args: [a, b], env: [{name: P, value: '1'}, {name: Q, value: '2'}]}]}}}}");
            File.WriteAllText(Path.Combine(folder, "p.yaml"), "{apiVersion: apps/v1, kind: Deployment, metadata: {name: any}, spec: {template: {spec: {containers: [{name: x, args: [c], image: i, env: [{name: Q, value: '3'}, {name: R, value: '4'}]}]}}}}");
            File.WriteAllText(
                Path.Combine(folder, "kustomization.yaml"),
                """
                apiVersion: kustomize.config.k8s.io/v1beta1
                kind: Kustomization
                namespace: ns
                labels: [{pairs: {part: whole}, includeTemplates: true}]
                resources: [d.yaml]
                patches:
                  - {path: p.yaml, target: {kind: Deployment, labelSelector: a=1}}
                  - {patch: '[{op: add, path: /metadata/labels/b~1c, value: "2"}, {op: remove, path: /metadata/labels/a}]', target: {name: d.*}}
                """);
            var expected = Yaml.Read(
                """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: d, namespace: ns, labels: {b/c: "2", part: whole}}
                spec:
                  template:
                    metadata: {labels: {part: whole}}
                    spec: {containers: [{name: x, args: [c], image: i, env: [{name: R, value: "4"}, {name: P, value: "1"}, {name: Q, value: "3"}]}]}
                """).Single();
            var rendered = Kustomize.Render(folder).Single();
            Assert.True(JsonNode.DeepEquals(expected, rendered), rendered.ToJsonString());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("a: yes")]
    [InlineData("a: 0440")]
    [InlineData("a: 1_000")]
    [InlineData("a: 1\na: 2")]
    public void Yaml_that_two_readers_read_differently_is_refused(string text) => Assert.ThrowsAny<Exception>(() => Yaml.Read(text));

    private static string Folder => Path.Combine(RepositoryFolder.Root, "deploy", "k8s");

    private List<JsonObject> Render(string overlay) => files.Render(overlay);

    private IReadOnlyList<string> FaultsOf(IReadOnlyList<JsonObject> objects) => ManifestChecks.Faults(objects, ComposeFile.Read(files.Compose()), files.Keys);
}
