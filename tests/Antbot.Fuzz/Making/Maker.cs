using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;

namespace Antbot.Fuzz.Making;

/// <summary>
/// Makes values of any contract's type: mostly such as occur, of few trades and orders so that they meet one another, and now and
/// then the outermost that the type allows.
/// </summary>
public sealed class Maker(Random random)
{
    private const int TriesMax = 200;

    private static readonly DateTimeOffset Base = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TradeId[] Trades = [.. Enumerable.Range(1, 2).Select(i => new TradeId(new Guid(i, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8])))];
    private static readonly ConcurrentDictionary<Type, Type[]> Kinds = new();
    private static readonly NullabilityInfoContext Nullability = new();

    private static readonly decimal[] Numbers =
        [0, 0, 1, 1, 2, 3, 10, 50, 100, 0.5m, 0.7m, 0.1m, 0.00000001m, 65_000, 65_000.01m, -1, -0.5m, 100_000, 1_000_000_000, 1_000_000_000_000_000, decimal.MaxValue, decimal.MinValue, 0.0000000000000000000000000001m];

    private static readonly string[] Texts = ["", " ", "a", "BTCUSDT", "BTC", "USDT", "main", "strategy:ema-cross", "e0", "1", "no reason", "\u0000", "ü€😀", new string('x', 300), new string('y', 5_000), "2026-01-01T00:00:00Z", "{}"];

    /// <summary>Whether only what occurs is made.</summary>
    public bool IsTame { get; init; }

    public T Make<T>() => (T)Make(typeof(T))!;

    public object? Make(Type type) => Make(type, depth: 0);

    private object? Make(Type type, int depth)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner)
            return random.Next(3) == 0 ? null : Make(inner, depth);
        return Simple(type) ?? Sequence(type, depth) ?? Composite(type, depth);
    }

    private object? Simple(Type type)
    {
        if (type == typeof(string))
            return Texts[random.Next(IsTame ? 11 : Texts.Length)];
        if (type == typeof(bool))
            return random.Next(2) == 0;
        if (type == typeof(byte))
            return (byte)random.Next(256);
        if (type == typeof(int))
            return random.Next(10) == 0 && !IsTame ? Pick(int.MaxValue, int.MinValue, -1) : random.Next(4);
        if (type == typeof(long))
            return random.Next(10) == 0 && !IsTame ? Pick(long.MaxValue, long.MinValue, -1) : random.NextInt64(6);
        if (type == typeof(decimal))
            return Numbers[random.Next(IsTame ? 15 : Numbers.Length)];
        if (type == typeof(Guid))
            return Trades[random.Next(Trades.Length)].Guid;
        if (type == typeof(DateTimeOffset))
            return random.Next(12) == 0 && !IsTame ? Pick(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, DateTimeOffset.UnixEpoch) : Base.AddMilliseconds(random.Next(0, 120_000));
        if (type == typeof(DateOnly))
            return DateOnly.FromDateTime(Make<DateTimeOffset>().UtcDateTime);
        if (type == typeof(TimeSpan))
            return random.Next(12) == 0 && !IsTame ? Pick(TimeSpan.MaxValue, TimeSpan.MinValue, TimeSpan.Zero) : TimeSpan.FromMilliseconds(random.Next(0, 60_000));
        if (type == typeof(TradeId))
            return Trades[random.Next(Trades.Length)];
        if (type == typeof(AccountId))
            return new AccountId(random.Next(8) == 0 ? "other" : "main");
        if (type == typeof(Symbol))
            return new Symbol(Pick("BTCUSDT", "BTCUSDT", "ETHUSDT", "XRPUSDT"));
        if (type == typeof(ClientOrderId))
            return random.Next(10) == 0 ? new ClientOrderId("somebody-elses") : ClientOrderId.Of(Trades[random.Next(Trades.Length)], Pick(OrderRole.Entry, OrderRole.Stop, OrderRole.Exit), random.Next(3));
        if (type.IsEnum)
            return Enum.GetValues(type).GetValue(random.Next(Enum.GetValues(type).Length));
        // Two that an edge has looked at before anybody decides on them: the venue's adapter, and the check of the settings.
        if (type == typeof(SymbolRules))
            return new SymbolRules(Make<Symbol>(), "BTC", "USDT", Pick(0.01m, 0.00001m, 1, 0.0000000000000001m, 1_000_000_000_000), Pick(0.00001m, 1, 0.1m, 0.0000000000000001m, 1_000_000_000_000), Make<Quantity>(), Make<Quantity>(), Make<Money>());
        if (type == typeof(ExecutionPolicy))
            return new ExecutionPolicy(Pick(0, 0.02m, 0.5m), Pick<decimal?>(null, 0.01m, 0.5m), Pick<decimal?>(null, 0.04m, 0.9m), Pick<int?>(null, 1, 31_536_000), random.Next(1, 11), Pick(0, 0.005m, 0.1m), Pick(0.0001m, 0.02m, 0.5m), random.Next(1, 301), random.Next(100, 30_001), Pick<bool?>(null, false, true), Pick<bool?>(null, false, true));
        return null;
    }

    private object? Sequence(Type type, int depth)
    {
        if (type.IsArray)
            return Array(type.GetElementType()!, depth);
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ImmutableList<>))
            return type.GetMethod(nameof(ImmutableList<int>.AddRange))!.Invoke(type.GetField(nameof(ImmutableList<int>.Empty))!.GetValue(null), [Array(type.GetGenericArguments()[0], depth)]);
        if (!type.IsGenericType || !type.IsInterface)
            return null;
        var arguments = type.GetGenericArguments();
        var items = Array(arguments[0], depth);
        if (arguments.Length == 1)
        {
            var set = typeof(HashSet<>).MakeGenericType(arguments);
            return type.IsAssignableFrom(items.GetType()) ? items : type.IsAssignableFrom(set) ? Activator.CreateInstance(set, items) : null;
        }
        var dictionary = (System.Collections.IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(arguments))!;
        foreach (var key in items)
            dictionary[key] = Make(arguments[1], depth + 1);
        return dictionary;
    }

    private Array Array(Type element, int depth)
    {
        var array = System.Array.CreateInstance(element, depth > 4 ? 0 : random.Next(4));
        for (var i = 0; i < array.Length; i++)
            array.SetValue(Make(element, depth + 1), i);
        return array;
    }

    /// <summary>By its widest constructor. What refuses what it is given is given something else.</summary>
    private object Composite(Type type, int depth)
    {
        var kinds = Kinds.GetOrAdd(type, KindsOf);
        for (var tries = 1; ; tries++)
        {
            var kind = kinds[random.Next(kinds.Length)];
            var constructor = kind.GetConstructors().Where(c => c.GetParameters() is not [{ } only] || only.ParameterType != kind).MaxBy(c => c.GetParameters().Length)
                ?? throw new InvalidOperationException($"{kind} has no public constructor: say here how one is made.");
            try
            {
                return constructor.Invoke([.. constructor.GetParameters().Select(p => Argument(p, depth))]);
            }
            catch (TargetInvocationException e) when (e.InnerException is ArgumentException && tries < TriesMax)
            {
                // Out of its bounds.
            }
        }
    }

    private object? Argument(ParameterInfo parameter, int depth)
    {
        if (!parameter.ParameterType.IsValueType && random.Next(3) == 0)
        {
            lock (Nullability)
            {
                if (Nullability.Create(parameter).WriteState == NullabilityState.Nullable)
                    return null;
            }
        }
        return Make(parameter.ParameterType, depth + 1);
    }

    private static Type[] KindsOf(Type type)
    {
        if (!type.IsAbstract)
            return [type];
        var open = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        var kinds = open.Assembly.GetTypes().Where(t => !t.IsAbstract && IsKindOf(t, open)).Select(t => t.ContainsGenericParameters ? t.MakeGenericType(type.GetGenericArguments()) : t).ToArray();
        return kinds.Length > 0 ? kinds : throw new InvalidOperationException($"There is no kind of {type}.");
    }

    private static bool IsKindOf(Type type, Type open)
    {
        if (open is { IsInterface: true, IsGenericType: false })
            return open.IsAssignableFrom(type);
        for (var b = type.BaseType; b is not null; b = b.BaseType)
        {
            if ((b.IsGenericType ? b.GetGenericTypeDefinition() : b) == open)
                return true;
        }
        return false;
    }

    private T Pick<T>(params ReadOnlySpan<T> of) => of[random.Next(of.Length)];
}
