using Xunit;

namespace Antbot.Hosting.Tests.Hosts;

public sealed class RunningFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-running-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Prevents that of two which start at once the one that gives way takes with it what says that the other runs.</summary>
    [Fact]
    public async Task A_folder_is_one_processs_at_a_time_and_who_gives_way_leaves_everything_as_it_is()
    {
        using (var first = await RunningFolder.TakeAsync(_folder))
        {
            Assert.NotNull(first);
            await first.SayAsync(ready: true, ["here"]);
            Assert.Null(await RunningFolder.TakeAsync(_folder));
            Assert.Equal((Environment.ProcessId, true), RunningProcess.Find(_folder) is { } running ? (running.ProcessId, running.Ready) : default);
        }
        Assert.Null(RunningProcess.Find(_folder));
        using var next = await RunningFolder.TakeAsync(_folder);
        Assert.NotNull(next);
    }
}
