namespace Antbot.PaperVenue;

/// <summary>What the market is like now: the program in force on the market's own clock, and the candles of a replay.</summary>
internal sealed class Weather(PaperVenueOptions options)
{
    private const long MaxReplayBytes = 64 << 20;

    private (string File, Dictionary<int, CandleReplay> Candles) _replay = ("", []);

    /// <summary>Where candle files lie.</summary>
    public string Folder => Path.Combine(options.Data, "candles");

    public Conditions Of(Instrument instrument, Exchange exchange, long now)
    {
        var program = exchange.Program with { Since = exchange.Program.Since * options.Speed };
        var time = now * options.Speed;
        Fixed8? replayed = program.Scenario == Scenario.Replay && _replay.File == program.File && _replay.Candles.TryGetValue(instrument.Index, out var candles)
            ? candles.At(time - program.Since, instrument.Tick)
            : null;
        return Scenarios.At(program, instrument, options.Seed, time, exchange[instrument].Shift, replayed);
    }

    /// <summary>The file's name begins with the symbol that it is of, as exchanges name them: BTCUSDT-1m-2024-08-05.csv.</summary>
    /// <exception cref="FormatException">Why it cannot be played.</exception>
    public void Load(string file)
    {
        var symbol = file.Split('-', '.')[0];
        var instrument = options.Rules.Find(symbol) ?? throw new FormatException($"The file's name does not begin with a symbol that is traded here and a hyphen, as BTCUSDT-1m.csv does.");
        if (file != Path.GetFileName(file))
            throw new FormatException($"The file is named without a folder; it lies in {Folder}.");
        var path = Path.Combine(Folder, file);
        try
        {
            if (new FileInfo(path).Length > MaxReplayBytes)
                throw new FormatException($"The file is larger than {MaxReplayBytes} bytes.");
            _replay = (file, new Dictionary<int, CandleReplay> { [instrument.Index] = CandleReplay.Parse(File.ReadLines(path)) });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"The file cannot be read in {Folder}: {e.Message}", e);
        }
    }
}
