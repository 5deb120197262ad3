using Microsoft.Extensions.Hosting;

namespace Antbot.Hosting;

/// <summary>
/// Ends this process in order when the one that started it is gone, however that ended: the pipe at our standard input closes.
/// </summary>
public sealed class ParentWatch(IHostApplicationLifetime lifetime) : IHostedService
{
    public const string Variable = "ANTBOT_STOP_WITH_PARENT";

    public static bool IsAskedFor => Environment.GetEnvironmentVariable(Variable) == "true";

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // A thread of its own: reading a pipe cannot be cancelled everywhere.
        new Thread(Watch) { IsBackground = true, Name = "parent watch" }.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Watch()
    {
        using var input = Console.OpenStandardInput();
        Span<byte> buffer = stackalloc byte[64];
        while (input.Read(buffer) > 0)
        {
            // Nothing is said on it; it only closes.
        }
        lifetime.StopApplication();
    }
}
