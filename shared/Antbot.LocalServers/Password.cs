using System.Security.Cryptography;
using Antbot.LocalServers.Processes;

namespace Antbot.LocalServers;

/// <summary>A random password that lives in a file only its users can read, never in a log or on a command line.</summary>
internal static class Password
{
    private const int Length = 32;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The instance's password: the one it was created with, when its folder is kept.</summary>
    public static string OfInstance(InstanceFolder folder, UnprivilegedUser user)
    {
        var file = folder.In("password");
        if (File.Exists(file))
            return File.ReadAllText(file);
        var password = New();
        WriteSecret(file, password);
        user.Give(file, OwnerOnly);
        return password;
    }

    public static string New() => RandomNumberGenerator.GetHexString(Length, lowercase: true);

    /// <summary>The file has its narrow mode before it has its content.</summary>
    public static void WriteSecret(string path, string content)
    {
        File.Delete(path);
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        using var writer = new StreamWriter(file);
        writer.Write(content);
    }
}
