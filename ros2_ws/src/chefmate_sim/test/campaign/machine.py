"""The campaign's state machine: everything that may happen to a driver, in any order."""

import contextlib
import random

import numpy as np
from campaign.commands import SOURCES, Swing, goals, rubbish
from campaign.hardware import hardware_faults
from campaign.rig import CALIBRATION, CampaignRig
from campaign.tally import Tally
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from chefmate_core.calibration import RAD_PER_TICK
from chefmate_core.driver.arm_driver import DriverState
from chefmate_core.errors import ChefMateError
from chefmate_core.joints import JOINT_COUNT, JOINT_NAMES
from chefmate_core.safety.command import Command
from chefmate_core.servo.registers import P_COEFFICIENT
from chefmate_sim.virtual_bus import Fault, FaultKind, Traffic
from chefmate_sim.virtual_bus.hardware import RefusedEeprom, Twin

_CALM_S = 2.0  # for the servos' health to be seen to be good again
_BRAKING_S = 0.3  # from the highest speed of any preset to a stand: 0.17 s
_LATE_S = 0.006  # real time: longer than the driver waits for a reply
_FLOOD_PER_CYCLE = 20  # 2 kHz at 100 Hz
_IDS = st.sampled_from(CALIBRATION.ids)
_JOINTS = st.integers(0, JOINT_COUNT - 1)
_ID_OR_ANY = st.one_of(st.none(), _IDS)
_COUNTS = st.integers(1, 40)
_SUMMED = ('goals', 'goals_driven', 'goals_lost', 'torque_ons', 'torque_losses', 'rests')
_PACES = st.sampled_from(['even', 'even', 'jitter', 'stalls'])
_SEEDS = st.integers(0, 2**16)


def steps(count: int, pace: str, seed: int) -> list[float]:
    """Return cycle lengths in nominal periods."""
    rng = random.Random(seed)
    if pace == 'jitter':
        return [rng.uniform(0.3, 2.5) for _ in range(count)]
    if pace == 'stalls':
        return [float(rng.randint(1, 50)) if rng.random() < 0.1 else 1.0 for _ in range(count)]
    return [1.0] * count


