using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using Antbot.ConsoleService.Access;
using Antbot.Hosting;
using Antbot.ReadModels;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Antbot.ConsoleService;

/// <summary>The API's own description, made of the routes that there are: what is not in it does not exist, and the other way round.</summary>
internal sealed class OpenApi(EndpointDataSource endpoints)
{
    private const string Schemas = "#/components/schemas/";

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGuarded<OpenApi>(new ApiRoute("GET", "/api/openapi.json", Role.Viewer, "This description, in OpenAPI 3.1."), (r, c) => Api.AnswerAsync(c, r.Describe()));

    public JsonObject Describe()
    {
        var routes = endpoints.Endpoints.Select(e => e.Metadata.GetMetadata<ApiRoute>()).OfType<ApiRoute>().ToList();
        var schemas = new SortedDictionary<string, JsonNode>(StringComparer.Ordinal);
        foreach (var type in routes.SelectMany(r => new[] { r.Body, r.Answer }).OfType<Type>().Append(typeof(ApiError)))
            schemas.TryAdd(NameOf(type), SchemaOf(type));
        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = "Antbot, the operators' API", ["version"] = ProcessLife.Build },
            ["security"] = new JsonArray(new JsonObject { ["token"] = new JsonArray() }),
            ["paths"] = new JsonObject(routes.GroupBy(r => r.Pattern, StringComparer.Ordinal).OrderBy(p => p.Key, StringComparer.Ordinal)
                .Select(p => KeyValuePair.Create(p.Key, (JsonNode?)new JsonObject(p.Select(r => KeyValuePair.Create(r.Method.ToLowerInvariant(), (JsonNode?)Operation(r))))))),
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject { ["token"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" } },
                ["schemas"] = new JsonObject(schemas.Select(s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value))),
            },
        };
    }

    private static JsonObject Operation(ApiRoute route)
    {
        var operation = new JsonObject { ["summary"] = route.Summary, ["description"] = $"Takes the token of a {route.Role}.", ["x-antbot-role"] = route.Role.ToString() };
        var inPath = RoutePatternOf(route.Pattern).Select(n => Parameter(n, "path", "", isNeeded: true));
        var parameters = inPath.Concat(route.Query.Select(q => Parameter(q.Name, "query", q.What, isNeeded: false))).ToList();
        if (route.Method == "POST")
            parameters.Add(Parameter("Idempotency-Key", "header", "8 to 100 visible ASCII characters: who repeats a request under the same key has it done once", isNeeded: false));
        if (parameters.Count > 0)
            operation["parameters"] = new JsonArray([.. parameters]);
        if (route.Body is not null)
            operation["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Content("application/json", route.Body) };
        var done = new JsonObject { ["description"] = "Done." };
        if (route.Answer is not null)
            done["content"] = Content(route.ContentType, route.Answer);
        operation["responses"] = new JsonObject
        {
            [route.Status.ToString(System.Globalization.CultureInfo.InvariantCulture)] = done,
            ["default"] = new JsonObject { ["description"] = "Refused, or it failed: what, and why.", ["content"] = Content("application/json", typeof(ApiError)) },
        };
        return operation;
    }

    private static IEnumerable<string> RoutePatternOf(string pattern) => pattern.Split('/').Where(p => p.StartsWith('{')).Select(p => p.Trim('{', '}'));

    private static JsonObject Parameter(string name, string where, string what, bool isNeeded) =>
        new() { ["name"] = name, ["in"] = where, ["required"] = isNeeded, ["description"] = what, ["schema"] = new JsonObject { ["type"] = "string" } };

    private static JsonObject Content(string type, Type schema) => new() { [type] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = Schemas + NameOf(schema) } } };

    private static string NameOf(Type type) => type.IsGenericType ? $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}Of{string.Concat(type.GetGenericArguments().Select(NameOf))}" : type.Name;

    private static JsonNode SchemaOf(Type type)
    {
        var schema = ReadModelJson.Options.GetJsonSchemaAsNode(type, new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true });
        Rebase(schema, Schemas + NameOf(type));
        return schema;
    }

    /// <summary>A reference within a type's own schema begins at the schema; here that lies deeper.</summary>
    private static void Rebase(JsonNode? node, string root)
    {
        if (node is JsonArray list)
        {
            foreach (var element in list)
                Rebase(element, root);
        }
        if (node is not JsonObject o)
            return;
        if (o["$ref"] is JsonValue reference && reference.GetValue<string>() is var to && to.StartsWith('#'))
            o["$ref"] = root + to[1..];
        foreach (var (_, value) in o)
            Rebase(value, root);
    }
}
