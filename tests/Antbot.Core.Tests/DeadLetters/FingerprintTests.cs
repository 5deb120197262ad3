using Antbot.ConsoleService.DeadLetters;
using Antbot.Contracts.Events;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Antbot.Core.Tests.DeadLetters;

/// <summary>One cause has one fingerprint, in the build in which it was seen first and in every other.</summary>
public sealed class FingerprintTests
{
    /// <summary>As a build with symbols has it.</summary>
    private const string Before = """
           at Antbot.Risk.Core.RiskDecider.Assess(RiskState state, AssessRisk message, DateTimeOffset now) in /src/services/Antbot.Risk/Core/RiskDecider.cs:line 88
           at Antbot.Risk.Core.RiskDecider.<>c__DisplayClass3_0.<With>b__1(RiskState state, Object input, DateTimeOffset now) in /src/services/Antbot.Risk/Core/RiskDecider.cs:line 41
           at Antbot.Runtime.Pipeline.StreamPipeline`1.<>c__DisplayClass4_0.<HandleAsync>b__0(TState state, DateTimeOffset now)
           at Antbot.Runtime.Pipeline.StreamLane`1.<DecideAsync>d__12.MoveNext()
        --- End of stack trace from previous location ---
           at Antbot.Runtime.Pipeline.StreamPipeline`1.HandleAsync(StreamId stream, Input input, CancellationToken cancellationToken)
           at MassTransit.Middleware.HandlerFilter`1.MassTransit.IFilter<MassTransit.ConsumeContext<TMessage>>.Send(ConsumeContext`1 context, IPipe`1 next)
           at Antbot.Messaging.Guard.<<TryAsync>g__Once|9_0>d.MoveNext()
        """;

    /// <summary>The next build: other lines, closures numbered otherwise, a parameter more, no symbols, state machines named by the runtime.</summary>
    private const string After = """
           at Antbot.Risk.Core.RiskDecider.Assess(RiskState state, AssessRisk message, RiskLimits limits, DateTimeOffset now) + 0x1c4
           at Antbot.Risk.Core.RiskDecider.<>c__DisplayClass7_2.<With>b__14(RiskState state, Object input, DateTimeOffset now)
           at Antbot.Runtime.Pipeline.StreamPipeline`1.<>c.<HandleAsync>b__6_0(TState state, DateTimeOffset now) in D:\a\antbot\shared\StreamPipeline.cs:line 61
           at Antbot.Runtime.Pipeline.StreamLane`1.DecideAsync(List`1 round) in D:\a\antbot\shared\StreamLane.cs:line 102
           at System.Runtime.CompilerServices.TaskAwaiter.ThrowForNonSuccess(Task task)
           at Antbot.Runtime.Pipeline.StreamPipeline`1.HandleAsync(StreamId stream, Input input, CancellationToken cancellationToken) [0x00012] in <4f2a>:0
           at MassTransit.Middleware.OtherFilter`1.Send(ConsumeContext`1 context, IPipe`1 next)
           at Antbot.Messaging.Guard.<<TryAsync>g__Once|14_3>d.MoveNext()
        """;

    [Fact]
    public void Two_builds_have_one_fingerprint_for_one_cause()
    {
        Assert.Equal(
            ["Antbot.Risk.Core.RiskDecider.Assess", "Antbot.Risk.Core.RiskDecider.With", "Antbot.Runtime.Pipeline.StreamPipeline.HandleAsync", "Antbot.Runtime.Pipeline.StreamLane.DecideAsync", "Antbot.Runtime.Pipeline.StreamPipeline.HandleAsync"],
            Fingerprint.FramesOf(Before));
        Assert.Equal(Fingerprint.FramesOf(Before), Fingerprint.FramesOf(After));
        Assert.Equal(Of(stack: Before, message: "1 is too much"), Of(stack: After, message: "so is 2"));
    }