class Campaign(RuleBasedStateMachine):
    """See the module's docstring. `tally` sums over all runs of the class.

    Rules that make no sense at the moment do nothing, instead of having preconditions: those
    must not depend on how quick the machine was, or hypothesis could not replay a run.
    """

    tally = Tally()

    @initialize(
        preset=st.sampled_from(['careful', 'careful', 'normal', 'fast']),
        rate_hz=st.sampled_from([100.0, 100.0, 200.0]),
        estop_mode=st.sampled_from(['hold', 'limp']),
        seed=_SEEDS,
        start=st.sampled_from(['inside', 'at a limit', 'anywhere']),
    )
    def set_up(self, preset, rate_hz, estop_mode, seed, start) -> None:
        self.rig = CampaignRig(self._pose(start, seed), preset, rate_hz, estop_mode, seed)
        self.wants_torque = False
        self.estopped = False
        self.rig.start()
        self._engage()

    # --- time ------------------------------------------------------------------------------------

    @rule(count=_COUNTS, pace=_PACES, seed=_SEEDS)
    def time_passes(self, count, pace, seed) -> None:
        self._run(count, pace, seed)

    @rule(hours=st.floats(-30.0, 30.0), count=_COUNTS)
    def the_wall_clock_is_set(self, hours, count) -> None:
        self.rig.clock.wall_offset_s += hours * 3600.0
        self._count('clock_jumps')
        self._run(count)

    # --- commands --------------------------------------------------------------------------------

    @rule(
        share=st.floats(0.2, 1.5),
        frequency_hz=st.floats(0.2, 2.0),
        towards=st.lists(st.sampled_from([-1, 1]), min_size=6, max_size=6).map(np.array),
        source=st.sampled_from(SOURCES),
        count=st.integers(10, 150),
        pace=_PACES,
        seed=_SEEDS,
    )
    def somebody_moves_the_arm(
        self, share, frequency_hz, towards, source, count, pace, seed
    ) -> None:
        rig = self.rig
        speed = rig.config.max_velocity_rad_s
        swing = Swing(rig.model.position_rad(), speed, share, frequency_hz, towards)
        began_s = rig.clock()
        for step in steps(count, pace, seed):
            self._send('honest', JOINT_NAMES, swing.at(rig.clock() - began_s), source)
            rig.cycle(step * rig.period_s)

    @rule(goal=goals, source=st.sampled_from(SOURCES), count=_COUNTS, pace=_PACES, seed=_SEEDS)
    def somebody_repeats_one_goal(self, goal, source, count, pace, seed) -> None:
        for step in steps(count, pace, seed):
            self._send('repeated', JOINT_NAMES, goal, source)
            self.rig.cycle(step * self.rig.period_s)

    @rule(commands=st.lists(rubbish(), min_size=1, max_size=8), count=_COUNTS)
    def somebody_sends_rubbish(self, commands, count) -> None:
        for command in commands:
            self.rig.command(command.at(self.rig.clock.wall()))
            self._sent('rubbish')
        self._run(count)

    @rule(first=goals, second=goals, count=_COUNTS)
    def two_publishers_send_at_once(self, first, second, count) -> None:
        for _ in range(count):
            self._send('of two', JOINT_NAMES, first, 'policy')
            self._send('of two', JOINT_NAMES, second, 'leader')
            self.rig.cycle()

    @rule(goal=goals, noise_rad=st.floats(0.0, 3.0), count=st.integers(1, 10), seed=_SEEDS)
    def somebody_floods_the_topic(self, goal, noise_rad, count, seed) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(count):
            for _ in range(_FLOOD_PER_CYCLE):
                scattered = goal + rng.uniform(-noise_rad, noise_rad, JOINT_COUNT)
                stamp_s = self.rig.clock.wall() + rng.uniform(-0.01, 0.01)
                self.rig.command(Command(JOINT_NAMES, scattered, stamp_s, 'flood'))
                self._sent('flood')
            self.rig.cycle()

    @rule(goal=goals, count=st.integers(200, 600))
    def hundreds_of_commands_arrive_between_two_cycles(self, goal, count) -> None:
        for index in range(count):
            stamp_s = self.rig.clock.wall() + index * 1e-6
            self.rig.command(Command(JOINT_NAMES, goal * index / count, stamp_s, 'burst'))
            self._sent('burst')
        self.rig.cycle()

    # --- requests --------------------------------------------------------------------------------

    @rule(active=st.booleans(), count=_COUNTS)
    def the_emergency_stop_is_pressed_or_released(self, active, count) -> None:
        if not self.rig.is_running:
            return
        driver = self.rig.driver
        error = self.rig.ask(lambda: driver.set_estop(active))
        if active:
            assert driver.estopped, f'a stop that was pressed is not latched ({error})'
        self.estopped = driver.estopped
        self._count('estops' if active else 'estop_releases')
        self._run(count)

    @rule(goal=goals, count=_COUNTS)
    def a_stopped_arm_is_commanded_and_stands(self, goal, count) -> None:
        rig = self.rig
        if not rig.driver.estopped or rig.driver.state is not DriverState.DRIVING:
            return
        rig.run(_BRAKING_S)
        before = rig.held_ticks()
        for _ in range(count):
            self._send('while stopped', JOINT_NAMES, goal, 'policy')
            rig.cycle()
        after = rig.held_ticks()
        for index in before.keys() & after.keys():
            moved = abs(after[index] - before[index])
            assert moved <= 1, f'{JOINT_NAMES[index]} moved by {moved} ticks while stopped'

    @rule(count=_COUNTS)
    def torque_is_asked_for(self, count) -> None:
        if not self.rig.is_running:
            return
        self._engage()
        self._run(count)

    @rule(count=_COUNTS)
    def torque_is_released(self, count) -> None:
        if not self.rig.is_running:
            return
        self.rig.ask(self.rig.driver.release)
        self.wants_torque = False
        self._count('releases')
        self._run(count)

    @rule(torque_off=st.booleans(), anew=st.booleans(), count=_COUNTS)
    def the_driver_is_stopped(self, torque_off, anew, count) -> None:
        if not self.rig.is_running:
            return
        self.rig.stop(torque_off)
        if anew:
            self.rig.replace_driver()
        self.wants_torque = False
        self._count('driver_stops')
        self._run(count)

    @rule(engage=st.booleans())
    def the_driver_is_started(self, engage) -> None:
        if self.rig.is_running:
            return
        try:
            self.rig.start()
        except ChefMateError:
            return  # told; nothing runs
        self._count('driver_starts')
        if engage:
            self._engage()

    # --- the bus and the arm ---------------------------------------------------------------------

    @rule(
        kind=st.sampled_from(FaultKind),
        servo_id=_ID_OR_ANY,
        traffic=st.sampled_from(Traffic),
        strikes=st.integers(1, 20),
        count=_COUNTS,
    )
    def some_packets_are_damaged(self, kind, servo_id, traffic, strikes, count) -> None:
        self.rig.bus.faults.add(Fault(kind, servo_id, strikes, delay_s=_LATE_S, traffic=traffic))
        self._run(count)

    @rule(
        kind=st.sampled_from(FaultKind),
        traffic=st.sampled_from(Traffic),
        probability=st.floats(0.01, 0.2),
        count=_COUNTS,
    )
    def the_line_is_bad(self, kind, traffic, probability, count) -> None:
        self.rig.bus.faults.add(
            Fault(kind, None, None, probability, delay_s=_LATE_S, traffic=traffic)
        )
        self._run(count)

    @rule(servo_id=_IDS, count=_COUNTS)
    def a_servo_dies(self, servo_id, count) -> None:
        self.rig.bus.faults.kill(servo_id)
        self._count('deaths')
        self._run(count)

    @rule(servo_id=_IDS, count=_COUNTS)
    def a_servo_comes_back(self, servo_id, count) -> None:
        self.rig.bus.faults.revive(servo_id)
        self._run(count)

    @rule(on=st.booleans(), count=_COUNTS)
    def the_adapter_hears_itself(self, on, count) -> None:
        self.rig.bus.faults.echo = on
        self._count('echoes')
        self._run(count)

    @rule(power_lost=st.booleans(), count=_COUNTS, later=_COUNTS)
    def the_plug_is_pulled_and_put_back(self, power_lost, count, later) -> None:
        self.rig.hang_up(power_lost)
        self._count('hang_ups_with_power_lost' if power_lost else 'hang_ups')
        self._run(count)
        self.rig.bus.plug_in()
        self._run(later)

    @rule(fault=hardware_faults, count=st.integers(1, 150))
    def something_goes_wrong_with_the_servos(self, fault, count) -> None:
        self.rig.bus.hardware.add(fault)
        self._broke(fault)
        self._run(count)

    @rule(index=_JOINTS, other=_IDS)
    def two_servos_have_one_id(self, index, other) -> None:
        if self.rig.is_running:
            return
        twin = Twin(index, other)
        if CALIBRATION.ids[index] == other:
            return
        self.rig.bus.hardware.add(twin)
        self._broke(twin)
        self._must_refuse_to_start()
        self.rig.bus.hardware.clear(Twin)

    @rule(index=_JOINTS, value=st.integers(17, 40))
    def a_servo_was_set_up_by_others_and_keeps_to_it(self, index, value) -> None:
        if self.rig.is_running:
            return
        self.rig.bus.servos[index].memory.set_lasting(P_COEFFICIENT, value)
        refusal = RefusedEeprom(index, P_COEFFICIENT)
        self.rig.bus.hardware.add(refusal)
        self._broke(refusal)
        self._must_refuse_to_start()
        self.rig.bus.hardware.clear(RefusedEeprom)

    @rule(place=st.sampled_from(['inside', 'at a limit']), seed=_SEEDS)
    def a_hand_moves_the_limp_arm(self, place, seed) -> None:
        if any(self.rig.torque()):
            return
        self.rig.model.place(self._pose(place, seed))
        self._count('hands')

    @rule()
    def the_faults_end_and_the_driver_recovers(self) -> None:
        self._recover()

    # --- always ----------------------------------------------------------------------------------

    @invariant()
    def nothing_was_broken(self) -> None:
        if hasattr(self, 'rig'):
            self._count('steps')
            self.rig.check()

    def teardown(self) -> None:
        if not hasattr(self, 'rig'):
            return
        try:
            self._recover()
            self._follow_again()
        finally:
            self._sum_up()
            self.rig.close()

    # --- how -------------------------------------------------------------------------------------

    def _run(self, count: int, pace: str = 'even', seed: int = 0) -> None:
        for step in steps(count, pace, seed):
            self.rig.cycle(step * self.rig.period_s)

    def _send(self, kind: str, names, positions_rad, source: str) -> None:
        self.rig.command(Command(names, positions_rad, self.rig.clock.wall(), source))
        self._sent(kind)

    def _engage(self) -> None:
        if self.rig.ask(self.rig.driver.engage) is None:
            self.wants_torque = True
        self._count('engages')

    def _must_refuse_to_start(self) -> None:
        with contextlib.suppress(ChefMateError):
            self.rig.start()
        assert not self.rig.is_running, 'the driver started with servos that are not set up'

    def _broke(self, fault) -> None:
        self.tally.faults[type(fault).__name__] += 1

    def _recover(self) -> None:
        rig = self.rig
        rig.end_faults()
        if not rig.is_running:
            rig.start()
            self._engage()
        took_s = rig.recover(self.wants_torque)
        if took_s[0] > 0.0:
            self.tally.recoveries.append(took_s)

    def _follow_again(self) -> None:
        """Whatever happened: released and asked for torque, the arm goes where it is told."""
        rig = self.rig
        rig.run(_CALM_S)
        assert (error := rig.ask(lambda: rig.driver.set_estop(False))) is None, error
        assert (error := rig.ask(rig.driver.engage)) is None, error
        rig.run(0.3)
        goal = (CALIBRATION.lower_limits_rad + CALIBRATION.upper_limits_rad) / 2
        for _ in range(round(12.0 * rig.rate_hz)):
            rig.send(goal, 'the end')
            rig.cycle()
            error_rad = np.abs(rig.model.position_rad() - goal).max()
            if error_rad < 3 * RAD_PER_TICK:
                return
        raise AssertionError(
            f'12 s after the faults ended the arm is {error_rad:.3f} rad from where it is told '
            f'to be; {rig.driver.state}, {rig.driver.gate.mode}, {rig.driver.gate.counters}'
        )

    def _pose(self, place: str, seed: int) -> np.ndarray:
        """Return joint positions; `anywhere` may be outside the margin, inside the range."""
        rng = np.random.default_rng(seed)
        lower, upper = CALIBRATION.lower_limits_rad, CALIBRATION.upper_limits_rad
        if place == 'inside':
            return rng.uniform(lower + 0.1, upper - 0.1)
        if place == 'at a limit':
            inside = rng.uniform(0.0, 0.02, JOINT_COUNT)
            return np.where(rng.random(JOINT_COUNT) < 0.5, lower + inside, upper - inside)
        return rng.uniform(lower, upper)

    def _count(self, name: str) -> None:
        self.tally.counts[name] += 1

    def _sent(self, kind: str) -> None:
        self.tally.commands[kind] += 1
        self.tally.counts['commands'] += 1

    def _sum_up(self) -> None:
        rig, tally = self.rig, self.tally
        tally.counts['runs'] += 1
        tally.counts['cycles'] += rig.cycles
        statistics = rig.monitor.statistics()
        for name in _SUMMED:
            tally.counts[name] += int(statistics.get(name, 0))
        tally.counts['violations'] += rig.monitor.violation_count
        tally.refusals.update(rig.driver.gate.counters)
        tally.faults.update({kind.name: n for kind, n in rig.bus.faults.done.items()})
        for index, name in enumerate(JOINT_NAMES):
            tally.max_velocity_share = max(
                tally.max_velocity_share,
                statistics[f'{name}_max_velocity_rad_s'] / rig.config.max_velocity_rad_s[index],
            )
            tally.max_acceleration_share = max(
                tally.max_acceleration_share,
                statistics[f'{name}_max_acceleration_rad_s2']
                / rig.config.max_acceleration_rad_s2[index],
            )
