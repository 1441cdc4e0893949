"""Mode `command`: the simulator is the arm, behind the interface and the gate of a real one."""

import threading
import time

import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import SetBool

from chefmate.nodes.bridge_parameters import BridgeParameters
from chefmate.nodes.driver_log import DriverLog
from chefmate.nodes.joint_relay import JointRelay
from chefmate.nodes.simulator_wait import SimulatorWait
from chefmate.nodes.twin_link import TwinLink
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.driver.arm_driver import ArmDriver
from chefmate_core.driver.report import diagnose
from chefmate_core.errors import BusError, ChefMateError, ConfigurationError
from chefmate_core.safety.config import load_preset
from chefmate_core.safety.gate import SafetyGate, Setpoint
from chefmate_core.servo.readings import ArmReading
from chefmate_core.twin.arm import TwinArm
from chefmate_ros import qos
from chefmate_ros.joint_messages import command_from, joint_state, time_message
from chefmate_ros.running import NodeError

# It is not said that the stop is not pressed until so long after this has become an arm: a False
# beside another arm would be everybody's last word on that arm's stop.
SILENCE_S = 2.0
STATES, APPLIED, ESTOP_STATE = (
    'follower/joint_states',
    'follower/joint_commands_applied',
    '/emergency_stop_active',
)


