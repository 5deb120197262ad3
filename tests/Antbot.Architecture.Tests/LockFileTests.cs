using System.Text.RegularExpressions;
using Xunit;

namespace Antbot.Architecture.Tests;

/// <summary>What is restored is what is committed, wherever it is tested, and no switch writes into the lock files.</summary>
public sealed partial class LockFileTests
{
    private const string AnyProject = "shared/Antbot.Kernel/Antbot.Kernel.csproj";

    [Theory]
    [InlineData("", "true", "")]
    [InlineData("-p:CI=true", "true", "true")]
    [InlineData("-p:Locked=true", "true", "true")]
    [InlineData("-p:CI=true -p:Marten=true", "", "")]
    [InlineData("-p:CI=true -p:Testcontainers=true", "", "")]
    [InlineData("-p:Locked=true -p:SqliteBundleVersion=2.1.10", "", "")]
    public async Task Tests_restore_what_is_locked_and_switched_builds_leave_the_lock_files_alone(string switches, string lockFile, string lockedMode)
    {
        string[] arguments = ["msbuild", AnyProject, "-getProperty:RestorePackagesWithLockFile", "-getProperty:RestoreLockedMode", .. switches.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        var (exitCode, output) = await Dotnet.RunAsync(Repository.Root, arguments);
        Assert.True(exitCode == 0, output);
        Assert.Contains($"\"RestorePackagesWithLockFile\": \"{lockFile}\"", output, StringComparison.Ordinal);
        Assert.Contains($"\"RestoreLockedMode\": \"{lockedMode}\"", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_version_that_a_property_can_change_is_a_switch() => Assert.Empty(Unswitched(
        File.ReadAllText(Path.Combine(Repository.Root, "Directory.Packages.props")), File.ReadAllText(Path.Combine(Repository.Root, "Directory.Build.props"))));

    [Fact]
    public void A_version_that_is_no_switch_is_caught() =>
        Assert.Equal(["NewVersion"], Unswitched("""<OldVersion Condition="'$(OldVersion)' == ''">1</OldVersion><NewVersion Condition="'$(NewVersion)' == ''">1</NewVersion>""", "$(OldVersion)"));

    [Fact]
    public async Task A_lock_file_that_does_not_fit_is_an_error_and_stays_as_it_is()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "planted", Guid.NewGuid().ToString("N"))).FullName;
        try
        {
            await PlantAsync("RabbitMQ.Client");
            var (first, said) = await RestoreAsync();
            Assert.True(first == 0, said);
            var locked = await ReadAsync();
            Assert.Contains("RabbitMQ.Client", locked, StringComparison.Ordinal);

            await PlantAsync("Npgsql");
            var (refused, why) = await RestoreAsync("-p:Locked=true");
            Assert.NotEqual(0, refused);
            Assert.Contains("NU1004", why, StringComparison.Ordinal);
            Assert.Equal(locked, await ReadAsync());

            Assert.Equal(0, (await RestoreAsync()).ExitCode);
            Assert.DoesNotContain("RabbitMQ.Client", await ReadAsync(), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Task PlantAsync(string package) => File.WriteAllTextAsync(
            Path.Combine(folder, "Planted.csproj"), $"""<Project Sdk="Microsoft.NET.Sdk"><ItemGroup><PackageReference Include="{package}" /></ItemGroup></Project>""");

        Task<(int ExitCode, string Output)> RestoreAsync(params string[] more) =>
            Dotnet.RunAsync(folder, ["restore", "Planted.csproj", "-tl:off", "-nodeReuse:false", "-p:NuGetAudit=false", .. more]);

        Task<string> ReadAsync() => File.ReadAllTextAsync(Path.Combine(folder, "packages.lock.json"));
    }

    /// <summary>Version properties that have a default, and so may be given from outside, without the build knowing that they are a switch.</summary>
    private static IEnumerable<string> Unswitched(string packages, string build) =>
        VersionProperty().Matches(packages).Select(m => m.Groups["name"].Value)
            // These two are asked for by switches of their own.
            .Where(name => name is not ("MartenVersion" or "TestcontainersVersion") && !build.Contains($"$({name})", StringComparison.Ordinal));

    [GeneratedRegex(@"<(?<name>\w+Version) Condition", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex VersionProperty();
}
