using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Coordinator;
using Antbot.Coordinator.Core;
using MassTransit;
using MassTransit.Context;
using Xunit;
using Some = Antbot.Core.Tests.Coordinator.Some;

namespace Antbot.Integration.Tests.Coordinator;

/// <summary>The state machine and the decider are one table: every cell is tried on both.</summary>
public sealed class TradeSagaTests
{
    /// <summary>It has hardly any time left.</summary>
    private static readonly Signal Late = Some.Signal with { RaisedAt = Some.Now.AddSeconds(-29), ValidUntil = Some.Now.AddSeconds(1) };

    [Fact]
    public async Task In_every_phase_every_message_leads_both_to_the_same_place()
    {
        var probe = new Probe();
        var bus = Bus.Factory.CreateUsingInMemory(configure => configure.ReceiveEndpoint("trade", e => e.StateMachineSaga(new TradeSaga(), probe)));
        await bus.StartAsync(TestContext.Current.CancellationToken);
        try
        {
            var endpoint = await bus.GetSendEndpoint(new Uri("queue:trade"));
            var cells = 0;
            foreach (var phase in Enum.GetValues<TradePhase>())
            {
                foreach (var (cancelling, late) in new[] { (false, false), (true, false), (false, true) })
                {
                    var state = Some.In(phase, cancelling);
                    if (late && state.Signal is not null)
                        state = state with { Signal = Late };
                    foreach (var message in Some.Messages.Select(m => late && m is SignalRaised ? new SignalRaised(Late) : m).Append(new DeadlineReached(Some.Trade, phase, state.Due ?? Some.Now)))
                    {
                        var (went, decided) = await probe.TryAsync(state, () => endpoint.Send(message, message.GetType(), TestContext.Current.CancellationToken));
                        Assert.True(went == decided, $"{message.GetType().Name} in {phase}{(cancelling ? ", cancelling" : "")}{(late ? ", too late" : "")}: the machine went to {went}, the decision to {decided}");
                        cells++;
                    }
                }
            }
            Assert.Equal(Enum.GetValues<TradePhase>().Length * 3 * (Some.Messages.Count + 1), cells);
        }
        finally
        {
            await bus.StopAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public void The_machine_knows_every_phase_and_every_message()
    {
        var machine = new TradeSaga();
        Assert.Equal(
            Enum.GetValues<TradePhase>().Select(TradeSaga.StateOf).Append("Final").Order(StringComparer.Ordinal),
            machine.States.Select(s => s.Name).Order(StringComparer.Ordinal));
        Assert.Equal(
            TradeDecider.Messages.Select(m => m.Name).Order(StringComparer.Ordinal),
            machine.Events.Select(e => e.Name).Where(n => TradeDecider.Messages.Any(m => m.Name == n)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_drawing_in_the_readme_is_the_machine()
    {
        var drawing = MachineDrawing.Of(new TradeSaga());
        Assert.Contains("Executing --> Open: TradeOpened", drawing, StringComparison.Ordinal);
        var readme = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "services", "Antbot.Coordinator", "README.md"));
        Assert.True(readme.ReplaceLineEndings("\n").Contains(drawing, StringComparison.Ordinal), $"The machine has changed. Put this drawing into the Coordinator's README:\n{drawing}");
    }

    /// <summary>Opens the instance on a given state, lets the machine run, and says where each of the two went.</summary>
    private sealed class Probe : ISagaRepository<TradeInstance>
    {
        private TradeState _state = TradeState.Initial;
        private TaskCompletionSource<(string, string)> _answer = new();

        public async Task<(string Machine, string Decider)> TryAsync(TradeState state, Func<Task> send)
        {
            _state = state;
            _answer = new TaskCompletionSource<(string, string)>(TaskCreationOptions.RunContinuationsAsynchronously);
            await send();
            return await _answer.Task.WaitAsync(TimeSpan.FromSeconds(10));
        }

        public async Task Send<T>(ConsumeContext<T> context, ISagaPolicy<TradeInstance, T> policy, IPipe<SagaConsumeContext<TradeInstance, T>> next)
            where T : class
        {
            var instance = new TradeInstance
            {
                CorrelationId = context.CorrelationId!.Value,
                CurrentState = TradeSaga.StateOf(_state.Phase),
                Trade = _state,
                Now = Some.Now,
                Patience = TradePatience.Default,
            };
            var machine = await OutcomeAsync(async () =>
            {
                await policy.Existing(new DefaultSagaConsumeContext<TradeInstance, T>(context, instance), next);
                return instance.CurrentState;
            });
            var decider = await OutcomeAsync(() => Task.FromResult(TradeSaga.StateOf(
                TradeDecider.Decide(_state, (ITradeMessage)context.Message, Some.Now, TradePatience.Default).Aggregate(_state, TradeState.Fold.Apply).Phase)));
            _answer.TrySetResult((machine, decider));
        }

        public Task SendQuery<T>(ConsumeContext<T> context, ISagaQuery<TradeInstance> query, ISagaPolicy<TradeInstance, T> policy, IPipe<SagaConsumeContext<TradeInstance, T>> next)
            where T : class => throw new NotSupportedException();


        void IProbeSite.Probe(ProbeContext context)
        {
        }

        private static async Task<string> OutcomeAsync(Func<Task<string>> run)
        {
            try
            {
                return await run();
            }
            catch (Exception e) when (e is PredecessorMissingException || e.InnerException is PredecessorMissingException)
            {
                return "held";
            }
        }
    }
}
