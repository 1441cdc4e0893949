"""What all rules of the campaign stand on: the rig, the sums, what holds always, and the end."""

from collections.abc import Callable

import numpy as np
from campaign.pace import COUNTS, PACES, SEEDS, steps
from campaign.rig import CALIBRATION, CampaignRig
from campaign.tally import Tally
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chefmate_core.calibration import RAD_PER_TICK
from chefmate_core.errors import ChefMateError
from chefmate_core.joints import JOINT_COUNT
from chefmate_core.safety.command import Command

_CALM_S = 2.0  # for the servos' health to be seen to be good again
_ATTEMPTS = 5
_RETRY_S = 0.5
_FOLLOW_S = 12.0  # across the whole range at blend speed


class Foundation(RuleBasedStateMachine):
    """See the module's docstring. `tally` sums over all runs of the class.

    Rules that make no sense at the moment do nothing, instead of having preconditions: those
    must not depend on how quick the machine was, or hypothesis could not replay a run.
    """

    tally = Tally()

    @initialize(
        preset=st.sampled_from(['careful', 'careful', 'normal', 'fast']),
        rate_hz=st.sampled_from([100.0, 100.0, 200.0]),
        estop_mode=st.sampled_from(['hold', 'limp']),
        seed=SEEDS,
        start=st.sampled_from(['inside', 'at a limit', 'anywhere']),
    )
    def set_up(self, preset, rate_hz, estop_mode, seed, start) -> None:
        self.rig = CampaignRig(self.pose(start, seed), preset, rate_hz, estop_mode, seed)
        self.wants_torque = False
        self._start()
        self.engage()

    # --- time ------------------------------------------------------------------------------------

    @rule(count=COUNTS, pace=PACES, seed=SEEDS)
    def time_passes(self, count, pace, seed) -> None:
        self.run(count, pace, seed)

    @rule(hours=st.floats(-30.0, 30.0), count=COUNTS)
    def the_wall_clock_is_set(self, hours, count) -> None:
        self.rig.clock.wall_offset_s += hours * 3600.0
        self.count('clock_jumps')
        self.run(count)

    @rule()
    def the_faults_end_and_the_driver_recovers(self) -> None:
        self.recover()

    # --- always ----------------------------------------------------------------------------------

    @invariant()
    def nothing_was_broken(self) -> None:
        if hasattr(self, 'rig'):
            self.count('steps')
            self.rig.check()

    def teardown(self) -> None:
        if not hasattr(self, 'rig'):
            return
        try:
            self.recover()
            self._follow_again()
        finally:
            self._sum_up()
            self.rig.close()

    # --- how -------------------------------------------------------------------------------------

    def run(self, count: int, pace: str = 'even', seed: int = 0) -> None:
        for step in steps(count, pace, seed):
            self.rig.cycle(step * self.rig.period_s)

    def send(self, kind: str, names, positions_rad, source: str) -> None:
        self.rig.command(Command(names, positions_rad, self.rig.clock.wall(), source))
        self.sent(kind)

    def engage(self) -> None:
        if self.rig.ask(self.rig.driver.engage) is None:
            self.wants_torque = True
        self.count('engages')

    def recover(self) -> None:
        rig = self.rig
        rig.end_faults()
        if not rig.is_running:
            self._start()
            self.engage()
        took_s = rig.recover(self.wants_torque)
        if took_s[0] > 0.0:
            self.tally.recoveries.append(took_s)

    def _start(self) -> None:
        def start() -> ChefMateError | None:
            try:
                self.rig.start()
            except ChefMateError as error:
                return error
            return None

        self._insist(start)

    def _insist(self, attempt: Callable[[], ChefMateError | None]) -> None:
        """Without faults it succeeds; a machine that stalls in real time may need more tries."""
        for _ in range(_ATTEMPTS):
            error = attempt()
            if error is None:
                return
            self.rig.run(_RETRY_S)
        raise AssertionError(f'without faults, refused {_ATTEMPTS} times: {error}')

    def _follow_again(self) -> None:
        """Whatever happened: released and asked for torque, the arm goes where it is told."""
        rig = self.rig
        rig.run(_CALM_S)
        self._insist(lambda: rig.ask(lambda: rig.driver.set_estop(False)))
        self._insist(lambda: rig.ask(rig.driver.engage))
        rig.run(0.3)
        goal = (CALIBRATION.lower_limits_rad + CALIBRATION.upper_limits_rad) / 2
        for _ in range(round(_FOLLOW_S * rig.rate_hz)):
            rig.send(goal, 'the end')
            rig.cycle()
            error_rad = np.abs(rig.model.position_rad() - goal).max()
            if error_rad < 3 * RAD_PER_TICK:
                return
        raise AssertionError(
            f'{_FOLLOW_S} s after the faults ended the arm is {error_rad:.3f} rad from where it '
            f'should be; {rig.driver.state}, {rig.driver.gate.mode}, {rig.driver.gate.counters}'
        )

    def pose(self, place: str, seed: int) -> np.ndarray:
        """Return joint positions; `anywhere` may be outside the margin, inside the range."""
        rng = np.random.default_rng(seed)
        lower, upper = CALIBRATION.lower_limits_rad, CALIBRATION.upper_limits_rad
        if place == 'inside':
            return rng.uniform(lower + 0.1, upper - 0.1)
        if place == 'at a limit':
            inside = rng.uniform(0.0, 0.02, JOINT_COUNT)
            return np.where(rng.random(JOINT_COUNT) < 0.5, lower + inside, upper - inside)
        return rng.uniform(lower, upper)

    def count(self, name: str) -> None:
        self.tally.counts[name] += 1

    def sent(self, kind: str) -> None:
        self.tally.commands[kind] += 1
        self.tally.counts['commands'] += 1

    def _sum_up(self) -> None:
        rig, tally = self.rig, self.tally
        tally.counts['runs'] += 1
        tally.counts['cycles'] += rig.cycles
        tally.refusals.update(rig.driver.gate.counters)
        tally.faults.update({kind.name: n for kind, n in rig.bus.faults.done.items()})
        tally.add_monitor(rig.monitor, rig.config)
