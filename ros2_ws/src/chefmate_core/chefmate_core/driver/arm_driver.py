"""One arm's control loop: read, gate, write, at a fixed rate in a thread that owns the port.

Everything that touches the servos happens in that thread. Other threads hand in commands and
requests; nothing that they do can delay a cycle by more than the request itself.
"""

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from chefmate_core.driver.arm import Arm
from chefmate_core.driver.holding import ArmHolding
from chefmate_core.driver.requests import LoopRequests
from chefmate_core.errors import BusError, ChefMateError
from chefmate_core.garbage import GarbageKeeper
from chefmate_core.realtime import RealtimeConfig, RealtimeReport, make_realtime
from chefmate_core.safety.command import Command
from chefmate_core.safety.gate import Mode, SafetyGate, Setpoint
from chefmate_core.servo.errors import ServoSilentError
from chefmate_core.servo.readings import ArmHealth, ArmReading
from chefmate_core.timing import Ticker

TORQUE_CHECK_PERIOD_S = 1.0
RECONNECT_PERIOD_S, RECONNECT_LONGEST_S = 0.25, 4.0
START_TIMEOUT_S = STOP_TIMEOUT_S = 5.0


class DriverState(StrEnum):
    """What the loop is doing."""

    STOPPED = 'stopped'
    MONITORING = 'monitoring'  # reading; torque is off
    DRIVING = 'driving'  # reading and writing; torque is on
    LOST = 'lost'  # the bus does not answer: the servos hold their last goal; trying again
    FAILED = 'failed'  # the loop ended by an error of ours: the servos hold their last goal


