"""The recovery bench: how long until the arm holds, and follows, after something came back.

The driver runs here, the servos in a process of their own, and a command streams throughout, as it
would from an executor that knows nothing of the outage.
"""

import math
import random
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chefmate_core.driver.arm_driver import ArmDriver, DriverState
from chefmate_core.errors import ChefMateError
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.safety.command import Command
from chefmate_core.safety.config import load_preset
from chefmate_core.safety.gate import Mode, SafetyGate, Setpoint
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.timing import percentiles_ms
from chefmate_sim.bench.virtual_arm import CALIBRATION, VirtualArm

RATE_HZ = 100.0
SWING_RAD, SWING_HZ = 0.3, 0.2  # of the commanded motion: well inside `careful`
TOLERANCE_RAD = 0.02  # the setpoint is the command, but for the cycle between them
PATIENCE_S = 20.0
DEAD_SERVO = 3


class RecoveryError(ChefMateError, RuntimeError):
    """The driver did not come to where an outage could be tried."""


@dataclass(frozen=True)
class RecoveryBench:
    """What to measure."""

    times: int = 20  # each outage
    shortest_outage_s: float = 0.5  # the driver has noticed by then: 0.2 s at 100 Hz
    longest_outage_s: float = 1.5
    seed: int = 0  # of the outages' lengths


# name -> (begin, end): the end returns when it was done, s of the steady clock.
OUTAGES: Mapping[str, tuple[Callable[[VirtualArm], object], Callable[[VirtualArm], float]]] = {
    'port replugged': (VirtualArm.hang_up, VirtualArm.plug_in),
    'power back (brown-out)': (VirtualArm.cut_power, VirtualArm.restore_power),
    'dead servo back': (
        lambda arm: arm.silence(DEAD_SERVO),
        lambda arm: arm.revive(DEAD_SERVO),
    ),
}


def run(
    bench: RecoveryBench, advance: Callable[[str], None] = lambda what: None
) -> dict[str, dict[str, Any]]:
    """Measure; return outage -> numbers. `advance` is called before each outage."""
    lengths = random.Random(bench.seed)
    results = {}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        arm = stack.enter_context(VirtualArm(Path(folder) / 'arm', wire_time=True))
        rig = stack.enter_context(_Rig(arm))
        for name, (begin, end) in OUTAGES.items():
            holding_s, following_s, failures = [], [], 0
            for _ in range(bench.times):
                advance(name)
                if not rig.wait_following(since_s=time.monotonic()):
                    raise RecoveryError(
                        f'the arm does not follow before the outage ({name}); the driver says: '
                        f'{rig.driver.state}, {rig.driver.last_error or "no error"}'
                    )
                begin(arm)
                time.sleep(lengths.uniform(bench.shortest_outage_s, bench.longest_outage_s))
                back_s = end(arm)
                if rig.wait_following(back_s):
                    holding_s.append(rig.first_s(back_s, following=False) - back_s)
                    following_s.append(rig.first_s(back_s, following=True) - back_s)
                else:
                    failures += 1
            results[name] = {
                'times': bench.times,
                'failures': failures,
                **percentiles_ms(holding_s, 'holding'),
                **percentiles_ms(following_s, 'following'),
            }
    return results


class _Rig:
    """A driver that is commanded to swing, and when it did what."""

    def __init__(self, arm: VirtualArm) -> None:
        gate = SafetyGate(
            load_preset('careful'),
            CALIBRATION.lower_limits_rad,
            CALIBRATION.upper_limits_rad,
            1.0 / RATE_HZ,
        )
        self.driver = ArmDriver(
            FeetechArm(arm.port, CALIBRATION), gate, RATE_HZ, on_setpoint=self._note
        )
        self._goal_rad = np.zeros(len(JOINT_NAMES))
        self._lock = threading.Lock()
        self._events: list[tuple[float, bool]] = []  # (s, whether it followed), each setpoint
        self._done = threading.Event()
        self._commander = threading.Thread(target=self._command, daemon=True)

    def __enter__(self) -> '_Rig':
        self.driver.start()
        self.driver.engage()
        self._commander.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._commander.join()
        self.driver.stop(torque_off=False)

    def wait_following(self, since_s: float) -> bool:
        """Wait until the arm follows its command after `since_s`; return False if it never did."""
        with self._lock:  # what is older is over
            self._events = [event for event in self._events if event[0] > since_s]
        end_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s:
            if not math.isinf(self.first_s(since_s, following=True)):
                return True
            if self.driver.state in (DriverState.FAILED, DriverState.STOPPED):
                return False
            time.sleep(0.01)
        return False

    def first_s(self, since_s: float, following: bool) -> float:
        """Return when the first setpoint after `since_s` went out; infinity if none did."""
        with self._lock:
            return next(
                (at_s for at_s, does in self._events if at_s > since_s and does >= following),
                math.inf,
            )

    def _note(self, setpoint: Setpoint) -> None:
        # The driver writes setpoints only where torque is on, read back from every servo.
        distance_rad = np.max(np.abs(setpoint.position_rad - self._goal_rad))
        follows = setpoint.mode is Mode.FOLLOWING and distance_rad < TOLERANCE_RAD
        with self._lock:
            self._events.append((time.monotonic(), bool(follows)))

    def _command(self) -> None:
        start_s = time.monotonic()
        while not self._done.wait(1.0 / RATE_HZ):
            angle = 2 * math.pi * SWING_HZ * (time.monotonic() - start_s)
            self._goal_rad = np.full(len(JOINT_NAMES), SWING_RAD * math.sin(angle))
            self.driver.command(
                Command(JOINT_NAMES, self._goal_rad.tolist(), time.time(), 'bench')
            )
