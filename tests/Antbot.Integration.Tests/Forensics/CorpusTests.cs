using Antbot.Contracts.Events;
using Antbot.Forensics;
using Antbot.Risk.Core;
using Antbot.Runtime.Store;
using Antbot.Signals.Core;
using Xunit;

namespace Antbot.Integration.Tests.Forensics;

/// <summary>Recorded decisions of every decider, committed: whoever changes one without meaning to is told which, and in what.</summary>
public sealed class CorpusTests
{
    private const string Rewrite = "ANTBOT_REWRITE_CORPUS";
    private const int BytesMax = 2_000_000;
    private const int ShownMax = 20;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_decision_of_the_corpus_is_made_again_as_it_was()
    {
        var rewrite = Environment.GetEnvironmentVariable(Rewrite);
        if (rewrite == "new")
            await CorpusMaker.MakeAsync(Cancel);
        var now = await Corpus.DifferencesAsync(RedecisionOptions.All, Cancel);
        if (rewrite is "new" or "accept")
            await File.WriteAllTextAsync(Corpus.AcceptedFile, string.Concat(now.Select(l => $"{l}\n")), Cancel);
        Assert.True(Fault(now) is null, Fault(now));
    }

    [Fact]
    public async Task Decisions_of_every_decider_are_in_it_and_all_of_them_can_be_made_again()
    {
        var services = new Dictionary<string, (long Decisions, long Impossible)>(StringComparer.Ordinal);
        foreach (var history in Corpus.Histories)
        {
            var report = await Corpus.DecideAgainAsync(history, RedecisionOptions.All, Cancel);
            foreach (var s in report.Services)
                services[s.Service] = services.GetValueOrDefault(s.Service) is var (d, i) ? (d + s.Decisions, i + s.Impossible) : default;
        }
        Assert.All(StreamKinds.All, k => Assert.True(services.GetValueOrDefault(k.Service).Decisions >= 5, $"{k.Service}: {services.GetValueOrDefault(k.Service)}"));
        // Of a signal that came from outside only the hash of what was said is kept.
        Assert.All(services, s => Assert.True(s.Value.Impossible == 0 || (s.Key == SignalDecider.Consumer && s.Value.Decisions - s.Value.Impossible >= 5), $"{s.Key}: {s.Value}"));
        Assert.InRange(Corpus.Histories.Sum(h => new FileInfo(h).Length), 100_000, BytesMax);
    }

    [Fact]
    public async Task Every_kind_of_input_of_an_order_is_in_it()
    {
        var codec = new EventCodec(StreamKinds.Registry);
        var kinds = new HashSet<OrderInputKind>();
        foreach (var history in Corpus.Histories)
            kinds.UnionWith((await Corpus.ReadAsync(history, Cancel)).Select(codec.Find<OrderInput>).OfType<OrderInput>().Select(i => i.Kind));
        Assert.Empty(Enum.GetValues<OrderInputKind>().Except(kinds));
    }

    /// <summary>The rule that an operator would notice last: a trade of just as much as is allowed is denied.</summary>
    [Fact]
    public async Task A_decider_that_was_changed_is_found_and_what_it_decides_now_is_told()
    {
        var planted = RedecisionOptions.All with { Kinds = [.. StreamKinds.All.Select(k => k.Service == RiskDecider.Consumer ? Stricter() : k)] };
        var now = (await Corpus.DifferencesAsync(planted, Cancel)).Where(l => l.Contains("\"Service\":\"risk\"", StringComparison.Ordinal)).ToList();
        var fault = Fault(now);
        Assert.NotNull(fault);
        Assert.Contains("risk on AssessRisk: was exposure_reserved, is risk_denied", fault, StringComparison.Ordinal);
        Assert.Contains("make corpus", fault, StringComparison.Ordinal);
        Assert.True(now.Count > 5, $"{now.Count}");
    }

    private static StreamKind<RiskState> Stricter() => new("risk", "account-", RiskDecider.With(RiskLimits.Default), static (state, recorded, _) => new Again.Decided(
        recorded.Message!,
        RiskDecider.Decide(state, recorded.Message!, recorded.At, recorded.Events[0] is ExposureReserved e ? e.Limits with { OrderNotionalMax = e.Reserved - new Contracts.Money(0.01m) } : recorded.Events[0] is RiskDeniedRecorded d ? d.Limits : RiskLimits.Default)))
    {
        Endpoint = "risk",
    };

    private static string? Fault(IReadOnlyList<string> now)
    {
        var (changed, gone) = (now.Except(Corpus.Accepted, StringComparer.Ordinal).ToList(), Corpus.Accepted.Except(now, StringComparer.Ordinal).ToList());
        return changed.Count + gone.Count == 0 ? null : $"""
            {changed.Count} recorded decisions would be made otherwise now, {gone.Count} that were accepted would not be any more.
            {string.Join('\n', changed.Take(ShownMax).Select(l => $"+ {Corpus.Told(l)}").Concat(gone.Take(ShownMax).Select(l => $"- {Corpus.Told(l)}")))}
            Where that was meant: 'make corpus', and look at what it changes in {Corpus.AcceptedFile} ({Rewrite}=accept) before it is committed.
            """;
    }
}
