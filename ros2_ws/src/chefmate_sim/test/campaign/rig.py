"""A real driver over real bytes on a virtual servo bus, in virtual time, under the monitor."""

import dataclasses
import select
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
from campaign.virtual_time import SteppedTicker, VirtualClock, wait_until
from campaign.wire import WatchedParser
from virtual_arm import CALIBRATION

from chefmate_core.driver.arm_driver import ArmDriver, DriverState
from chefmate_core.errors import ChefMateError
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.safety.command import Command
from chefmate_core.safety.config import load_preset
from chefmate_core.safety.gate import SafetyGate
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.servo.config import ServoConfig
from chefmate_core.servo.registers import GOAL_POSITION, TORQUE_ENABLE
from chefmate_sim.virtual_bus import Faults, FirstOrderArm, VirtualServoBus
from chefmate_sim.virtual_bus.joint_monitor import SILENCE_PERIODS
from chefmate_sim.virtual_bus.monitor import BusMonitor

# Shorter than on a real adapter: a reply that is lost costs real time.
IMPATIENT = ServoConfig(
    reply_timeout_s=0.003, gap_timeout_s=0.001, register_timeout_s=0.008, register_retries=3
)

_LOGGED_CYCLES = 12


class CampaignRig:
    """The rig. Virtual time passes in `cycle` only; everything else happens in between."""

    def __init__(
        self,
        start_rad: np.ndarray,
        preset: str = 'careful',
        rate_hz: float = 100.0,
        estop_mode: str = 'hold',
        seed: int = 0,
    ) -> None:
        self.config = dataclasses.replace(load_preset(preset), estop_mode=estop_mode)
        self.rate_hz = rate_hz
        self.period_s = 1.0 / rate_hz
        self.clock = VirtualClock()
        self.cycles = 0
        self._folder = tempfile.TemporaryDirectory(prefix='campaign')
        self._link = Path(self._folder.name) / 'follower'
        self.model = FirstOrderArm(start_rad, clock=self.clock)
        self.bus = VirtualServoBus(
            self.model, CALIBRATION, self._link, faults=Faults(seed), clock=self.clock
        )
        self._sent_bytes = 0
        self.monitor = BusMonitor(CALIBRATION, self.config, self.period_s, clock=self.clock)
        self.monitor.watch(self.bus, self.model)
        self._heard = self.bus.parser = WatchedParser(self.bus, self.monitor)
        self.driver = self._new_driver()
        self._log: deque[str] = deque(maxlen=_LOGGED_CYCLES)
        self._grown: dict[str, float] = {}

    # --- the driver ------------------------------------------------------------------------------

    def start(self) -> None:
        """Start a stopped driver; raises what it raises."""
        self.driver.start()
        wait_until(self._is_idle, lambda: 'the loop begins')
        self._settle()

    def stop(self, torque_off: bool) -> ChefMateError | None:
        """Stop the driver; return the error that it told of, e.g. of an arm that is gone."""
        try:
            self.driver.stop(torque_off)
        except ChefMateError as error:
            return error
        finally:
            self._settle()
        return None

    def replace_driver(self) -> None:
        """As after a restart of the process: a new driver and gate on the same arm."""
        self.driver = self._new_driver(estopped=self.driver.estopped)
        self._grown = {}

    def ask(self, request: Callable[[], None]) -> ChefMateError | None:
        """Make a request as a service of the node does, from a thread of its own.

        Cycles of the nominal period pass until it is answered. Returns the error it raised.
        """
        raised: list[BaseException] = []

        def run() -> None:
            try:
                request()
            except BaseException as error:
                raised.append(error)

        thread = threading.Thread(target=run, name='request')
        thread.start()
        while True:
            wait_until(
                lambda: not thread.is_alive() or self.driver._requests.are_waiting(),
                lambda: 'a request is handed in',
            )
            if not thread.is_alive():
                break
            self.cycle()
            thread.join(timeout=5.0)
        if raised and not isinstance(raised[0], ChefMateError):
            raise raised[0]
        return raised[0] if raised else None

    @property
    def is_running(self) -> bool:
        """Whether the driver was started and not stopped."""
        return self.driver.state is not DriverState.STOPPED

    # --- time ------------------------------------------------------------------------------------

    def cycle(self, step_s: float | None = None) -> None:
        """Let time pass, then the driver do one cycle, then the servos take what was sent."""
        self.clock.advance(self.period_s if step_s is None else step_s)
        self.cycles += 1
        if self.is_running:
            self._ticker.release()
            wait_until(self._is_idle, lambda: 'the cycle ends')
            self._settle()
            self._log.append(self._state())
        self.check()

    def run(self, seconds: float) -> None:
        """Let cycles of the nominal period pass."""
        for _ in range(round(seconds * self.rate_hz)):
            self.cycle()

    # --- the bus ---------------------------------------------------------------------------------

    def command(self, command: Command) -> None:
        """Hand a command in, as the topic's callback does."""
        self.driver.command(command)

    def send(self, positions_rad: np.ndarray, source: str = 'honest') -> None:
        """Send well-formed goals for all joints, stamped now."""
        self.command(Command(JOINT_NAMES, positions_rad, self.clock.wall(), source))

    def hang_up(self, power_lost: bool = False) -> None:
        """Pull the plug."""
        fd = self.driver.arm._bus._port._fd
        self.bus.hang_up(power_lost)
        # The bus's thread lets go of the terminal a moment later.
        wait_until(lambda: fd < 0 or _is_hung_up(fd), lambda: 'the port hangs up')
        self._sent_bytes = self._heard.done_bytes = 0

    def torque(self) -> list[bool]:
        """Which servos have torque, as they themselves know it."""
        return [servo.memory.get(TORQUE_ENABLE) == 1 for servo in self.bus.servos]

    def held_ticks(self) -> dict[int, int]:
        """Return the goals of the servos that have torque, by joint."""
        return {
            servo.index: servo.memory.get(GOAL_POSITION)
            for servo, on in zip(self.bus.servos, self.torque(), strict=True)
            if on
        }

    def end_faults(self) -> None:
        """Everything on the bus is well again."""
        self.bus.clear_faults()

    def recover(self, wants_torque: bool, limit_s: float = 2.0) -> tuple[float, float]:
        """Wait until the driver does what it should without faults; return how long it took.

        In virtual and in real seconds. The driver gets no help: no request, no restart.
        """
        virtual_s, real_s = self.clock(), time.monotonic()
        driving = wants_torque and not self.driver.estopped
        while not self._is_well(driving):
            if self.clock() - virtual_s > limit_s:
                raise AssertionError(
                    f'{limit_s} s after the faults ended the driver is {self.driver.state} '
                    f'({self.driver.last_error}), torque {self.torque()}; expected '
                    f'{"driving" if driving else "reading"}'
                )
            self.cycle()
        return self.clock() - virtual_s, time.monotonic() - real_s

    def _is_well(self, driving: bool) -> bool:
        state = self.driver.state
        if driving:
            return state is DriverState.DRIVING and all(self.torque())
        return state in (DriverState.DRIVING, DriverState.MONITORING)

    # --- always ----------------------------------------------------------------------------------

    def check(self) -> None:
        """Check what holds at every moment."""
        try:
            self.monitor.assert_clean()
            assert not self._heard.breach, self._heard.breach
        except AssertionError as error:
            raise AssertionError(
                '\n  '.join([str(error), 'The last cycles:', *self._log])
            ) from None
        driver = self.driver
        assert driver.state is not DriverState.FAILED, f'the loop ended: {driver.failure!r}'
        if self.is_running:
            assert driver._thread.is_alive(), 'the loop ended without a word'
        counters = {f'gate {name}': count for name, count in driver.gate.counters.items()}
        counters |= {f'bus {name}': n for name, n in driver.arm.statistics.as_dict().items()}
        counters |= {f'driver {name}': count for name, count in driver.counters.items()}
        for name, before in self._grown.items():
            assert counters.get(name, 0) >= before, f'the counter {name} went back'
        self._grown = counters

    def close(self) -> None:
        """End everything."""
        self.end_faults()
        try:
            if self.is_running:
                self.stop(torque_off=True)
        finally:
            self.bus.close()
            self._folder.cleanup()

    def _new_driver(self, estopped: bool = False) -> ArmDriver:
        gate = SafetyGate(
            self.config,
            CALIBRATION.lower_limits_rad,
            CALIBRATION.upper_limits_rad,
            self.period_s,
        )
        arm = FeetechArm(str(self._link), CALIBRATION, IMPATIENT, clock=self.clock)
        blind_s = SILENCE_PERIODS * self.period_s
        self._heard.sight = lambda: (self.clock() - min(arm._read_at_s), blind_s)
        port = arm._bus._port
        write = port.write

        def counted(data) -> None:
            size = len(data)
            write(data)
            self._sent_bytes += size

        port.write = counted
        self._ticker = SteppedTicker(self.period_s)
        return ArmDriver(
            arm,
            gate,
            self.rate_hz,
            wall_clock=self.clock.wall,
            estopped=estopped,
            clock=self.clock,
            ticker=self._ticker,
        )

    def _state(self) -> str:
        driver = self.driver
        age_s = self.clock() - np.array(driver.arm._read_at_s)
        return (
            f'{self.clock():.4f} s: {driver.state}, {driver.gate.mode}, {dict(driver.counters)}, '
            f'ages {np.round(age_s / self.period_s, 1)} periods, torque '
            f'{"".join("01"[on] for on in self.torque())}'
        )

    def _is_idle(self) -> bool:
        return self._ticker.idle.is_set() or not self.driver._thread.is_alive()

    def _settle(self) -> None:
        """Wait until the servos have acted on every byte that the driver has sent."""
        wait_until(
            lambda: not self.bus.is_plugged_in or self._heard.done_bytes >= self._sent_bytes,
            lambda: (
                f'the servos take what was sent ({self._heard.done_bytes} of '
                f'{self._sent_bytes} bytes done; {self.driver.state})'
            ),
        )


def _is_hung_up(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return any(event & select.POLLHUP for _, event in poll.poll(0))
