using Antbot.Hosting;
using Antbot.Signals;

return await ServiceHost.RunAsync(args, new SignalModule());
