using System.Globalization;
using Antbot.LocalServers.Processes;

namespace Antbot.LocalServers;

/// <summary>A disk of a few megabytes: what a full disk is, without filling one. It ends with its owner, as a server does.</summary>
public sealed class SmallDisk : IAsyncDisposable
{
    private const string Name = "small-disk";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    // The disk in /dev/shm waits two minutes for another one there.
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(150);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(10);
    private readonly Guardian _guardian;
    private readonly InstanceFolder? _owned;

    private SmallDisk(Guardian guardian, InstanceFolder? owned, string folder, string folderInside, IReadOnlyList<string> wrapper) =>
        (_guardian, GuardianPid, _owned, Folder, FolderInside, Wrapper) = (guardian, guardian.ProcessId, owned, folder, folderInside, wrapper);

    /// <summary>Where processes of its user reach it. It may lead through a link of the kernel's that programs must not resolve themselves.</summary>
    public string Folder { get; }

    /// <summary>What to put before a command so that it reaches the disk under <see cref="FolderInside"/>, a path without links.</summary>
    public IReadOnlyList<string> Wrapper { get; }

    public string FolderInside { get; }

    internal int GuardianPid { get; }

    public static async Task<SmallDisk> CreateAsync(int megabytes, CancellationToken cancellationToken = default)
    {
        var folder = await InstanceFolder.OpenAsync("disk", keptFolder: null, cancellationToken);
        try
        {
            return await CreateAsync(folder, ownsFolder: true, UnprivilegedUser.Self, megabytes, cancellationToken);
        }
        catch
        {
            await folder.ReleaseAsync();
            throw;
        }
    }

    /// <summary>A disk in the folder of a server, for the user that it runs as.</summary>
    internal static Task<SmallDisk> CreateAsync(InstanceFolder folder, UnprivilegedUser user, int megabytes, CancellationToken cancellationToken) =>
        CreateAsync(folder, ownsFolder: false, user, megabytes, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _guardian.DisposeAsync();
        if (_owned is not null)
            await _owned.ReleaseAsync();
    }

    private static async Task<SmallDisk> CreateAsync(
        InstanceFolder folder, bool ownsFolder, UnprivilegedUser user, int megabytes, CancellationToken cancellationToken)
    {
        var mount = folder.In("disk");
        user.Give(mount, OwnerOnly);
        var guardian = Guardian.Start(
            Scripts.SmallDisk,
            [folder.Path, megabytes.ToString(CultureInfo.InvariantCulture), $"{user.UserId}", $"{user.GroupId}", .. user.Command()],
            Name, EndLimit, new Dictionary<string, string>());
        try
        {
            var answer = await guardian.OrderAsync(StartLimit, cancellationToken);
            var (way, where) = answer.Split(' ', 2) is [var first, var second] ? (first, second) : (answer, "");
            var room = Path.Combine(mount, "room");
            var owned = ownsFolder ? folder : null;
            return way switch
            {
                "user" => new SmallDisk(guardian, owned, $"/proc/{where}/root{room}", room,
                    ["nsenter", "--user", "--preserve-credentials", "--mount", "--target", where, "--"]),
                "root" => new SmallDisk(guardian, owned, $"/proc/{where}/root{room}", room,
                    Native.IsRoot ? EnterMount(where) : ["sudo", "-n", .. EnterMount(where), .. user.BecomeAsRoot()]),
                "shared" => new SmallDisk(guardian, owned, where, where, []),
                _ => throw new ServerException($"The script that makes a small disk answered '{answer}'."),
            };
        }
        catch (GuardianGoneException none)
        {
            await guardian.DisposeAsync();
            var reasons = string.Join("; ", await File.ReadAllLinesAsync(folder.LogOf(Name), cancellationToken));
            throw new ServerException(
                "No small disk can be made here: allow user namespaces, or be root with CAP_SYS_ADMIN, or have a sudo that asks no password, "
                + $"or run in a container whose /dev/shm has at most 256 MB ({reasons}).", none);
        }
        catch
        {
            await guardian.DisposeAsync();
            throw;
        }
    }

    private static IReadOnlyList<string> EnterMount(string process) => ["nsenter", "--mount", "--target", process, "--"];
}
