namespace Antbot.Contracts.Events;

/// <summary>
/// The name an event is stored under, for ever. It stands beside the class so that renaming the class does not rename history;
/// a changed shape gets a new name (<c>order_filled_v2</c>) and an upcaster from the old one.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class StoredNameAttribute(string name) : Attribute
{
    public string Name { get; } = name;

    public static string Of(Type type) => ((StoredNameAttribute)type.GetCustomAttributes(typeof(StoredNameAttribute), inherit: false)[0]).Name;
}
