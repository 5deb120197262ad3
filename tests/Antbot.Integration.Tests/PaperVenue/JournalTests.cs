using Antbot.Integration.Tests.Support;
using Antbot.LocalServers;
using Antbot.PaperVenue;
using Antbot.PaperVenue.Journal;
using Xunit;

namespace Antbot.Integration.Tests.PaperVenue;

/// <summary>What was acknowledged lasts; what is damaged is told from what is torn.</summary>
public sealed class JournalTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-venue-").FullName;

    private string Journal => Path.Combine(_folder, "journal");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Cut_at_any_byte_the_journal_gives_the_state_of_a_moment_and_no_other()
    {
        var states = new List<byte[]> { StateOf(new Exchange(VenueRules.Default)) };
        await WriteAsync(25, exchange => states.Add(StateOf(exchange)));
        var path = Segment();
        var whole = File.ReadAllBytes(path);
        var seen = new HashSet<int>();
        for (var length = whole.Length; length >= 0; length--)
        {
            File.WriteAllBytes(path, whole[..length]);
            var recovered = JournalFiles.Recover(Journal, VenueRules.Default, salvage: false);
            var at = states.FindIndex(s => s.AsSpan().SequenceEqual(StateOf(recovered.Exchange)));
            Assert.True(at >= 0, $"Cut at {length} it gives a state that never was.");
            Assert.Equal(at, recovered.Last);
            seen.Add(at);
            Assert.Equal(Ends(whole, length) ? 0 : 1, recovered.Notes.Count);
            // What was cut is gone: the next start finds nothing to say.
            Assert.Empty(JournalFiles.Recover(Journal, VenueRules.Default, salvage: false).Notes);
        }
        Assert.Equal(states.Count, seen.Count);
    }

    [Fact]
    public async Task A_byte_that_changed_before_the_end_is_refused_and_named_and_nothing_is_written_over_it()
    {
        await WriteAsync(25, _ => { });
        var whole = File.ReadAllBytes(Segment());
        var last = LastFrame(whole);
        for (var at = 0; at < last; at += 7)
        {
            var damaged = whole.ToArray();
            damaged[at] ^= 0x40;
            File.WriteAllBytes(Segment(), damaged);
            var refused = Assert.Throws<PaperVenueException>(() => JournalFiles.Recover(Journal, VenueRules.Default, salvage: false));
            Assert.Contains("damaged", refused.Message, StringComparison.Ordinal);
            Assert.Contains(Segment(), refused.Message, StringComparison.Ordinal);
            Assert.Equal(damaged, File.ReadAllBytes(Segment()));
        }
    }

    [Fact]
    public async Task A_damaged_journal_can_be_salvaged_and_is_kept_aside()
    {
        await WriteAsync(25, _ => { });
        var path = Segment();
        var damaged = File.ReadAllBytes(path);
        damaged[damaged.Length / 2] ^= 1;
        File.WriteAllBytes(path, damaged);

        var recovered = JournalFiles.Recover(Journal, VenueRules.Default, salvage: true);
        Assert.InRange(recovered.Last, 1, 24);
        var note = Assert.Single(recovered.Notes);
        var aside = Assert.Single(Directory.GetDirectories(Journal, "damaged-*"));
        Assert.Contains(aside, note, StringComparison.Ordinal);
        Assert.Equal(damaged, File.ReadAllBytes(Path.Combine(aside, Path.GetFileName(path))));
        var again = JournalFiles.Recover(Journal, VenueRules.Default, salvage: false);
        Assert.Equal(StateOf(recovered.Exchange), StateOf(again.Exchange));
    }

    [Fact]
    public async Task A_missing_file_in_the_middle_is_missed()
    {
        await WriteAsync(400, _ => { }, segmentBytes: 64 << 10, text: new string('x', 2_000));
        var segments = Directory.GetFiles(Journal, "*.journal").Order().ToList();
        Assert.True(segments.Count > 3);
        File.Delete(segments[1]);
        Assert.Contains("lacks frames", Assert.Throws<PaperVenueException>(() => JournalFiles.Recover(Journal, VenueRules.Default, salvage: false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_snapshot_replaces_the_files_before_it_and_one_that_is_damaged_is_refused()
    {
        var exchange = await WriteAsync(400, _ => { }, segmentBytes: 64 << 10, text: new string('x', 2_000));
        JournalFiles.WriteSnapshot(Journal, exchange.Capture(), 400);
        Assert.Single(Directory.GetFiles(Journal, "*.journal"));
        var recovered = JournalFiles.Recover(Journal, VenueRules.Default, salvage: false);
        Assert.Equal(400, recovered.Last);
        Assert.Equal(StateOf(exchange), StateOf(recovered.Exchange));

        var path = JournalFiles.SnapshotPath(Journal);
        var bytes = File.ReadAllBytes(path);
        for (var at = 0; at < bytes.Length; at += Math.Max(1, bytes.Length / 300))
        {
            var damaged = bytes.ToArray();
            damaged[at] ^= 4;
            File.WriteAllBytes(path, damaged);
            Assert.Contains("damaged", Assert.Throws<PaperVenueException>(() => JournalFiles.Recover(Journal, VenueRules.Default, salvage: false)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_fill_that_is_busted_while_a_snapshot_is_written_is_in_the_journal_after_it_and_not_in_it()
    {
        Directory.CreateDirectory(Journal);
        var exchange = new Exchange(VenueRules.Default);
        using (var journal = new JournalWriter(Journal, 1 << 20, 0, _ => { }))
        {
            var (buyer, seller, coin) = (exchange.OpenAccount("a", 1), exchange.OpenAccount("b", 1), VenueRules.Default.Instruments[0]);
            exchange.Deposit(buyer, coin.Quote, Fixed8.Parse("1000"), 1);
            exchange.Deposit(seller, coin.Base, Fixed8.Parse("1"), 1);
            var order = new NewOrder { Instrument = coin, Side = Side.Sell, Type = OrderType.Limit, Price = Fixed8.Parse("1000"), Quantity = Fixed8.Parse("0.1"), ClientId = "sale" };
            Assert.NotNull(exchange.Place(seller, order, 2).Order);
            var filled = exchange.Place(buyer, order with { Side = Side.Buy, ClientId = "purchase" }, 3).Order!;
            journal.Add(exchange.Outbox.Journal);
            exchange.Outbox.Clear();
            var snapshot = exchange.Capture();
            var (sequence, durable) = journal.Seal();
            Assert.True(exchange.Bust(filled, 4));
            journal.Add(exchange.Outbox.Journal);
            await durable;
            JournalFiles.WriteSnapshot(Journal, snapshot, sequence);
            await journal.Durable;
        }
        var recovered = JournalFiles.Recover(Journal, VenueRules.Default, salvage: false);
        Assert.Equal(OrderStatus.Expired, recovered.Exchange.FindAccount("a")!.Latest("purchase")!.Status);
        Assert.Equal(StateOf(exchange), StateOf(recovered.Exchange));
    }

    /// <summary>Whole by its sum, and yet of another state, or of a version that knows more.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_record_that_does_not_follow_from_those_before_it_is_refused_with_its_place_and_its_reason(bool busts)
    {
        await WriteAsync(5, _ => { });
        using (var journal = new JournalWriter(Journal, 1 << 20, 5, _ => { }))
        {
            journal.Add([busts ? new TradeBusted(9, 77, 1) : new Deposited(9, 1, 99, Fixed8.Parse("1"))]);
            await journal.Durable;
        }
        var refused = Assert.Throws<PaperVenueException>(() => JournalFiles.Recover(Journal, VenueRules.Default, salvage: false));
        Assert.Contains("cannot be followed", refused.Message, StringComparison.Ordinal);
        if (busts)
            Assert.Contains("Order 1 has no fill of trade 77.", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Under_load_it_stays_bounded_and_the_next_start_is_where_the_last_one_ended()
    {
        byte[] before;
        await using (var venue = await RunningVenue.StartAsync(o => o with { SegmentBytes = 64 << 10, SnapshotBytes = 128 << 10, Rules = VenueRules.Default with { MaxClosedOrders = 100 } }, _folder))
        {
            for (var round = 0; round < 30; round++)
                await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => venue.Client.LimitAsync("BUY", "20000", "0.001", timeInForce: "IOC")));
            var status = await venue.Client.AdminAsync(HttpMethod.Get, "/admin/status");
            Assert.True(status.Json.GetProperty("journalBytes").GetInt64() > 150_000);
            for (var left = long.MaxValue; left > 600_000; await Task.Delay(100, TestContext.Current.CancellationToken))
                left = Directory.GetFiles(Journal, "*.journal").Sum(f => new FileInfo(f).Length);
            before = System.Text.Encoding.UTF8.GetBytes((await venue.Client.SignedAsync(HttpMethod.Get, "/api/v3/allOrders", ("symbol", "BTCUSDT"))).Json.GetRawText());
        }
        await using var again = await RunningVenue.StartAsync(o => o with { Rules = VenueRules.Default with { MaxClosedOrders = 100 } }, _folder);
        Assert.Empty(again.Server.Notes);
        Assert.Equal(before, System.Text.Encoding.UTF8.GetBytes((await again.Client.SignedAsync(HttpMethod.Get, "/api/v3/allOrders", ("symbol", "BTCUSDT"))).Json.GetRawText()));
    }

    [Fact]
    public async Task A_snapshot_that_cannot_be_written_is_counted_and_is_written_as_soon_as_it_can_be()
    {
        await using var venue = await RunningVenue.StartAsync(o => o with { SegmentBytes = 64 << 10, SnapshotBytes = 64 << 10 }, _folder);
        var inTheWay = Directory.CreateDirectory(JournalFiles.SnapshotPath(Journal) + ".new");
        for (var (round, failures) = (0, 0L); failures == 0; round++)
        {
            Assert.True(round < 200, "It does not fail.");
            await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => venue.Client.LimitAsync("BUY", "20000", "0.001", timeInForce: "IOC")));
            failures = (await venue.Client.AdminAsync(HttpMethod.Get, "/admin/status")).Json.GetProperty("tendFailures").GetInt64();
        }
        inTheWay.Delete();
        await Eventually.HoldsAsync(() => Task.FromResult(File.Exists(JournalFiles.SnapshotPath(Journal))), "it is written");
        Assert.Equal(200, (await venue.Client.BuyAsync("0.001")).Status);
    }

    [Fact]
    public async Task On_a_full_disk_orders_are_refused_the_venue_stays_up_and_goes_on_when_there_is_room()
    {
        await using var disk = await SmallDisk.CreateAsync(megabytes: 32, TestContext.Current.CancellationToken);
        var ballast = Path.Combine(disk.Folder, "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[31 << 20], TestContext.Current.CancellationToken);
        await using var venue = await RunningVenue.StartAsync(o => o with { SegmentBytes = 128 << 10, SnapshotBytes = 64 << 20 }, Path.Combine(disk.Folder, "venue"));
        var accepted = new List<string>();
        Answer? refused = null;
        for (var i = 0; refused is null; i++)
        {
            Assert.True(accepted.Count < 100_000, "The disk does not fill up.");
            var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(async j => (Id: $"f{i}-{j}", Answer: await venue.Client.LimitAsync("BUY", "20000", "0.001", $"f{i}-{j}", "IOC"))));
            accepted.AddRange(answers.Where(a => a.Answer.Status == 200).Select(a => a.Id));
            refused = answers.Select(a => a.Answer).FirstOrDefault(a => a.Status != 200);
        }
        Assert.Equal((503, -1008), (refused.Status, refused.Code));
        Assert.Contains("disk is full", refused["msg"], StringComparison.Ordinal);
        Assert.Equal(200, (await venue.Client.GetAsync("/api/v3/depth?symbol=BTCUSDT")).Status);
        Assert.Equal(accepted.Count, (await venue.Client.LedgerAsync("order")).Count);

        File.Delete(ballast);
        while ((await venue.Client.LimitAsync("BUY", "20000", "0.001", "room", "IOC")).Status != 200)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.Equal(0, (await venue.Client.FindAsync(accepted[^1])).Code);
    }

    [Fact]
    public async Task Two_venues_do_not_share_a_folder()
    {
        await using var venue = await RunningVenue.StartAsync(folder: _folder);
        var refused = await Assert.ThrowsAsync<PaperVenueException>(() => RunningVenue.StartAsync(folder: _folder));
        Assert.Contains("another venue", refused.Message, StringComparison.Ordinal);
    }

    private string Segment() => Directory.GetFiles(Journal, "*.journal").Single();

    /// <summary>One frame for each event, as if each caller had waited for its own.</summary>
    private async Task<Exchange> WriteAsync(int events, Action<Exchange> afterEach, int segmentBytes = 1 << 20, string text = "id")
    {
        Directory.CreateDirectory(Journal);
        var exchange = new Exchange(VenueRules.Default);
        using var journal = new JournalWriter(Journal, segmentBytes, 0, _ => { });
        var account = exchange.OpenAccount("a", 1);
        await KeepAsync();
        exchange.Deposit(account, 0, Fixed8.Parse("1000000"), 2);
        await KeepAsync();
        for (var i = 2; i < events; i++)
        {
            var order = new NewOrder { Instrument = VenueRules.Default.Instruments[0], Side = Side.Buy, Type = OrderType.Limit, Price = Fixed8.Parse($"{1000 + (i % 7)}"), Quantity = Fixed8.Parse("0.1"), ClientId = $"{text}{i}" };
            Assert.NotNull(exchange.Place(account, order, i).Order);
            await KeepAsync();
        }
        return exchange;

        async Task KeepAsync()
        {
            journal.Add(exchange.Outbox.Journal);
            exchange.Outbox.Clear();
            await journal.Durable;
            afterEach(exchange);
        }
    }

    private static byte[] StateOf(Exchange exchange) => [.. exchange.Capture().Write().SelectMany(p => p.ToArray())];

    private static bool Ends(ReadOnlySpan<byte> journal, int length)
    {
        var at = 0;
        while (at < length && Frame.TryRead(journal[at..], out _, out var records))
            at += Frame.HeaderBytes + records.Length;
        return at == length;
    }

    private static int LastFrame(ReadOnlySpan<byte> journal)
    {
        var (at, last) = (0, 0);
        while (Frame.TryRead(journal[at..], out _, out var records))
            (last, at) = (at, at + Frame.HeaderBytes + records.Length);
        return last;
    }
}
