using System.CommandLine;
using System.Runtime.InteropServices;
using Antbot.Watchdog;

var root = new RootCommand("Starts every service of the platform as a process of its own, keeps them running, and ends them in order.") { UpCommand.Create(), DownCommand.Create() };
// Ctrl-C and SIGTERM end it in order by themselves; SIGQUIT would end it at once, and leave its servers behind.
using var quit = new CancellationTokenSource();
using var onQuit = PosixSignalRegistration.Create(PosixSignal.SIGQUIT, signal =>
{
    signal.Cancel = true;
    quit.Cancel();
});
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(90) }, quit.Token);