    /// <summary>What this very build throws, through a closure, a local function and a state machine.</summary>
    [Fact]
    public async Task A_real_stack_names_the_methods_that_people_wrote()
    {
        var depth = 3;
        async Task<int> ThrowLaterAsync(int n)
        {
            await Task.Yield();
            return Enumerable.Range(0, n).Select(i => i / (depth - 3)).Last();
        }
        var thrown = await Assert.ThrowsAsync<DivideByZeroException>(() => ThrowLaterAsync(depth));
        var test = $"{typeof(FingerprintTests).FullName}.{nameof(A_real_stack_names_the_methods_that_people_wrote)}";
        Assert.Equal([test, $"{test}.{nameof(ThrowLaterAsync)}"], Fingerprint.FramesOf(thrown.StackTrace!).Take(2));
    }

    [Theory]
    [InlineData("at Antbot.X.<>c.<<HandleAsync>b__5_0>d.MoveNext()", "Antbot.X.HandleAsync")]
    [InlineData("at Antbot.X.<Antbot.IFoo.Bar>b__3_1(Int32 n)", "Antbot.X.Antbot.IFoo.Bar")]
    [InlineData("at Antbot.X`2.Y[T](T t)", "Antbot.X.Y")]
    [InlineData("at Antbot.X..ctor(Int32 n)", "Antbot.X.ctor")]
    [InlineData("at Antbot.X.<Run>g__Step|7_1(<>c__DisplayClass7_0&)", "Antbot.X.Run.Step")]
    public void What_compilers_add_to_a_name_is_left_out(string line, string method) => Assert.Equal([method], Fingerprint.FramesOf(line));

    /// <summary>Of a stack that was cut off the last line may be any part of a name.</summary>
    [Fact]
    public void A_line_without_its_end_says_nothing() => Assert.Equal(["Antbot.X.Y"], Fingerprint.FramesOf("   at Antbot.X.Y(Int32 n)\n   at Antbot.Messaging.Gua… (5,312 characters)"));

    [Theory]
    [InlineData("The message has 5,242,880 bytes; 4,194,304 are the limit.", "The message has 6 bytes; 4,194,305 are the limit.")]
    [InlineData("Trade 0123456789abcdef0123456789abcdef is over", "Trade ffffffffffffffffffffffffffffffff is over")]
    [InlineData("'0xE2' is an invalid start of a value. LineNumber: 0 | BytePositionInLine: 7.", "'x' is an invalid start of a value. LineNumber: 12 | BytePositionInLine: 993.")]
    [InlineData("at 2026-11-22T12:30:05Z it's late", "at 2027-01-02T03:04:05.678Z it's late")]
    public void What_differs_from_message_to_message_is_left_out(string one, string other)
    {
        Assert.Equal(Fingerprint.MessageOf(one), Fingerprint.MessageOf(other));
        Assert.Equal(Of(message: one), Of(message: other));
    }

    [Fact]
    public void Another_place_another_type_another_message_and_another_endpoint_are_other_causes()
    {
        string[] all =
        [
            Of(), Of(endpoint: "execution"), Of(kind: DeadLetterKind.Broker), Of(type: "TradeClosed"), Of(fault: "System.ArgumentException"), Of(message: "There is no price."), Of(stack: Before),
            Of(stack: Before.Replace("RiskDecider.Assess", "RiskDecider.Close", StringComparison.Ordinal)),
        ];
        Assert.Equal(all.Length, all.Distinct().Count());
    }

    /// <summary>Whatever text somebody sends: it has one, always the same.</summary>
    [Fact]
    public void Any_text_has_a_fingerprint_and_always_the_same() => Check.QuickThrowOnFailure(Prop.ForAll(
        ArbMap.Default.ArbFor<string?>(), ArbMap.Default.ArbFor<string?>(),
        (message, stack) => Of(message: message ?? "", stack: $"   at Antbot.<{stack}>(\n{stack}") == Of(message: message ?? "", stack: $"   at Antbot.<{stack}>(\n{stack}")));

    [Fact]
    public void Texts_without_end_take_no_time_without_end()
    {
        var long_ = string.Concat(Enumerable.Repeat("at Antbot.<<<''''", 1_000_000));
        Assert.NotEmpty(Of(type: long_, fault: long_, message: long_, stack: long_));
    }

    private static string Of(string endpoint = "risk", DeadLetterKind kind = DeadLetterKind.Fault, string type = "AssessRisk", string fault = "System.InvalidOperationException", string message = "It failed.", string stack = "") =>
        Fingerprint.Of(endpoint, kind, type, fault, message, stack);
}
