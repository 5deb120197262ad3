using Antbot.Simulation.Time;

namespace Antbot.Simulation.Faults;

/// <summary>One kind of what lasts for a while, looked up by the time.</summary>
internal readonly struct Lasting<TFault>(Plan plan)
    where TFault : Fault, ILasting
{
    private readonly TFault[] _faults = [.. plan.Faults.OfType<TFault>()];

    public TFault? At(SimLoop loop)
    {
        if (_faults.Length == 0)
            return null;
        var now = loop.Seconds;
        foreach (var fault in _faults)
        {
            if (now >= fault.AtSeconds && now < fault.AtSeconds + fault.ForSeconds)
                return fault;
        }
        return null;
    }
}
