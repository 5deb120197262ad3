// Holds manifests, a JSON array on the standard input, to the schemas that Kubernetes and two operators publish, and prints what they find wrong, a line each.
// Each package publishes one family of API groups; a core kind has no group in its path.
const families = [
  [/^(v1|[a-z]+\/v[0-9a-z]+|[a-z.]+\.k8s\.io\/v[0-9a-z]+)$/, "kubernetes-models"],
  [/^keda\.sh\//, "@kubernetes-models/keda"],
  [/^postgresql\.cnpg\.io\//, "@kubernetes-models/cloudnative-pg"],
];

// Whose operator publishes no such package.
const unpublished = new Set(["rabbitmq.com/v1beta1"]);

async function kindOf(object) {
  const family = families.find(([pattern]) => pattern.test(object.apiVersion));
  if (family === undefined) return undefined;
  return (await import(`${family[1]}/${object.apiVersion}`))[object.kind];
}

let text = "";
for await (const part of process.stdin) text += part;
let checked = 0;
for (const object of JSON.parse(text)) {
  const name = `${object.kind}/${object.metadata.name}`;
  if (unpublished.has(object.apiVersion)) continue;
  try {
    const Kind = await kindOf(object);
    if (Kind === undefined) {
      console.log(`${name}: no schema is known for ${object.apiVersion}`);
      continue;
    }
    new Kind(object).validate();
    checked++;
  } catch (error) {
    console.log(`${name}: ${error.message.split("\n").join(" ")}`);
  }
}
console.error(`${checked} held to their schemas`);
