using System.Diagnostics;
using System.Text.Json;

namespace Antbot.Hosting;

/// <summary>A data folder that this process runs on, and no other meanwhile: the system gives it back however the process ends.</summary>
public sealed class RunningFolder : IDisposable
{
    /// <summary>How Windows, Linux and macOS say that another has it open; whatever else goes wrong is no other process's doing.</summary>
    private static readonly int[] IsHeld = [unchecked((int)0x80070020), 11, 35];

    private readonly string _folder;
    private readonly FileStream _lock;

    private RunningFolder(string folder, FileStream @lock) => (_folder, _lock) = (folder, @lock);

    /// <summary>Null where another process runs on it, or is about to.</summary>
    public static async Task<RunningFolder?> TakeAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        FileStream taken;
        try
        {
            taken = new FileStream(Path.Combine(folder, "running.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (IsHeld.Contains(e.HResult))
        {
            return null;
        }
        var running = new RunningFolder(folder, taken);
        await running.SayAsync(ready: false, []);
        return running;
    }

    /// <summary>What another command finds (<see cref="RunningProcess.Find"/>).</summary>
    public async Task SayAsync(bool ready, IReadOnlyList<string> summary)
    {
        using var self = Process.GetCurrentProcess();
        var temporary = RunningProcess.FileIn(_folder) + ".new";
        await File.WriteAllBytesAsync(temporary, JsonSerializer.SerializeToUtf8Bytes(new RunningProcess(self.Id, self.StartTime.Ticks, ready, summary)));
        File.Move(temporary, RunningProcess.FileIn(_folder), overwrite: true);
    }

    public void Dispose()
    {
        File.Delete(RunningProcess.FileIn(_folder));
        _lock.Dispose();
    }
}
