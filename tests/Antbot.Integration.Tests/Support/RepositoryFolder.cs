namespace Antbot.Integration.Tests;

/// <summary>Where the sources are that these tests were built from.</summary>
internal static class RepositoryFolder
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Antbot.Services.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException($"No Antbot.Services.sln above '{AppContext.BaseDirectory}'.");
    }
}
