using Antbot.Watchdog.Core;
using Xunit;

namespace Antbot.Core.Tests.Watchdog;

public sealed class RestartPolicyTests
{
    [Fact]
    public void What_dies_is_started_again_at_once_and_then_ever_more_slowly_up_to_a_minute()
    {
        var state = RestartState.Initial;
        var pauses = new List<TimeSpan>();
        for (var i = 0; i < 40; i++)
        {
            var after = Assert.IsType<Restart.After>(RestartPolicy.Decide(state, new ProcessEnd(137, TimeSpan.FromSeconds(1))));
            pauses.Add(after.Pause);
            state = after.State;
        }
        Assert.Equal(RestartPolicy.PauseMin, pauses[0]);
        Assert.Equal(pauses.Order(), pauses);
        Assert.Equal(RestartPolicy.PauseMax, pauses[^1]);
    }

    [Fact]
    public void What_ran_long_enough_was_sound_and_is_started_at_once_again() =>
        Assert.Equal(RestartPolicy.PauseMin, Assert.IsType<Restart.After>(RestartPolicy.Decide(new RestartState(12), new ProcessEnd(137, RestartPolicy.Sound))).Pause);

    [Fact]
    public void A_wrong_configuration_is_not_tried_again() =>
        Assert.IsType<Restart.Never>(RestartPolicy.Decide(RestartState.Initial, new ProcessEnd(RestartPolicy.InvalidConfiguration, TimeSpan.FromSeconds(1))));
}
