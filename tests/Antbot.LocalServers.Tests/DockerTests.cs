using System.ComponentModel;
using System.Diagnostics;

namespace Antbot.LocalServers.Tests;

/// <summary>What we tell a Docker engine, by a program in its place that writes down what it is told. A build with Testcontainers would ask for the engine itself, and there is none: a server that must be owned is never from there.</summary>
public sealed class DockerTests : IDisposable
{
    private readonly TemporaryFolder _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task A_container_is_bound_to_loopback_gets_its_password_by_a_private_file_and_is_removed()
    {
        var failure = await Assert.ThrowsAsync<ServerException>(() => PostgresServer.StartAsync(
            new PostgresServerOptions { Host = WithDocker(runExitCode: 0), MustBeOwned = true, StartLimit = TimeSpan.FromSeconds(1) },
            TestContext.Current.CancellationToken));
        Assert.Contains("did not answer within 1 s", failure.Message, StringComparison.Ordinal);

        var told = await ToldAsync();
        var run = Assert.Single(told, line => line.StartsWith("run ", StringComparison.Ordinal));
        Assert.Matches("--publish 127\\.0\\.0\\.1:[0-9]+:5432", run);
        Assert.Contains("postgres:17", run, StringComparison.Ordinal);
        var environment = await File.ReadAllLinesAsync(_place.In("environment"), TestContext.Current.CancellationToken);
        Assert.Equal("-rw-------", environment[0]);
        var password = Assert.Single(environment, line => line.StartsWith("POSTGRES_PASSWORD=", StringComparison.Ordinal))["POSTGRES_PASSWORD=".Length..];
        Assert.DoesNotContain(password, string.Concat(told), StringComparison.Ordinal);
        Assert.StartsWith("rm --force --volumes antbot-pg-", told[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_that_cannot_be_run_is_an_error_with_dockers_own_words()
    {
        var failure = await Assert.ThrowsAsync<ServerException>(() => RabbitServer.StartAsync(
            new RabbitServerOptions { Host = WithDocker(runExitCode: 125), MustBeOwned = true }, TestContext.Current.CancellationToken));
        Assert.Contains("docker could not run rabbitmq:4", failure.Message, StringComparison.Ordinal);
        Assert.Contains("no such image", failure.Message, StringComparison.Ordinal);
        Assert.StartsWith("rm --force --volumes antbot-mq-", (await ToldAsync())[^1], StringComparison.Ordinal);
    }

    private Task<string[]> ToldAsync() => File.ReadAllLinesAsync(_place.In("told"), TestContext.Current.CancellationToken);

    private HostView WithDocker(int runExitCode)
    {
        var program = _place.In("docker");
        File.WriteAllText(
            program,
            $$"""
            #!/bin/sh
            echo "$*" >>"{{_place.Path}}/told"
            case $1 in
                version) echo 27.0 ;;
                inspect) echo 4711 ;;
                run)
                    while [ "$1" != --env-file ]; do shift; done
                    { ls -l "$2" | cut -c1-10; cat "$2"; } >"{{_place.Path}}/environment"
                    [ {{runExitCode}} = 0 ] || echo "no such image" >&2
                    exit {{runExitCode}}
                    ;;
            esac
            """);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        UntilItRuns(program);
        return new HostView(name => name == "PATH" ? _place.Path : null, _place.Path);
    }

    /// <summary>A process that another test starts in this very moment holds the file open for writing until it is a program of its own: till then the kernel refuses to run it.</summary>
    private static void UntilItRuns(string program)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                using var run = Process.Start(new ProcessStartInfo(program, ["version"]) { UseShellExecute = false, RedirectStandardOutput = true })!;
                run.WaitForExit();
                return;
            }
            catch (Win32Exception) when (tries < 100)
            {
                Thread.Sleep(20);
            }
        }
    }
}
