namespace Antbot.Watchdog;

/// <summary>What cannot be written, because a disk is full, is counted and told before the next line that can: nobody who has something to say ends by it.</summary>
public sealed class LineWriter(Action<string> write)
{
    private readonly Lock _writing = new();
    private long _missing;
    private string _reason = "";

    public void Write(string line)
    {
        lock (_writing)
        {
            try
            {
                if (_missing > 0)
                    write($"! lines are missing here, {_missing} of them: they could not be written: {_reason}");
                _missing = 0;
                write(line);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                (_missing, _reason) = (_missing + 1, e.Message);
            }
        }
    }
}
