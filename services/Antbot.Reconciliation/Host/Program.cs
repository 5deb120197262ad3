using Antbot.Hosting;
using Antbot.Reconciliation;

return await ServiceHost.RunAsync(args, new ReconciliationModule());
