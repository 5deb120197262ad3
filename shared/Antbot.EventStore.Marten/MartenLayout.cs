using Antbot.Runtime.Store;
using JasperFx;
using JasperFx.Events;
using Marten;
using Weasel.Core;

namespace Antbot.EventStore.Marten;

/// <summary>What a Marten must be told to read, write and keep the store's tables as they are.</summary>
public static class MartenLayout
{
    /// <summary>
    /// With <see cref="AutoCreate.None"/> it runs with a writer's rights and leaves the schema to <c>PostgresSchema</c>. With
    /// <see cref="AutoCreate.CreateOrUpdate"/> it adds its functions, its document tables and the daemon's columns.
    /// </summary>
    public static DocumentStore Open(string connectionString, AutoCreate schema, Action<StoreOptions>? more = null) => DocumentStore.For(options =>
    {
        options.Connection(connectionString);
        options.AutoCreateSchemaObjects = schema;
        Apply(options);
        more?.Invoke(options);
    });

    public static void Apply(StoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.UseSystemTextJsonForSerialization(EnumStorage.AsInteger, Casing.Default);
        var events = options.Events;
        events.StreamIdentity = StreamIdentity.AsString;
        // The quick modes append through a function of Marten's own, which differs from release to release; this one needs the tables only.
        events.AppendMode = EventAppendMode.Rich;
        events.UseMandatoryStreamTypeDeclaration = false;
        events.MetadataConfig.CorrelationIdEnabled = true;
        events.MetadataConfig.CausationIdEnabled = true;
        events.MetadataConfig.HeadersEnabled = true;
        events.MetadataConfig.UserNameEnabled = true;
    }

    /// <summary>Gives Marten the classes behind the stored names, for reading and projecting.</summary>
    public static void Map(StoreOptions options, EventRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(registry);
        foreach (var (name, type) in registry.Types)
            options.Events.MapEventType(type, name);
    }
}
