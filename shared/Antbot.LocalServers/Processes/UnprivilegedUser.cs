using System.Globalization;

namespace Antbot.LocalServers.Processes;

/// <summary>Whom a server runs as: ourselves, or, when we are root, a user without privileges.</summary>
internal sealed class UnprivilegedUser
{
    private static readonly TimeSpan IdLimit = TimeSpan.FromSeconds(10);
    private readonly string? _name;
    private readonly uint _user;
    private readonly uint _group;

    private UnprivilegedUser(string? name, uint user, uint group) => (_name, _user, _group) = (name, user, group);

    public static UnprivilegedUser Self { get; } = new(name: null, Native.UserId, Native.GroupId);

    public uint UserId => _user;

    public uint GroupId => _group;

    public static async Task<UnprivilegedUser> FindAsync(string preferred, CancellationToken cancellationToken)
    {
        if (!Native.IsRoot)
            return Self;
        foreach (var name in new[] { preferred, "nobody" })
        {
            var user = await IdAsync("-u", name, cancellationToken);
            var group = await IdAsync("-g", name, cancellationToken);
            if (user is > 0 && group is not null)
                return new UnprivilegedUser(name, user.Value, group.Value);
        }

        throw new ServerException(
            $"We are root, which database servers refuse, and there is neither a user '{preferred}' nor 'nobody' to run as. "
            + $"Add one (useradd --system {preferred}) or start this as another user.");
    }

    /// <summary>The command that runs the given one as this user.</summary>
    public IReadOnlyList<string> Command(params IReadOnlyList<string> command)
    {
        if (_name is null)
            return command;
        if (HostView.Machine.OnPath("setpriv") is { } setpriv)
            return [setpriv, $"--reuid={_user}", $"--regid={_group}", "--clear-groups", "--", .. command];
        if (HostView.Machine.OnPath("runuser") is { } runuser)
            return [runuser, "-u", _name, "--", .. command];
        if (HostView.Machine.OnPath("su") is { } su)
            return [su, "-s", "/bin/sh", _name, "-c", "exec \"$0\" \"$@\"", "--", .. command];
        throw new ServerException("We are root, and none of setpriv, runuser and su is here to start a server as another user. Install util-linux.");
    }

    /// <summary>What root puts before a command to run it as this user.</summary>
    public IReadOnlyList<string> BecomeAsRoot() => ["setpriv", $"--reuid={_user}", $"--regid={_group}", "--clear-groups", "--"];

    /// <summary>Makes the folder, or the existing file, this user's own.</summary>
    public void Give(string path, UnixFileMode mode)
    {
        if (!File.Exists(path))
            Directory.CreateDirectory(path);
        if (_name is not null)
            Native.ChangeOwner(path, _user, _group);
        File.SetUnixFileMode(path, mode);
    }

    private static async Task<uint?> IdAsync(string what, string name, CancellationToken cancellationToken)
    {
        var result = await ShortCommand.RunAsync(["id", what, name], IdLimit, cancellationToken: cancellationToken);
        return result.Succeeded && uint.TryParse(result.Output.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;
    }
}
