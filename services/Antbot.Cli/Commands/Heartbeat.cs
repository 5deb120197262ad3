namespace Antbot.Cli.Commands;

/// <summary>Says in a file that a work which goes on has had its turn, and what is wrong where something is: for a health check that has no other way in.</summary>
/// <param name="say">Hears that it cannot be written, once.</param>
internal sealed class Heartbeat(string? file, Action<string> say)
{
    public const string Well = "ok";

    private bool _isMuted;

    public void Beat(string? trouble)
    {
        if (file is null)
            return;
        try
        {
            // In one piece: who looks meanwhile finds the one before.
            File.WriteAllText($"{file}.new", $"{(trouble is null ? Well : Tables.Plain(trouble))}\n");
            File.Move($"{file}.new", file, overwrite: true);
            _isMuted = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whoever looks finds it too old. The signing itself goes on.
            if (!_isMuted)
                say($"The heartbeat cannot be written: {e.Message}");
            _isMuted = true;
        }
    }
}
