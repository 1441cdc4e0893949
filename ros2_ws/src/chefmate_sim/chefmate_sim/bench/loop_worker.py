"""One measured loop, in a process of its own: the real driver, or a bare sleeping loop.

Asked for `drive` or `bare`, it keeps a rate for a while and answers with every period, in
microseconds, so that who asked can take any percentile.
"""

import gc
import math
import threading
import time
from typing import Any

import numpy as np

from chefmate_core.driver.arm_driver import ArmDriver, DriverState
from chefmate_core.errors import BusError
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.realtime import RealtimeConfig, make_realtime
from chefmate_core.safety.command import Command
from chefmate_core.safety.config import load_preset
from chefmate_core.safety.gate import SafetyGate
from chefmate_core.servo.arm import ArmReading, FeetechArm
from chefmate_core.timing import Durations
from chefmate_sim.bench.virtual_arm import CALIBRATION
from chefmate_sim.bench.worker import serve

# What the collector has to go through in a ROS node: `len(gc.get_objects())` with arm_driver_node
# imported. And what a callback leaves to it: futures and exceptions refer to themselves.
BALLAST_OBJECTS = 40_000
LITTER_OBJECTS = 20  # a command
COMMAND_HZ = 100.0
SWING_RAD, SWING_HZ = 0.3, 0.2  # of the commanded motion: well inside `careful`


class TimedArm(FeetechArm):
    """The arm, with a watch on its two calls of a cycle."""

    def watch(self, kept: int) -> None:
        """Forget what was measured and begin anew."""
        self.reads, self.writes = Durations(kept), Durations(kept)

    def read(self, *arguments: Any, **options: Any) -> ArmReading:
        """Read, timed."""
        before_s = time.perf_counter()
        reading = super().read(*arguments, **options)
        self.reads.add(time.perf_counter() - before_s)
        return reading

    def write_goal(self, position_rad: np.ndarray) -> np.ndarray:
        """Write, timed."""
        before_s = time.perf_counter()
        sent = super().write_goal(position_rad)
        self.writes.add(time.perf_counter() - before_s)
        return sent


class Collections:
    """Every stop of the collector, whoever asked for it. Usable as a context manager."""

    def __init__(self) -> None:
        self.pauses_s: list[list[float]] = [[], [], []]
        self._from_s = 0.0

    def __enter__(self) -> 'Collections':
        gc.callbacks.append(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        gc.callbacks.remove(self._note)

    def forget(self) -> None:
        """Begin anew."""
        self.pauses_s = [[], [], []]

    def as_dict(self) -> dict[str, dict[str, float]]:
        """Return count and longest pause, ms, of each generation."""
        return {
            f'generation_{index}': {'count': len(s), 'max_ms': max(s, default=0.0) * 1e3}
            for index, s in enumerate(self.pauses_s)
        }

    def _note(self, phase: str, info: dict[str, int]) -> None:
        if phase == 'start':
            self._from_s = time.perf_counter()
        else:
            self.pauses_s[info['generation']].append(time.perf_counter() - self._from_s)


def drive(
    port: str,
    rate_hz: float,
    warm_up_s: float,
    begin_s: float,
    seconds: float,
    realtime: dict[str, Any] | None,
) -> dict[str, Any]:
    """Drive the arm after a stream of commands, from `begin_s` of the steady clock on."""
    kept = math.ceil(seconds * rate_hz * 1.1) + 1
    arm = TimedArm(port, CALIBRATION)
    arm.watch(kept)
    gate = SafetyGate(
        load_preset('careful'),
        CALIBRATION.lower_limits_rad,
        CALIBRATION.upper_limits_rad,
        1.0 / rate_hz,
    )
    config = None if realtime is None else RealtimeConfig(**realtime)
    driver = ArmDriver(arm, gate, rate_hz, realtime=config)
    ballast = [[index] for index in range(BALLAST_OBJECTS)]  # alive until the end
    done = threading.Event()
    commander = threading.Thread(target=_command, args=(driver, done), daemon=True)
    commander.start()
    driver.start()
    try:
        driver.engage()
        _sleep_until(begin_s - warm_up_s)
        with Collections() as collections:
            _sleep_until(begin_s)
            driver.ticker.periods = Durations(kept)
            driver.ticker.overruns = 0
            arm.watch(kept)
            collections.forget()
            before = dict(gate.counters)
            _sleep_until(begin_s + seconds)
            if driver.state is not DriverState.DRIVING:
                raise BusError(f'the arm was lost meanwhile: {driver.last_error}')
            return {
                'periods_us': _us(driver.ticker.periods),
                'reads_us': _us(arm.reads),
                'writes_us': _us(arm.writes),
                'overruns': driver.ticker.overruns,
                'gc': collections.as_dict(),
                'starvations': gate.counters['starvations'] - before.get('starvations', 0),
                'bus': arm.statistics.as_dict(),
                'realtime': driver.realtime.as_dict(),
                'garbage': driver.garbage.statistics(),
            }
    finally:
        done.set()
        driver.stop(torque_off=False)
        ballast.clear()


def bare(
    rate_hz: float, begin_s: float, seconds: float, realtime: dict[str, Any] | None
) -> dict[str, Any]:
    """Do nothing but sleep until the next deadline: what this machine can do at best."""
    report = None if realtime is None else make_realtime(RealtimeConfig(**realtime))
    try:
        period_s = 1.0 / rate_hz
        _sleep_until(begin_s)
        # Half a period beside the driver, which begins on the full one, as far as it can be.
        due_s = begin_s + period_s / 2
        woken_s = []
        while due_s < begin_s + seconds:
            time.sleep(max(0.0, due_s - time.monotonic()))
            woken_s.append(time.monotonic())
            due_s += period_s
    finally:
        if report is not None:
            report.undo()
    return {'periods_us': np.rint(np.diff(woken_s) * 1e6).astype(int).tolist()}


def _command(driver: ArmDriver, done: threading.Event) -> None:
    """Command a slow swing, and leave litter, from the thread that a ROS executor would be."""
    start_s = time.monotonic()
    while not done.wait(1.0 / COMMAND_HZ):
        angle = 2 * math.pi * SWING_HZ * (time.monotonic() - start_s)
        goal = [SWING_RAD * math.sin(angle)] * len(JOINT_NAMES)
        driver.command(Command(JOINT_NAMES, goal, time.time(), 'bench'))
        for _ in range(LITTER_OBJECTS):
            litter: list[Any] = []
            litter.append(litter)


def _sleep_until(deadline_s: float) -> None:
    time.sleep(max(0.0, deadline_s - time.monotonic()))


def _us(durations: Durations) -> list[int]:
    return np.rint(durations.newest_s() * 1e6).astype(int).tolist()


def main() -> None:
    """Answer until the input ends."""
    serve({'drive': drive, 'bare': bare})


if __name__ == '__main__':
    main()
