using System.Reflection;
using System.Text;
using Antbot.Fuzz.Making;
using Antbot.Runtime.Store;

namespace Antbot.Fuzz.Targets;

/// <summary>A stored body, as somebody may have changed it.</summary>
public sealed class EventTarget(string name, Type type) : IFuzzTarget
{
    private static readonly EventRegistry Registry = EventRegistry.From(ServiceAssemblies());
    private static readonly EventCodec Codec = new(Registry);

    public static IEnumerable<IFuzzTarget> All => Registry.Types.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => new EventTarget(t.Key, t.Value));

    public string Name => $"event:{name}";

    public string What => $"{type.Name}, as it stands in the store";

    public int Cases => 100_000;

    public FuzzOutcome Try(Random random)
    {
        var good = Codec.Encode(new Maker(random).Make(type)!);
        var body = Mutator.Spoil(Encoding.UTF8.GetString(good.Data.Span), random);
        var stored = Stored(name, body);
        object taken;
        try
        {
            taken = Codec.Decode(stored);
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Undecodable)
        {
            return e.Message.Length > 0 ? FuzzOutcome.Refused : throw new FuzzException("It was refused without a reason.");
        }
        Defined.Check(taken);
        var written = Codec.Encode(taken);
        var again = Codec.Encode(Codec.Decode(Stored(name, written.Data)));
        return written.Data.Span.SequenceEqual(again.Data.Span) ? FuzzOutcome.Taken : throw new FuzzException($"It was taken for {Encoding.UTF8.GetString(written.Data.Span)}, which is read as {Encoding.UTF8.GetString(again.Data.Span)}.");
    }

    internal static StoredEvent Stored(string name, ReadOnlyMemory<byte> body) => new()
    {
        Sequence = 1, Position = 1, EventId = new Guid(1, 0, 0, new byte[8]), Stream = "fuzz-1", Version = 1, Type = name, ClrType = null, Data = body, Timestamp = DateTimeOffset.UnixEpoch,
    };

    internal static IEnumerable<Assembly> ServiceAssemblies() => Directory.EnumerateFiles(AppContext.BaseDirectory, "Antbot.*.dll")
        .Select(f => Path.GetFileNameWithoutExtension(f)).Where(n => n is "Antbot.Contracts" or "Antbot.Kernel" or "Antbot.Runtime" or "Antbot.Hosting" || n.EndsWith(".Core", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal).Select(n => Assembly.Load(new AssemblyName(n)));
}
