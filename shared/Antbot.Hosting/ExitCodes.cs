namespace Antbot.Hosting;

/// <summary>How a process of ours ends, for whoever supervises it.</summary>
public static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>It could not start or go on; the last line says why.</summary>
    public const int Failed = 1;

    /// <summary>The bus did not come up on a broker that answers: started again, it will. (EX_TEMPFAIL)</summary>
    public const int BusHangs = 75;

    /// <summary>Starting it again as it is would fail again. (EX_CONFIG)</summary>
    public const int InvalidConfiguration = 78;

    /// <summary>It had not ended in order by its deadline. (As timeout(1) has it.)</summary>
    public const int Forced = 124;
}
