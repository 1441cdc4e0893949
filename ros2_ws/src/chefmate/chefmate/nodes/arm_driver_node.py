"""`arm_driver_node`: one arm on a serial port. Configured it is read, active it has torque."""

import os
import time
from dataclasses import replace
from pathlib import Path

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from chefmate.nodes.arm_topics import ArmTopicNames, ArmTopics
from chefmate.nodes.driver_log import DriverLog
from chefmate_core.calibration import ArmCalibration
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.driver.arm_driver import ArmDriver
from chefmate_core.driver.report import diagnose
from chefmate_core.errors import ChefMateError
from chefmate_core.realtime import RealtimeConfig
from chefmate_core.safety.config import load_preset
from chefmate_core.safety.gate import SafetyGate
from chefmate_core.servo.arm import ArmReading, FeetechArm
from chefmate_core.servo.errors import (
    PortBusyError,
    PortLostError,
    PortMissingError,
    ServoSilentError,
)
from chefmate_msgs.msg import ServoTelemetry
from chefmate_ros import qos
from chefmate_ros.diagnostics import DiagnosticsPublisher
from chefmate_ros.parameters import declare
from chefmate_ros.running import NodeError, run_node
from chefmate_ros.telemetry_messages import servo_telemetry
from chefmate_ros.timers import steady_timer

NOT_READY = (PortMissingError, PortBusyError, PortLostError, ServoSilentError)