class SimulatedArm:
    """What `arm_driver_node` is to a real arm: the same driver, loop and gate, other wires.

    Everything that the outside sees of `follower/...` is as there; servos' health is not, for a
    simulator has none. Until the simulator speaks, and no other arm is found, nothing is seen: a
    second `/emergency_stop_active` would tell everybody that the stop of the first is released.
    """

    def __init__(self, node: Node, parameters: BridgeParameters, relay: JointRelay) -> None:
        self._node, self._relay = node, relay
        for topic in (STATES, APPLIED, ESTOP_STATE):
            _refuse_remapping(node, topic)
        self._states: Publisher | None = None
        self._applied: Publisher | None = None
        self._estop_state: Publisher | None = None
        self._told_s = 0.0
        self._appeared_s = 0.0
        self._estop_lock = threading.Lock()
        self._has_told_estop = False
        self._driver: ArmDriver | None = None
        self._estopped = False
        self._log = DriverLog(node.get_logger())
        self._arm = TwinArm(parameters.states_topic, self._send, parameters.twin.silent_s)
        self._wait = SimulatorWait(self._arm, node.get_logger())
        self.link = TwinLink(node, parameters, on_state=self._on_state)
        self._preset, self._rate_hz = parameters.preset, parameters.command_rate_hz
        self._limits_rad = parameters.joint_map.limits_rad
        self._watch = node.create_timer(
            0.1, self._watch_driver, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def close(self) -> None:
        """End the loop; the simulated arm stays where it is."""
        if self._driver is not None:
            self._driver.stop(torque_off=False)

    # --- the driver ------------------------------------------------------------------------------

    def _watch_driver(self) -> None:
        """Start when the simulator speaks; a loop that has ended is the end of the node."""
        self._refuse_two_arms()
        if self._driver is None:
            self._start()
            return
        if self._driver.failure is not None:
            raise NodeError(f'the loop has ended: {self._driver.last_error}')
        if time.monotonic() - self._appeared_s > SILENCE_S:
            self._break_silence()
        self._log.tell(self._driver)

    def _refuse_two_arms(self) -> None:
        """Beside a real arm, this one's states would lead its commander astray."""
        own = int(self._estop_state is not None)
        for topic in (STATES, ESTOP_STATE):
            if self._node.count_publishers(topic) > own:
                raise NodeError(
                    f'mode command: another driver publishes {topic}. The simulator can only be '
                    'the arm where there is no other: end that one, or use mode:=mirror'
                )

    def _appear(self) -> None:
        """From here on, this is the follower."""
        node = self._node
        self._states = node.create_publisher(JointState, STATES, qos.STATE)
        self._applied = node.create_publisher(JointState, APPLIED, qos.STATE)
        self._estop_state = node.create_publisher(Bool, ESTOP_STATE, qos.LATCHED)
        node.create_subscription(
            JointState, 'follower/joint_commands', self._on_command, qos.COMMAND_READER
        )
        node.create_service(SetBool, '/emergency_stop', self._on_emergency_stop)
        self._appeared_s = time.monotonic()

    def _start(self) -> None:
        if not self._wait.is_over():
            return
        if self._estop_state is None:
            self._appear()
        gate = SafetyGate(load_preset(self._preset), *self._limits_rad, 1.0 / self._rate_hz)
        driver = ArmDriver(
            self._arm,  # type: ignore[arg-type]  # all that the loop asks of a FeetechArm
            gate,
            self._rate_hz,
            on_reading=self._publish_reading,
            on_setpoint=self._publish_setpoint,
            on_estop=self._publish_estop,
            wall_clock=self._clock_s,
            estopped=self._estopped,
        )
        try:
            driver.start()
        except BusError:  # the simulator has fallen silent again
            return
        self._driver = driver
        driver.engage()
        self._node.get_logger().info(
            f'the simulator is the arm, at {self._rate_hz:g} Hz, preset {self._preset}'
        )

    def _clock_s(self) -> float:
        return self._node.get_clock().now().nanoseconds * 1e-9

    # --- messages --------------------------------------------------------------------------------

    def _on_state(self, position_rad: np.ndarray, age_s: float) -> None:
        """In the thread that hears the simulator."""
        self._arm.receive(position_rad, time.monotonic() - max(age_s, 0.0))

    def _send(self, goal_rad: np.ndarray) -> None:
        """In the loop's thread."""
        self.link.command(self._clock_s(), goal_rad)

    def _on_command(self, message: JointState) -> None:
        if self._driver is not None:
            self._driver.command(command_from(message))

    def _on_emergency_stop(
        self, request: SetBool.Request, response: SetBool.Response
    ) -> SetBool.Response:
        try:
            self._estopped |= request.data
            if self._driver is not None:
                self._driver.set_estop(request.data)
            else:
                self._publish_estop(request.data)
            response.success = True
            response.message = 'stopped' if request.data else 'released'
        except ChefMateError as error:
            response.message = str(error)
        return response

    def _publish_reading(self, reading: ArmReading) -> None:
        """In the loop's thread; a state that was told already is not told again."""
        if reading.steady_time_s <= self._told_s:
            return
        self._told_s = reading.steady_time_s
        stamp_s = self._clock_s() - (time.monotonic() - reading.steady_time_s)
        message = joint_state(time_message(stamp_s), reading.position_rad, reading.velocity_rad_s)
        assert self._states is not None  # the loop runs, so this is an arm
        self._states.publish(message)
        self._relay.publish(message)

    def _publish_setpoint(self, setpoint: Setpoint) -> None:
        """In the loop's thread. What the twin is compared with is where it is told to be."""
        stamp_s = self._clock_s()
        assert self._applied is not None
        self._applied.publish(
            joint_state(
                time_message(stamp_s),
                setpoint.position_rad,
                setpoint.velocity_rad_s,
                frame_id=setpoint.mode,
            )
        )
        self.link.arm_is_at(stamp_s, setpoint.position_rad)

    def _publish_estop(self, active: bool) -> None:
        assert self._estop_state is not None
        with self._estop_lock:
            self._estopped, self._has_told_estop = active, True
            self._estop_state.publish(Bool(data=active))
        if active and self._driver is not None:
            self._node.get_logger().error(f'emergency stop: {self._driver.stop_reason}')

    def _break_silence(self) -> None:
        """No other arm was found: say that this one is not stopped, unless it was."""
        assert self._estop_state is not None
        with self._estop_lock:
            if not self._has_told_estop:
                self._has_told_estop = True
                self._estop_state.publish(Bool(data=False))

    def diagnose(self) -> Diagnosis:
        """As the arm driver's."""
        if self._driver is None:
            return Diagnosis(Level.WARN, self._wait.sentence)
        return diagnose(self._driver)


def _refuse_remapping(node: Node, topic: str) -> None:
    """What this arm tells of itself must not become what moves another."""
    name = node.resolve_topic_name(topic)
    if name != node.resolve_topic_name(topic, only_expand=True):
        raise ConfigurationError(
            f'mode command: {topic} is remapped to {name}; the topics of an arm keep their names'
        )
