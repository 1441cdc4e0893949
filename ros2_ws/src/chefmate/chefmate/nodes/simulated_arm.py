"""Mode `command`: the simulator is the arm, behind the interface and the gate of a real one."""

import time
from functools import partial

import numpy as np
from rclpy.node import Node

from chefmate.nodes.arm_topics import ArmTopicNames, ArmTopics
from chefmate.nodes.bridge_parameters import BridgeParameters
from chefmate.nodes.driver_log import DriverLog
from chefmate.nodes.joint_relay import JointRelay
from chefmate.nodes.simulator_wait import SimulatorWait
from chefmate.nodes.twin_link import TwinLink
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.driver.arm_driver import ArmDriver
from chefmate_core.driver.report import diagnose
from chefmate_core.errors import BusError, ConfigurationError
from chefmate_core.safety.config import load_preset
from chefmate_core.safety.gate import SafetyGate, Setpoint
from chefmate_core.servo.readings import ArmReading
from chefmate_core.twin.arm import TwinArm
from chefmate_ros.running import NodeError
from chefmate_ros.timers import steady_timer

# It is not said that the stop is not pressed until so long after this has become an arm: a False
# beside another arm would be everybody's last word on that arm's stop.
SILENCE_S = 2.0
FOLLOWER = ArmTopicNames(
    states='follower/joint_states',
    applied='follower/joint_commands_applied',
    commands='follower/joint_commands',
    estop='/emergency_stop',
    estop_state='/emergency_stop_active',
)


class SimulatedArm:
    """What `arm_driver_node` is to a real arm: the same driver, loop and gate, other wires.

    Everything that the outside sees of `follower/...` is as there; servos' health is not, for a
    simulator has none. Until the simulator speaks, and no other arm is found, nothing is seen: a
    second `/emergency_stop_active` would tell everybody that the stop of the first is released.
    """

    def __init__(self, node: Node, parameters: BridgeParameters, relay: JointRelay) -> None:
        self._node, self._relay = node, relay
        for topic in (FOLLOWER.states, FOLLOWER.applied, FOLLOWER.estop_state):
            _refuse_remapping(node, topic)
        self._topics: ArmTopics | None = None  # from when on it is an arm
        self._told_s = 0.0
        self._appeared_s = 0.0
        self._driver: ArmDriver | None = None
        self._log = DriverLog(node.get_logger())
        self._arm = TwinArm(parameters.states_topic, self._send, parameters.twin.silent_s)
        self._wait = SimulatorWait(self._arm, node.get_logger())
        self.link = TwinLink(node, parameters, on_state=self._on_state)
        self._preset, self._rate_hz = parameters.preset, parameters.command_rate_hz
        self._limits_rad = parameters.joint_map.limits_rad
        self._watch = steady_timer(node, 0.1, self._watch_driver)

    def close(self) -> None:
        """End the loop; the simulated arm stays where it is."""
        if self._driver is not None:
            self._driver.stop(torque_off=False)

    # --- the driver ------------------------------------------------------------------------------

    def _watch_driver(self) -> None:
        """Start when the simulator speaks; a loop that has ended is the end of the node."""
        self._refuse_two_arms()
        if self._driver is None or self._topics is None:
            self._start()
            return
        if self._driver.failure is not None:
            raise NodeError(f'the loop has ended: {self._driver.last_error}')
        if time.monotonic() - self._appeared_s > SILENCE_S:
            self._topics.tell_estop_unless_told()
        self._log.tell(self._driver)

    def _refuse_two_arms(self) -> None:
        """Beside a real arm, this one's states would lead its commander astray."""
        own = int(self._topics is not None)
        for topic in (FOLLOWER.states, FOLLOWER.estop_state):
            if self._node.count_publishers(topic) > own:
                raise NodeError(
                    f'mode command: another driver publishes {topic}. The simulator can only be '
                    'the arm where there is no other: end that one, or use mode:=mirror'
                )

    def _start(self) -> None:
        if not self._wait.is_over():
            return
        if self._topics is None:  # from here on, this is the follower
            self._topics = ArmTopics(self._node, FOLLOWER)
            self._appeared_s = time.monotonic()
        topics = self._topics
        gate = SafetyGate(load_preset(self._preset), *self._limits_rad, 1.0 / self._rate_hz)
        driver = ArmDriver(
            self._arm,
            gate,
            self._rate_hz,
            on_reading=partial(self._tell_reading, topics),
            on_setpoint=partial(self._tell_setpoint, topics),
            on_estop=topics.tell_estop,
            wall_clock=topics.clock_s,
            estopped=topics.estopped,
        )
        try:
            driver.start()
            topics.driver = driver  # from here on it hears of a stop
            driver.engage()
        except BusError:  # the simulator has fallen silent again: the next tick tries anew
            topics.driver = None
            driver.stop(torque_off=False)
            return
        self._driver = driver
        self._node.get_logger().info(
            f'the simulator is the arm, at {self._rate_hz:g} Hz, preset {self._preset}'
        )

    # --- messages --------------------------------------------------------------------------------

    def _on_state(self, position_rad: np.ndarray, age_s: float) -> None:
        """In the thread that hears the simulator."""
        self._arm.receive(position_rad, time.monotonic() - max(age_s, 0.0))

    def _send(self, goal_rad: np.ndarray) -> None:
        """In the loop's thread."""
        self.link.command(self._node.get_clock().now().nanoseconds * 1e-9, goal_rad)

    def _tell_reading(self, topics: ArmTopics, reading: ArmReading) -> None:
        """In the loop's thread; a state that was told already is not told again."""
        if reading.steady_time_s > self._told_s:
            self._told_s = reading.steady_time_s
            self._relay.publish(topics.tell_reading(reading))

    def _tell_setpoint(self, topics: ArmTopics, setpoint: Setpoint) -> None:
        """In the loop's thread. What the twin is compared with is where it is told to be."""
        self.link.arm_is_at(topics.tell_setpoint(setpoint), setpoint.position_rad)

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