class ArmDriverNode(LifecycleNode):
    """Parameters, messages and transitions around `chefmate_core.driver.ArmDriver`."""

    def __init__(self) -> None:
        super().__init__('arm_driver')
        self._port = declare(self, 'port', '/dev/follower', 'Serial port, or a pseudo-terminal.')
        self._calibration_path = declare(
            self, 'calibration', '', "LeRobot's calibration JSON of this arm."
        )
        self._preset = declare(self, 'preset', 'careful', 'Safety preset: careful, normal, fast.')
        self._rate_hz = declare(self, 'rate_hz', 100.0, 'Control rate, Hz.', (10.0, 500.0))
        self._telemetry_rate_hz = declare(
            self, 'telemetry_rate_hz', 10.0, "Rate of the servos' health, Hz.", (1.0, 100.0)
        )
        self._realtime = declared_realtime(self)
        self._accepts_commands = declare(
            self,
            'accepts_commands',
            True,
            'False for a leader: torque stays off, it is read only.',
        )
        self._torque_off_at_exit = declare(
            self,
            'torque_off_at_exit',
            False,
            'At exit: True goes limp, False holds the last goal.',
        )
        self._wait_for_port_s = declare(
            self,
            'wait_for_port_s',
            0.0,
            'How long port or servos may be silent at start, s.',
            (0, 600),
        )
        autostart = declare(self, 'autostart', True, 'Configure and activate by itself.')
        self._driver: ArmDriver | None = None
        self._failure: ChefMateError | None = None
        self._log = DriverLog(self.get_logger())
        self._diagnostics = DiagnosticsPublisher(self, hardware_id=self._port)
        self._diagnostics.add('arm', self._diagnose)
        self._telemetry = self.create_publisher(ServoTelemetry, 'servo_telemetry', qos.STATE)
        self._topics = ArmTopics(self, ArmTopicNames(), is_commanded=self._accepts_commands)
        self._watch = steady_timer(self, 0.1, self._watch_driver)
        if autostart:
            self._started_s = time.monotonic()
            self._autostart = steady_timer(self, 0.05, self._start_by_itself)

    # --- lifecycle -------------------------------------------------------------------------------

    def _start_by_itself(self) -> None:
        """Readiness instead of sleeps: wait for port and servos, then configure and activate."""
        may_wait = time.monotonic() - self._started_s < self._wait_for_port_s
        if may_wait and not Path(self._port).exists():
            return
        if (
            self._driver is not None
            or self.trigger_configure() is TransitionCallbackReturn.SUCCESS
        ):
            self.trigger_activate()
        if may_wait and isinstance(self._failure, NOT_READY):
            return  # the arm's power, or its simulation, is still coming up
        self._autostart.cancel()
        if self._failure is not None:
            raise NodeError(f'{self.get_fully_qualified_name()}: {self._failure}')

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the port, check servos against the calibration, begin to read."""
        del state
        try:
            calibration = ArmCalibration.load(self._calibration_path)
            gate = SafetyGate(
                load_preset(self._preset),
                calibration.lower_limits_rad,
                calibration.upper_limits_rad,
                1.0 / self._rate_hz,
            )
            driver = ArmDriver(
                FeetechArm(self._port, calibration),
                gate,
                self._rate_hz,
                on_reading=self._publish_reading,
                on_setpoint=self._topics.tell_setpoint,
                on_estop=self._topics.tell_estop,
                wall_clock=self._topics.clock_s,
                estopped=self._topics.estopped,
                telemetry_rate_hz=self._telemetry_rate_hz,
                realtime=self._realtime,
            )
            driver.start()
            if not self._accepts_commands:
                try:
                    driver.release()  # also a leader that held before
                except ChefMateError:
                    driver.stop(torque_off=False)
                    raise
        except ChefMateError as error:
            return self._failed(error)
        self._driver = self._topics.driver = driver
        self._log.forget()
        self._failure = None
        if self._accepts_commands:
            self._topics.tell_estop(self._topics.estopped)
        self.get_logger().info(f'reading {self._port} at {self._rate_hz:g} Hz')
        for measure in driver.realtime.measures:
            self.get_logger().info(f'real time, {measure.name}: {measure}')
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Turn torque on where the arm is."""
        if self._accepts_commands and self._driver is not None:
            try:
                self._driver.engage()
            except ChefMateError as error:
                return self._failed(error)
            if self._topics.estopped:
                self.get_logger().warning('emergency stop latched: torque waits for its release')
            else:
                self.get_logger().info(f'torque is on, preset {self._preset}')
        self._failure = None
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Turn torque off; go on reading."""
        if self._accepts_commands and self._driver is not None:
            try:
                self._driver.release()
            except ChefMateError as error:
                return self._failed(error)
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Close the port."""
        del state
        self._stop_driver(torque_off=True)
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Close the port; the arm holds, unless it is to go limp."""
        del state
        self._stop_driver(self._torque_off_at_exit)
        return TransitionCallbackReturn.SUCCESS

    def close(self) -> None:
        """Leave the arm as asked for at exit."""
        self._stop_driver(self._torque_off_at_exit)

    def _stop_driver(self, torque_off: bool) -> None:
        driver, self._driver, self._topics.driver = self._driver, None, None
        if driver is None:
            return
        try:
            driver.stop(torque_off and self._accepts_commands)
        except ChefMateError as error:  # the port is closed all the same
            self.get_logger().error(str(error))

    def _failed(self, error: ChefMateError) -> TransitionCallbackReturn:
        self._failure = error
        if isinstance(error, PortMissingError):
            self.get_logger().error('is the arm plugged in? `chefmate doctor` looks for it')
        self.get_logger().error(str(error))
        return TransitionCallbackReturn.FAILURE

    # --- the loop --------------------------------------------------------------------------------

    def _publish_reading(self, reading: ArmReading) -> None:
        """In the loop's thread."""
        message = self._topics.tell_reading(reading)
        if reading.health is not None and self._driver is not None:
            stamp = message.header.stamp
            self._telemetry.publish(servo_telemetry(stamp, reading.health, self._driver.gate))

    def _watch_driver(self) -> None:
        """A loop that has ended is the end of the node, and so of the launch."""
        driver = self._driver
        if driver is None:
            return
        if driver.failure is not None:
            raise NodeError(
                f'{self.get_fully_qualified_name()}: the loop has ended: {driver.last_error}'
            ) from driver.failure
        self._log.tell(driver)

    def _diagnose(self) -> Diagnosis:
        # What the port is: virtual servos are at a pseudo-terminal.
        values = {'device': os.path.realpath(self._port)} if os.path.exists(self._port) else {}
        if self._driver is None:
            message = str(self._failure) if self._failure else 'waiting for the port'
            return Diagnosis(Level.ERROR if self._failure else Level.WARN, message, values)
        diagnosis = diagnose(self._driver)
        return replace(diagnosis, values={**diagnosis.values, **values})


def declared_realtime(node: LifecycleNode) -> RealtimeConfig:
    """Declare what the loop asks the system for."""
    defaults = RealtimeConfig()
    return RealtimeConfig(
        priority=declare(
            node,
            'realtime_priority',
            defaults.priority,
            'SCHED_FIFO priority of the loop; 0: none.',
        ),
        lock_memory=declare(
            node, 'lock_memory', defaults.lock_memory, 'Keep all memory of the process in RAM.'
        ),
        cpus=tuple(
            cpu
            for cpu in declare(node, 'cpus', [-1], 'Processors for the loop; -1: any.')
            if cpu >= 0
        ),
    )


def main() -> int:
    """Entry point."""
    return run_node(ArmDriverNode)
