using System.Collections;

namespace Antbot.Fuzz.Making;

/// <summary>That nothing without a name has come through: an enum takes any number that nobody has looked at.</summary>
internal static class Defined
{
    public static void Check(object? value)
    {
        switch (value)
        {
            case null or string:
                break;
            case Enum e when !Enum.IsDefined(e.GetType(), e):
                throw new FuzzException($"{e} was taken for a {e.GetType().Name}.");
            case IEnumerable many:
                foreach (var item in many)
                    Check(item);
                break;
            default:
                // What is not ours holds nothing that was read from outside.
                foreach (var property in value.GetType().GetProperties().Where(p => p.GetIndexParameters().Length == 0 && !p.GetMethod!.IsStatic && (p.PropertyType.IsEnum || IsOurs(p.PropertyType) || typeof(IEnumerable).IsAssignableFrom(p.PropertyType))))
                    Check(property.GetValue(value));
                break;
        }
    }

    private static bool IsOurs(Type type) => !type.IsValueType && type.Namespace?.StartsWith("Antbot.", StringComparison.Ordinal) == true;
}
