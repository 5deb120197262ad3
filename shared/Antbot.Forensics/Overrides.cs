using System.Text.Json;
using System.Text.Json.Nodes;
using Antbot.Contracts.Events;
using Antbot.Execution;
using Antbot.Risk.Core;
using Antbot.Runtime.Store;
using Antbot.Validation.Core;

namespace Antbot.Forensics;

/// <summary>
/// Settings as if they had been others: what is named takes the place of what was recorded, the rest stays as it was with each decision.
/// The members are called as in the events.
/// </summary>
public sealed class Overrides
{
    private const int BytesMax = 64 * 1024;
    private const string Risk = "Risk";
    private const string Validation = "Validation";
    private const string Execution = "Execution";

    /// <summary>Only whether the members fit is tried with it.</summary>
    private static readonly ExecutionPolicy AnyPolicy = new(0.02m, null, null, null, 3, 0.01m, 0.01m, 10, 1_000);

    private readonly JsonObject? _risk;
    private readonly JsonObject? _validation;
    private readonly JsonObject? _execution;

    private Overrides(JsonObject? risk, JsonObject? validation, JsonObject? execution) => (_risk, _validation, _execution) = (risk, validation, execution);

    public static Overrides None { get; } = new(null, null, null);

    public bool Any => this != None;

    /// <exception cref="FormatException">It is not what can be put in place of settings; the message says what and where.</exception>
    public static Overrides Parse(ReadOnlySpan<byte> json)
    {
        if (json.Length > BytesMax)
            throw new FormatException($"Settings have at most {BytesMax} bytes; these have {json.Length}.");
        JsonObject all;
        try
        {
            all = JsonNode.Parse(json, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 8 }) as JsonObject ?? throw new FormatException("Settings are a JSON object.");
        }
        catch (JsonException e)
        {
            throw new FormatException($"They are not JSON: {e.Message}", e);
        }
        if (all.FirstOrDefault(p => p.Key is not (Risk or Validation or Execution)).Key is { } unknown)
            throw new FormatException($"'{unknown}' is none of {Risk}, {Validation} and {Execution}.");
        var (risk, validation, execution) = (Part(all, Risk), Part(all, Validation), Part(all, Execution));
        if (risk is null && validation is null && execution is null)
            throw new FormatException($"They name nothing; {{\"{Risk}\": {{\"{nameof(RiskLimits.OrderNotionalMax)}\": 250}}}} would.");
        Try(Risk, RiskLimits.Default, risk);
        Try(Validation, ValidationLimits.Default, validation);
        Try(Execution, AnyPolicy, execution);
        return new Overrides(risk, validation, execution);
    }

    public RiskLimits Of(RiskLimits recorded) => With(recorded, _risk);

    public ValidationLimits Of(ValidationLimits recorded) => With(recorded, _validation);

    /// <summary>What a plan was made with is what follows from it is decided with.</summary>
    public OrdersState Of(OrdersState state) => _execution is null || state is not { Plan: { } plan } ? state : state with { Plan = plan with { Policy = With(plan.Policy, _execution) } };

    public ExecutionInput Of(ExecutionInput input) => _execution is null ? input : input switch
    {
        Enter i => i with { Policy = With(i.Policy, _execution) },
        Adopt i => i with { Policy = With(i.Policy, _execution) },
        _ => input,
    };

    /// <summary>An event without what it only repeats of the settings and what was said of them: under other settings that differs in every decision, whatever is decided.</summary>
    internal static object WithoutSettings(object @event) => @event switch
    {
        ExposureReserved e => e with { Limits = RiskLimits.Default, Sight = Blind, Verdicts = [] },
        RiskDeniedRecorded e => e with { Limits = RiskLimits.Default, Sight = Blind, Verdicts = [] },
        SignalValidatedRecorded e => e with { Limits = ValidationLimits.Default, ForgetBefore = default, Verdicts = [] },
        SignalRejectedRecorded e => e with { Limits = ValidationLimits.Default, Verdicts = [] },
        EntryPlanned e => e with { Policy = AnyPolicy },
        OrderInput e => e with { Policy = null },
        _ => @event,
    };

    private static RiskSight Blind { get; } = new(0, 0, 0, default, 0, 0);

    private static JsonObject? Part(JsonObject all, string name) => all[name] switch
    {
        null => null,
        JsonObject { Count: > 0 } part => part,
        _ => throw new FormatException($"{name} is an object with at least one setting."),
    };

    private static void Try<T>(string name, T settings, JsonObject? changes)
    {
        if (changes is null)
            return;
        var known = JsonSerializer.SerializeToNode(settings, EventCodec.Json)!.AsObject().Select(p => p.Key).Concat(typeof(T).GetProperties().Where(p => p.CanWrite).Select(p => p.Name)).ToHashSet(StringComparer.Ordinal);
        if (changes.FirstOrDefault(c => !known.Contains(c.Key)).Key is { } unknown)
            throw new FormatException($"{name} has no setting '{unknown}': {string.Join(", ", known.Order(StringComparer.Ordinal))} are.");
        try
        {
            _ = With(settings, changes);
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            throw new FormatException($"{name}: {e.Message}", e);
        }
    }

    private static T With<T>(T recorded, JsonObject? changes)
    {
        if (changes is null)
            return recorded;
        var merged = JsonSerializer.SerializeToNode(recorded, EventCodec.Json)!.AsObject();
        foreach (var (name, value) in changes)
            merged[name] = value?.DeepClone();
        return merged.Deserialize<T>(EventCodec.Json)!;
    }
}
