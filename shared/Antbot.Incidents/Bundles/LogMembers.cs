using System.Text;
using System.Text.RegularExpressions;

namespace Antbot.Incidents.Bundles;

/// <summary>
/// Logs and metrics from a folder, the ends of long ones. Our services write no secrets into them; what looks like one, and whatever the folder's own
/// files of secrets hold, is taken out all the same.
/// </summary>
internal sealed partial class LogMembers(DirectoryInfo folder, List<string> left)
{
    private const int LookedAtMax = 100_000;
    private const int FilesMax = 200;
    private const int FileBytesMax = 4 * 1024 * 1024;
    private const int LineLengthMax = 16 * 1024;
    private const int SecretFilesMax = 100;
    private const int SecretBytesMax = 16 * 1024;
    private const int SecretLengthMin = 8;
    private const int MatchMilliseconds = 1_000;
    private const string Removed = "[removed]";

    private static readonly string[] Kinds = [".log", ".prom", ".metrics"];
    private static readonly string[] Secret = ["key", "secret", "token", "password", "credential"];

    private static readonly EnumerationOptions Deep = new() { RecurseSubdirectories = true, MaxRecursionDepth = 4, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.System };

    public async Task AddAsync(BundleWriter bundle, CancellationToken cancellationToken)
    {
        if (!folder.Exists)
            throw new DirectoryNotFoundException($"There is no folder '{folder.FullName}'.");
        var files = folder.EnumerateFiles("*", Deep).Take(LookedAtMax).OrderBy(f => f.FullName, StringComparer.Ordinal).ToList();
        var secrets = Secrets(files);
        var (names, count) = (new HashSet<string>(StringComparer.Ordinal), 0);
        foreach (var file in files.Where(f => Kinds.Contains(f.Extension, StringComparer.OrdinalIgnoreCase)))
        {
            if (++count > FilesMax || !bundle.HasRoom)
            {
                left.Add($"Logs: there are more than {FilesMax} files; the first by name are here.");
                return;
            }
            if (IsSecret(file) || !names.Add(NameOf(file)))
                left.Add($"Logs: '{NameOf(file)}' is called as a secret is, or as another.");
            else
                await AddAsync(bundle, file, secrets, cancellationToken);
        }
    }

    /// <summary>A line without what looks like a secret.</summary>
    internal static string Clean(string line, IReadOnlyList<string> secrets)
    {
        var text = line.Length <= LineLengthMax ? line : $"{line[..LineLengthMax]}…";
        foreach (var secret in secrets)
            text = text.Replace(secret, Removed, StringComparison.Ordinal);
        try
        {
            return Member().Replace(Bearer().Replace(UserInfo().Replace(text, $"${{before}}{Removed}@"), $"${{before}} {Removed}"), $"${{before}}{Removed}");
        }
        catch (RegexMatchTimeoutException)
        {
            // What cannot be looked through is not shown.
            return Removed;
        }
    }

    private async Task AddAsync(BundleWriter bundle, FileInfo file, IReadOnlyList<string> secrets, CancellationToken cancellationToken)
    {
        string text;
        try
        {
            await using var from = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[Math.Min(from.Length, FileBytesMax)];
            from.Seek(-bytes.Length, SeekOrigin.End);
            var read = await from.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
            text = Encoding.UTF8.GetString(bytes, 0, read);
            if (from.Length > FileBytesMax)
                left.Add($"Logs: of '{NameOf(file)}', {from.Length:N0} bytes long, the last {FileBytesMax:N0} are here.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            left.Add($"Logs: '{NameOf(file)}' cannot be read: {EventWords.Plain(e.Message, 200)}");
            return;
        }
        var clean = string.Join('\n', text.Split('\n').Select(l => Clean(l.TrimEnd('\r'), secrets)));
        await bundle.AddAsync(NameOf(file), Encoding.UTF8.GetBytes(clean));
    }

    /// <summary>Of the file's place only what a member's name may have.</summary>
    private string NameOf(FileInfo file)
    {
        var parts = Path.GetRelativePath(folder.FullName, file.FullName).Split(Path.DirectorySeparatorChar);
        var name = string.Join('/', parts.Select(p => string.Concat(p.TrimStart('.').Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_'))).Where(p => p.Length > 0).Prepend("logs"));
        return name.Length <= BundleLimits.NameLengthMax ? name : $"logs/{name[^(BundleLimits.NameLengthMax - "logs/".Length)..].Replace('/', '_').TrimStart('.')}";
    }

    private List<string> Secrets(IEnumerable<FileInfo> files)
    {
        var secrets = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files.Where(f => IsSecret(f) && f.Length <= SecretBytesMax).Take(SecretFilesMax))
        {
            try
            {
                foreach (var line in File.ReadLines(file.FullName))
                    secrets.UnionWith(line.Split('=', ':', ' ', '"').Select(p => p.Trim()).Where(p => p.Length >= SecretLengthMin));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                left.Add($"Logs: what '{EventWords.Plain(file.Name, 100)}' holds could not be read and so not be looked for.");
            }
        }
        // The longest first: one may be a part of another.
        return [.. secrets.OrderByDescending(s => s.Length)];
    }

    private static bool IsSecret(FileInfo file) => Secret.Any(s => file.Name.Contains(s, StringComparison.OrdinalIgnoreCase));

    [GeneratedRegex("""(?<before>(authorization|password|passwd|pwd|secret|token|api[-_]?key|signature|private[-_]?key|credential)[\w-]*["']?\s*[:=]\s*["']?)[^\s"',;&]+""", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, MatchMilliseconds)]
    private static partial Regex Member();

    [GeneratedRegex(@"\b(?<before>bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, MatchMilliseconds)]
    private static partial Regex Bearer();

    [GeneratedRegex(@"(?<before>://)[^\s/@""']+@", RegexOptions.ExplicitCapture, MatchMilliseconds)]
    private static partial Regex UserInfo();
}
