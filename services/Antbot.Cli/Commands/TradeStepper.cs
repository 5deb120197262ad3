using Antbot.Forensics;

namespace Antbot.Cli.Commands;

/// <summary>A trade event by event: with keys on a terminal, one after the other where there is none.</summary>
internal sealed class TradeStepper(TradeSteps trade, TextWriter output)
{
    private const string Keys = "→ next · ← back · Home first · End last · s whole state · q quit";

    public static bool IsTerminal => !Console.IsInputRedirected && !Console.IsOutputRedirected;

    public void ShowAll()
    {
        foreach (var step in trade.Steps)
            Show(step, withState: false);
        if (trade.More)
            output.WriteLine("There is more; this is its beginning. 'antbot export' has all of it.");
    }

    /// <param name="read">The next key, or null where nobody presses any more.</param>
    public void Run(Func<ConsoleKey?> read)
    {
        var at = 0;
        Show(trade.Steps[at], withState: false);
        output.WriteLine(Keys);
        while (read() is { } key && key is not (ConsoleKey.Q or ConsoleKey.Escape))
        {
            var next = key switch
            {
                ConsoleKey.RightArrow or ConsoleKey.DownArrow or ConsoleKey.Enter or ConsoleKey.Spacebar or ConsoleKey.N => Math.Min(at + 1, trade.Steps.Count - 1),
                ConsoleKey.LeftArrow or ConsoleKey.UpArrow or ConsoleKey.Backspace or ConsoleKey.P => Math.Max(at - 1, 0),
                ConsoleKey.Home => 0,
                ConsoleKey.End => trade.Steps.Count - 1,
                _ => at,
            };
            if (next != at || key == ConsoleKey.S)
                Show(trade.Steps[next], withState: key == ConsoleKey.S);
            at = next;
        }
    }

    private void Show(Step step, bool withState)
    {
        output.WriteLine($"[{step.Number}/{trade.Steps.Count}] #{step.Sequence} {step.At.UtcDateTime:HH:mm:ss.ffffff} {step.Type.Replace('_', ' ')}  {step.Stream} v{step.Version}  {Tables.Plain(step.Actor ?? "nobody")}");
        foreach (var fact in StoryText.Facts(step.Body))
            output.WriteLine($"    {fact}");
        foreach (var change in step.Changes)
            output.WriteLine($"  ⇒ {Tables.Plain(change.ToString())}");
        if (withState && step.State is { } state)
        {
            foreach (var fact in StoryText.Facts(state))
                output.WriteLine($"  = {fact}");
        }
    }
}
