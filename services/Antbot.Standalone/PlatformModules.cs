using Antbot.ConsoleService;
using Antbot.Coordinator;
using Antbot.Execution;
using Antbot.Hosting;
using Antbot.Reconciliation;
using Antbot.Risk;
using Antbot.Signals;
using Antbot.Validation;

namespace Antbot.Standalone;

/// <summary>Every service that is hosted as a module: the one list of them.</summary>
public static class PlatformModules
{
    public static IServiceModule[] Make() =>
        [new CoordinatorModule(), new ValidationModule(), new RiskModule(), new ExecutionModule(), new ReconciliationModule(), new SignalModule(), new ConsoleModule()];
}