class ArmDriver:
    """See the module's docstring.

    Args:
        arm: what is driven; connected by `start`.
        gate: limits of this arm.
        rate_hz: cycles per second.
        on_reading: called in the loop's thread with each reading.
        on_setpoint: called in the loop's thread with what went on the bus, if torque is on.
        on_estop: called in the loop's thread when the emergency stop is latched or released.
        wall_clock: seconds of the clock that commands are stamped with.
        estopped: whether the emergency stop is latched from before; torque does not come on then.
        telemetry_rate_hz: how often health is read with the motion, in the same sync read.
        clock: seconds of the steady clock; the arm must have the same one.
        ticker: what paces the loop, instead of one of `rate_hz` on the steady clock.
        realtime: what to ask the system for, in the loop's thread; None: nothing, and garbage is
            collected as Python does by itself.
    """

    def __init__(
        self,
        arm: Arm,
        gate: SafetyGate,
        rate_hz: float,
        on_reading: Callable[[ArmReading], object] = lambda reading: None,
        on_setpoint: Callable[[Setpoint], object] = lambda setpoint: None,
        on_estop: Callable[[bool], None] = lambda active: None,
        wall_clock: Callable[[], float] = time.time,
        estopped: bool = False,
        telemetry_rate_hz: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        ticker: Ticker | None = None,
        realtime: RealtimeConfig | None = None,
    ) -> None:
        self.arm = arm
        self.gate = gate
        self.state = DriverState.STOPPED
        self.failure: Exception | None = None  # what ended the loop; its owner must look
        self.health: ArmHealth | None = None
        self.last_error = ''
        self.stop_reason = 'pressed before' if estopped else ''  # why the stop was latched last
        self.counters: Counter[str] = Counter()
        self.ticker = ticker or Ticker(1.0 / rate_hz)
        self._on_reading, self._on_setpoint, self._on_estop = on_reading, on_setpoint, on_estop
        self._wall_clock = wall_clock
        self._clock = clock
        self._commands: deque[Command] = deque(maxlen=64)
        self._requests = LoopRequests(arm.port)
        self._stop = threading.Event()
        self._is_ready = threading.Event()  # the loop's thread has what it asked the system for
        self._thread: threading.Thread | None = None
        self.realtime = RealtimeReport()  # what was granted
        self.garbage = GarbageKeeper()
        self._realtime_config = realtime
        self._wants_torque = False
        self._estopped = estopped
        self.cycled_s = -math.inf  # when the last cycle began
        longest_gap_s = gate.config.longest_step_cycles / rate_hz
        self._holding = ArmHolding(arm, gate, clock, longest_gap_s, self.counters)
        self._telemetry_period_s = 1.0 / telemetry_rate_hz
        self._telemetry_due_s = -math.inf
        self._torque_check_due_s = -math.inf
        self._reconnect_due_s = 0.0
        self._reconnect_period_s = RECONNECT_PERIOD_S

    # --- called from other threads ---------------------------------------------------------------

    def start(self) -> None:
        """Connect, check and configure the servos, and begin to read them.

        Torque stays off; an arm that held before goes on holding until `engage` or `release`.
        """
        self.arm.connect()
        try:
            self.arm.configure()
            self._holding.learn()
        except ChefMateError:
            self.arm.disconnect(torque_off=False)
            raise
        self.state = DriverState.MONITORING
        self._stop.clear()
        self._is_ready.clear()
        self._thread = threading.Thread(target=self._run, name='arm_driver', daemon=True)
        self._thread.start()
        self._is_ready.wait(START_TIMEOUT_S)

    def engage(self) -> None:
        """Turn torque on where the arm is, and seed the gate there.

        Raises a BusError if that fails; torque does not come on later by itself then.
        """
        self._request(self._engage_or_not_at_all)

    def release(self) -> None:
        """Turn torque off."""
        self._request(self._release)

    def command(self, command: Command) -> None:
        """Hand in a command; the gate judges it in the next cycle."""
        self._commands.append(command)

    def set_estop(self, active: bool) -> None:
        """Latch the emergency stop, or release it.

        Raises StopPersistsError where a servo's health does not allow the release, or a BusError;
        the stop stays latched then.
        """
        if active:
            self._request(self._engage_estop, even_late=True)
        else:
            self._request(self._release_estop)

    @property
    def is_paused(self) -> bool:
        """Whether nothing is written because a joint is silent."""
        return self._holding.is_paused

    @property
    def is_limp(self) -> bool:
        """Whether torque is known to be off."""
        return self._holding.is_limp

    def stands_since_s(self) -> float:
        """Return for how long the loop has not begun a cycle, s; 0 where it does not run."""
        is_running = self.state not in (DriverState.STOPPED, DriverState.FAILED)
        return self._clock() - self.cycled_s if is_running and self.cycled_s > 0.0 else 0.0

    @property
    def estopped(self) -> bool:
        """Whether the emergency stop is latched."""
        return self._estopped

    def stop(self, torque_off: bool) -> None:
        """End the loop. With `torque_off` False the servos hold their last goal."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=STOP_TIMEOUT_S)
            if self._thread.is_alive():  # two threads on one port would be worse
                raise BusError(f'{self.arm.port}: the loop did not end; torque is left as it is')
            self._thread = None
        self.gate.deactivate()
        was_running, self.state = self.state is not DriverState.STOPPED, DriverState.STOPPED
        if was_running:
            self.arm.disconnect(torque_off=torque_off)

    def _request(self, work: Callable[[], Any], even_late: bool = False) -> None:
        """Have it done in the loop's thread; what was given up is not done later by default."""
        if self.failure is not None:
            raise BusError(f'the driver has failed: {self.failure}; start it again')
        if self._thread is None or not self._thread.is_alive():
            raise BusError('the driver is not running; configure it first')
        self._requests.ask(work, even_late)

    # --- the loop's thread -----------------------------------------------------------------------

    def _run(self) -> None:
        try:
            if self._realtime_config is not None:
                self.realtime = make_realtime(self._realtime_config)
                self.garbage.take_over()
            self._is_ready.set()
            self._loop()
        except Exception as error:  # no thread of an arm may end unnoticed
            self.failure = error
            self.last_error = f'{type(error).__name__}: {error}'
            self.state = DriverState.FAILED
        finally:
            self.garbage.hand_back()
            self.realtime.undo()

    def _loop(self) -> None:
        while self.ticker.wait(self._stop):
            self.cycled_s = self._clock()
            self._requests.serve()
            try:
                if self.state is DriverState.LOST:
                    self._try_to_recover()
                else:
                    self._cycle()
            except BusError as error:
                self._lose(error)
            if self.garbage.in_charge:
                is_idle = self.state is DriverState.LOST
                self.garbage.tidy(math.inf if is_idle else self.ticker.slack_s())

    def _cycle(self) -> None:
        begun_s = self._clock()
        is_telemetry_due = begun_s >= self._telemetry_due_s
        reading = self.arm.read(with_health=is_telemetry_due)
        now_s = self._clock()
        if reading.health is not None:
            self._telemetry_due_s = begun_s + self._telemetry_period_s
            self.health = reading.health
            self.gate.observe(reading.health, reading.velocity_rad_s, now_s)
        self._judge_commands(now_s)  # without torque they are refused and counted
        if self.state is DriverState.DRIVING:
            self._drive(reading, now_s, is_telemetry_due)
        if self.gate.mode is Mode.ESTOPPED and not self._estopped:
            self._engage_estop(self.gate.stop_reason)  # a servo's health asked for it
        self._holding.retry(now_s)
        self._on_reading(reading)

    def _drive(self, reading: ArmReading, now_s: float, is_telemetry_due: bool) -> None:
        if self._stops_limp:
            return
        if not self._holding.may_write(reading, now_s):
            return
        setpoint = self.gate.step(reading.position_rad, now_s)
        self.arm.write_goal(setpoint.position_rad)
        self._holding.wrote(now_s)
        self._on_setpoint(setpoint)
        if is_telemetry_due:  # again and again: servos forget it at a power cut
            self.arm.limit_gripper(setpoint.gripper_torque)
        elif now_s >= self._torque_check_due_s:
            self._torque_check_due_s = now_s + TORQUE_CHECK_PERIOD_S
            self.arm.check_torque()

    @property
    def _stops_limp(self) -> bool:
        """Whether the emergency stop is latched, and means a limp arm."""
        return self._estopped and self.gate.config.estop_mode == 'limp'

    def _judge_commands(self, now_s: float) -> None:
        while self._commands:
            self.gate.command(self._commands.popleft(), self._wall_clock(), now_s)

    def _engage_or_not_at_all(self) -> None:
        wanted_before, self._wants_torque = self._wants_torque, True
        try:
            self._engage()
        except BusError:
            self._wants_torque = wanted_before
            raise

    def _engage(self) -> None:
        if self.state is DriverState.LOST:
            raise ServoSilentError(f'the arm does not answer: {self.last_error}')
        if self._estopped or self.state is DriverState.DRIVING:
            return  # the release of the stop engages; what drives goes on driving
        self._holding.take()
        self.state = DriverState.DRIVING

    def _release(self) -> None:
        self._wants_torque = False
        self.gate.deactivate()
        if self.state is not DriverState.LOST:  # else after the return: see _try_to_recover
            self.state = DriverState.MONITORING
            self._holding.go_limp()

    def _engage_estop(self, reason: str = 'pressed') -> None:
        if not self._estopped:
            self.stop_reason = reason
        self._estopped = True
        if self.state is DriverState.DRIVING:
            self.gate.engage_estop(reason)
        try:
            if self.state is DriverState.DRIVING and self._stops_limp:
                self._holding.go_limp()
        finally:
            self._on_estop(True)  # latched, also where a servo did not hear of it

    def _release_estop(self) -> None:
        self.gate.check_health()
        if self.state is DriverState.DRIVING:
            if self._stops_limp:
                self._holding.take()
            self.gate.release_estop()
        elif self.state is DriverState.MONITORING and self._wants_torque:
            self._holding.take()
            self.state = DriverState.DRIVING
        self._estopped = False  # last: a release that failed has released nothing
        self._on_estop(False)

    def _lose(self, error: BusError) -> None:
        self.last_error = str(error)
        self.counters['bus_lost'] += 1
        self.state = DriverState.LOST
        if self.gate.mode is not Mode.INACTIVE:
            self.gate.deactivate()  # what is commanded meanwhile is refused and counted
        self._reconnect_due_s = self._clock() + self._reconnect_period_s

    def _try_to_recover(self) -> None:
        self._judge_commands(self._clock())
        if self._clock() < self._reconnect_due_s:
            return
        self._reconnect_due_s = self._clock() + self._reconnect_period_s
        try:
            self.arm.reconnect()
        except ChefMateError as error:
            self.last_error = str(error)
            return
        self.counters['bus_recovered'] += 1
        self.state = DriverState.MONITORING
        if not self._wants_torque or self._stops_limp:
            self._holding.go_limp()  # the servos may still hold from before
        else:
            # A servo that takes no torque makes the others take and lose it: ever less often.
            self._reconnect_period_s = min(2.0 * self._reconnect_period_s, RECONNECT_LONGEST_S)
            self._engage()
        self._reconnect_period_s = RECONNECT_PERIOD_S
