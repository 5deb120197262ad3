using System.Text;
using System.Text.RegularExpressions;
using Antbot.Runtime.Secrets;

namespace Antbot.Incidents.Bundles;

/// <summary>
/// Logs and metrics from a folder, the ends of long ones. Our services write no secrets into them; what looks like one, and whatever the folder's own
/// files of secrets hold, is taken out all the same.
/// </summary>
internal sealed partial class LogMembers(DirectoryInfo folder, List<string> left)
{
    private const int FilesMax = 200;
    private const int FileBytesMax = 4 * 1024 * 1024;
    private const int LineLengthMax = 16 * 1024;

    private static readonly string[] Kinds = [".log", ".prom", ".metrics"];

    private readonly NamedGaps _gaps = new();

    public async Task AddAsync(BundleWriter bundle, CancellationToken cancellationToken)
    {
        if (!folder.Exists)
            throw new DirectoryNotFoundException($"There is no folder '{folder.FullName}'.");
        var files = LogFolder.Read(folder, _gaps);
        var strikeout = new Strikeout(SecretFiles.Read(files.Where(SecretFiles.IsOne), _gaps));
        var (names, count) = (new HashSet<string>(StringComparer.Ordinal), 0);
        foreach (var file in files.Where(f => Kinds.Contains(f.Extension, StringComparer.OrdinalIgnoreCase)))
        {
            if (++count > FilesMax || !bundle.HasRoom)
                _gaps.Add($"Logs beyond the first {FilesMax} by name, or beyond what a bundle has room for", NameOf(file));
            else if (SecretFiles.IsOne(file) || !names.Add(NameOf(file)))
                _gaps.Add("Logs that are called as a secret is, or as another", NameOf(file));
            else
                await AddAsync(bundle, file, strikeout, cancellationToken);
        }
        _gaps.Tell(left);
    }

    /// <summary>A line without what looks like a secret, and without colours and what else parts a name from its value for machines alone.</summary>
    internal static string Clean(string line, Strikeout strikeout)
    {
        var text = strikeout.Strike(Unseen().Replace(line, ""));
        return text.Length <= LineLengthMax ? text : $"{text[..LineLengthMax]}…";
    }

    private async Task AddAsync(BundleWriter bundle, FileInfo file, Strikeout strikeout, CancellationToken cancellationToken)
    {
        string text;
        try
        {
            text = await ReadAsync(file, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _gaps.Add("Logs that cannot be read", $"{NameOf(file)} ({e.Message})");
            return;
        }
        var clean = string.Join('\n', text.Split('\n').Select(l => Clean(l.TrimEnd('\r'), strikeout)));
        await bundle.AddAsync(NameOf(file), Encoding.UTF8.GetBytes(clean));
    }

    /// <summary>All of it, or its last lines that are whole: the rest of a line may be the rest of a secret.</summary>
    private async Task<string> ReadAsync(FileInfo file, CancellationToken cancellationToken)
    {
        await using var from = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var (length, isCut) = (from.Length, from.Length > FileBytesMax);
        // The byte before tells whether a line begins there.
        var bytes = new byte[isCut ? FileBytesMax + 1 : length];
        from.Seek(-bytes.Length, SeekOrigin.End);
        var read = await from.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        if (!isCut)
            return Encoding.UTF8.GetString(bytes, 0, read);
        _gaps.Add($"Logs of which the last lines are here, {FileBytesMax:N0} bytes of each at most", $"{NameOf(file)} of {length:N0} bytes");
        return bytes.AsSpan(0, read).IndexOf((byte)'\n') is >= 0 and var end ? Encoding.UTF8.GetString(bytes, end + 1, read - end - 1) : "";
    }

    /// <summary>Of the file's place only what a member's name may have.</summary>
    private string NameOf(FileInfo file)
    {
        var parts = Path.GetRelativePath(folder.FullName, file.FullName).Split(Path.DirectorySeparatorChar);
        var name = string.Join('/', parts.Select(p => string.Concat(p.TrimStart('.').Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_'))).Where(p => p.Length > 0).Prepend("logs"));
        return name.Length <= BundleLimits.NameLengthMax ? name : $"logs/{name[^(BundleLimits.NameLengthMax - "logs/".Length)..].Replace('/', '_').TrimStart('.')}";
    }

    [GeneratedRegex(@"\x1B\[[0-9;?]*[A-Za-z]|\0", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Unseen();
}
