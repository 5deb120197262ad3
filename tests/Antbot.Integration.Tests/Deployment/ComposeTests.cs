using System.Collections;
using System.Text.RegularExpressions;
using Antbot.EventStore.Proof;
using Antbot.Hosting;
using Xunit;

namespace Antbot.Integration.Tests.Deployment;

/// <summary>docker-compose.yml and what it is built from, held to the code and to what is promised of it.</summary>
public sealed class ComposeTests(DeploymentFiles files) : IClassFixture<DeploymentFiles>
{
    [Fact]
    public void Everything_that_is_promised_of_the_file_holds() => Assert.Empty(ComposeChecks.Faults(files.Compose(), files.Keys));

    [Theory]
    [InlineData("services/risk", null, "there should be")]
    [InlineData("services/stranger", """{"image":"antbot/stranger"}""", "stranger")]
    [InlineData("services/risk/privileged", "true", "privileged")]
    [InlineData("services/risk/user", "\"0:0\"", "neither of them root")]
    [InlineData("services/risk/user", "\"postgres\"", "neither of them root")]
    [InlineData("services/postgres/user", null, "user")]
    [InlineData("services/postgres/read_only", "false", "root file system can be written")]
    [InlineData("services/risk/cap_drop", "[]", "keeps capabilities")]
    [InlineData("services/risk/security_opt", "[]", "gain privileges")]
    [InlineData("services/risk/mem_limit", null, "mem_limit")]
    [InlineData("services/risk/mem_limit", "\"64g\"", "limits are out of bounds")]
    [InlineData("services/risk/cpus", "0", "limits are out of bounds")]
    [InlineData("services/risk/pids_limit", "0", "limits are out of bounds")]
    [InlineData("services/risk/restart", "\"no\"", "restart 'no'")]
    [InlineData("services/schema/restart", "\"unless-stopped\"", "restart 'unless-stopped'")]
    [InlineData("services/risk/healthcheck", """{"disable":true}""", "no health check")]
    [InlineData("services/risk/healthcheck/start_interval", null, "seconds")]
    [InlineData("services/risk/healthcheck/interval", "\"600s\"", "health check is not complete")]
    [InlineData("services/risk/stop_grace_period", "\"10s\"", "killed 10s")]
    [InlineData("services/risk/depends_on/schema/condition", "\"service_started\"", "service_started")]
    [InlineData("services/risk/depends_on/nobody", """{"condition":"service_healthy"}""", "nobody")]
    [InlineData("services/risk/image", "\"antbot/signal\"", "not its own")]
    [InlineData("services/risk/build/args/SERVICE", "\"Antbot.Signal\"", "not Antbot.Risk")]
    [InlineData("services/postgres/image", "\"postgres:16\"", "not the public postgres:17")]
    [InlineData("services/gate/ports/0", "\"8081:8080\"", "loopback")]
    [InlineData("services/gate/ports/0", "\"0.0.0.0:8081:8080\"", "loopback")]
    [InlineData("services/gate/ports/0", "\"127.0.0.1:${CONSOLE_PORT:-8080-8089}:8080\"", "one address that stays")]
    [InlineData("services/console/ports", "[\"127.0.0.1:${CONSOLE_PORT:-8080}:8080\"]", "could not")]
    [InlineData("services/risk/environment/ANTBOT_RISK__MAXODERNOTIONAL", "\"5\"", "nothing that it reads")]
    [InlineData("services/risk/environment/ANTBOT_VENUE__ADDRESS", "\"http://venue:8080\"", "nothing that it reads")]
    [InlineData("services/cli/environment/ANTBOT_TOKEN_FILE", "\"/run/antbot/console/token\"", "nothing that it reads")]
    [InlineData("services/postgres/environment/POSTGRES_PASSWORD", "\"postgres\"", "secret in the open")]
    [InlineData("services/risk/environment/ANTBOT_STORE", "\"Host=postgres;Username=antbot;Password=antbot\"", "holds a secret")]
    [InlineData("services/risk/environment/ANTBOT_BUS", "\"amqp://guest:guest@rabbitmq:5672/\"", "holds a secret")]
    [InlineData("services/risk/environment/ANTBOT_STORE_FILE", "\"/run/antbot/platform/stor\"", "nobody makes")]
    [InlineData("services/risk/environment/ANTBOT_STORE_FILE", "\"/run/antbot/owner/store\"", "not mounted")]
    [InlineData("services/risk/volumes/0", "\"keys-platform:/run/antbot/platform\"", "may write secrets")]
    [InlineData("services/risk/volumes/-", "\"./:/source:ro:z\"", "is no mount")]
    [InlineData("services/notary/image", "\"antbot/notary\"", "not its own")]
    [InlineData("services/notary/healthcheck", """{"disable":true}""", "no health check")]
    [InlineData("services/notary/environment/ANTBOT_SIGNING_KEY", "\"x\"", "secret in the open")]
    [InlineData("services/notary/environment/ANTBOT_SIGNING_KEY_FILE", "\"/run/antbot/notary/key\"", "nobody makes")]
    [InlineData("services/risk/environment/ANTBOT_RECORDING__FOLDER", "\"/recording\"", "nothing that it reads")]
    [InlineData("volumes/recording", null, "volumes that are declared")]
    [InlineData("volumes/keys-signals", null, "volumes that are declared")]
    public void Whatever_is_made_wrong_in_it_is_found(string path, string? json, string named)
    {
        var raw = files.Compose();
        Corruption.Apply(raw, path, json);
        string[] faults;
        try
        {
            faults = [.. ComposeChecks.Faults(raw, files.Keys)];
        }
        catch (FormatException e)
        {
            faults = [e.Message];
        }
        Assert.Contains(faults, f => f.Contains(named, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("coordinator")]
    [InlineData("validation")]
    [InlineData("risk")]
    [InlineData("execution")]
    [InlineData("reconciliation")]
    [InlineData("signal")]
    [InlineData("console")]
    public async Task Every_service_takes_its_environment_without_a_fault(string name)
    {
        var environment = new Hashtable();
        foreach (var (variable, value) in ComposeFile.Read(files.Compose()).Services[name].Variables)
            environment[variable] = value.Replace(ComposeChecks.SecretsRoot, files.Keys.Folder + "/", StringComparison.Ordinal);
        await using var app = ServiceHost.Build([], environment, [Settings.Modules[name]], out var faults);
        Assert.Empty(faults);
        Assert.NotNull(app);
    }

    [Fact]
    public void Every_hosted_service_is_known_here() =>
        Assert.Equal(Watchdog.ServiceProgram.All.Select(p => p.Name).Where(n => n != Watchdog.ServiceProgram.Venue).Order(StringComparer.Ordinal), Settings.Modules.Keys.Order(StringComparer.Ordinal));

    [Fact]
    public void No_image_holds_a_secret_or_runs_as_root()
    {
        var lines = File.ReadAllLines(Path.Combine(RepositoryFolder.Root, "deploy", "Dockerfile")).Where(l => !l.StartsWith('#')).ToList();
        Assert.DoesNotContain(lines, l => Regex.IsMatch(l, "PASSWORD|SECRET|TOKEN|_KEY", RegexOptions.IgnoreCase, TimeSpan.FromSeconds(1)));
        var stages = new List<List<string>>();
        foreach (var line in lines)
        {
            if (line.StartsWith("FROM ", StringComparison.Ordinal))
                stages.Add([]);
            stages.LastOrDefault()?.Add(line);
        }
        Assert.Equal(["build", "keys", "service"], stages.Select(s => s[0].Split(' ')[^1]));
        Assert.All(stages.Skip(1), s => Assert.Matches("^USER [1-9][0-9]*:[1-9][0-9]*$", s.Last(l => l.StartsWith("USER", StringComparison.Ordinal))));
        foreach (var program in Watchdog.ServiceProgram.All)
            Assert.Contains(lines, l => l.StartsWith("RUN for service in", StringComparison.Ordinal) && l.Split(' ', ';').Contains(program.Project["Antbot.".Length..], StringComparer.Ordinal));
    }

    /// <summary>A file that .dockerignore kept back once failed the build of every service's image.</summary>
    [Fact]
    public void What_images_are_built_from_is_there_and_reaches_their_build()
    {
        string[] ignore = File.ReadAllLines(Path.Combine(RepositoryFolder.Root, ".dockerignore"));
        Assert.Contains("*", ignore);
        var reaching = ignore.Where(l => l.StartsWith('!')).Select(l => l[1..]).ToList();
        var copied = File.ReadAllLines(Path.Combine(RepositoryFolder.Root, "deploy", "Dockerfile"))
            .Where(l => l.StartsWith("COPY ", StringComparison.Ordinal) && !l.Contains("--from=", StringComparison.Ordinal))
            .SelectMany(l => l.Split(' ')[1..^1]).Distinct(StringComparer.Ordinal).ToList();
        Assert.Equal(reaching.Order(StringComparer.Ordinal), copied.Order(StringComparer.Ordinal));
        Assert.All(copied, c => Assert.True(Path.Exists(Path.Combine(RepositoryFolder.Root, c)), $"{c} is not there."));
    }

    /// <summary>A second run must not lock the services out of what the first one made.</summary>
    [Fact]
    public void Keys_are_made_once_and_read_by_their_owners_alone()
    {
        var first = Directory.EnumerateFiles(files.Keys.Folder, "*", SearchOption.AllDirectories).ToDictionary(f => f, File.ReadAllText, StringComparer.Ordinal);
        files.Keys.Make();
        Assert.Equal(first.OrderBy(f => f.Key, StringComparer.Ordinal), Directory.EnumerateFiles(files.Keys.Folder, "*", SearchOption.AllDirectories).ToDictionary(f => f, File.ReadAllText, StringComparer.Ordinal).OrderBy(f => f.Key, StringComparer.Ordinal));
        using var key = SigningKey.Load(Path.Combine(files.Keys.Folder, "notary", "signing-key"), groupMayRead: true);
        Assert.Equal(key.Public.Id, PublicKey.Load(Path.Combine(files.Keys.Folder, "notary-public", "signing-key.pub")).Id);
        Assert.Equal(8, first.Values.Count(v => Regex.IsMatch(v, "^[0-9a-f]{48}$", RegexOptions.None, TimeSpan.FromSeconds(1))));
        Assert.Equal(8, first.Values.Where(v => v.Length == 48).Distinct(StringComparer.Ordinal).Count());
        if (!OperatingSystem.IsWindows())
        {
            foreach (var file in first.Keys)
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead, File.GetUnixFileMode(file));
        }
    }
}
