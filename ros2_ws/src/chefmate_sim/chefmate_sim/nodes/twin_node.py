"""`twin_node`: a second kitchen, on Isaac Sim's topics: MuJoCo in its place.

Its arm goes where `isaac_joint_command` says, as Isaac's articulation does: position servos and
physics, no bus, no driver. `isaac_joint_states` tells where it is, with stamps of its own.
"""

import time

import numpy as np
from rclpy.node import Node
from rosgraph_msgs.msg import Clock as ClockMessage
from sensor_msgs.msg import JointState

from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import ISAAC_JOINT_NAMES, JOINT_COUNT
from chefmate_core.timing import Durations, Rate
from chefmate_core.twin.mapping import (
    JointMap,
    JointMapping,
    TwinMessageError,
)
from chefmate_core.twin.mapping_file import load_joint_map
from chefmate_ros import qos
from chefmate_ros.diagnostics import DiagnosticsPublisher
from chefmate_ros.joint_messages import seconds, time_message
from chefmate_ros.parameters import declare
from chefmate_ros.running import run_node
from chefmate_ros.timers import steady_timer
from chefmate_ros.twin_topics import twin_publisher
from chefmate_sim.kitchen.live import KitchenSnapshot, LiveKitchen
from chefmate_sim.twin.outlet import STAMPS, Outlet, OutletConfig, TwinMessage


class TwinNode(Node):
    """Parameters and messages around `LiveKitchen`."""

    def __init__(self) -> None:
        super().__init__('twin')
        self._kitchen: LiveKitchen | None = None
        seed = declare(self, 'seed', 0, 'Which kitchen: as that of the arm.')
        rate_hz = declare(self, 'rate_hz', 60.0, 'Rate of states, Hz.', (1.0, 200.0))
        command_topic = declare(self, 'command_topic', 'isaac_joint_command', 'Where to be.')
        states_topic = declare(self, 'states_topic', 'isaac_joint_states', 'Where it is.')
        self._stamps = declare(
            self, 'stamps', 'ros', 'Whose time states bear.', choices=STAMPS
        )  # fmt: skip
        if self._stamps not in STAMPS:
            raise ConfigurationError(
                f'stamps is {self._stamps!r}; choose one of {", ".join(STAMPS)}'
            )
        self._map = self._declared_map()
        self._outlet = Outlet(
            OutletConfig(
                lag_s=declare(self, 'lag', 0.0, 'For tests: states leave so late, s.'),
                drop_fraction=declare(self, 'drop', 0.0, 'For tests: part that is lost.'),
                swap_fraction=declare(self, 'swap', 0.0, 'For tests: part out of order.'),
            ),
            seed,
        )
        clock = declare(self, 'clock', False, 'Publish /clock, as Isaac Sim does by default.')
        self._sim_clock = (
            self.create_publisher(ClockMessage, '/clock', qos.STATE) if clock else None
        )
        self._states = twin_publisher(self, states_topic, qos.STATE)
        self.create_subscription(JointState, command_topic, self._on_command, qos.TWIN_COMMAND)
        self._diagnostics = DiagnosticsPublisher(self)
        self._diagnostics.add('physics', self._diagnose)
        self._refused, self._refusal = 0, ''
        self._commands = Rate()
        self._command_ages = Durations()
        self._kitchen = LiveKitchen(seed, 1.0 / rate_hz, self._publish)
        for index in range(JOINT_COUNT):
            self._kitchen.world.set_torque_limit(index, 1.0)
        self._kitchen.start()
        steady_timer(self, 0.25, self._watch)
        self.get_logger().info(f'twin kitchen {seed}: {command_topic} to {states_topic}')

    def _declared_map(self) -> JointMap:
        names = list(
            declare(self, 'joint_names', list(ISAAC_JOINT_NAMES), 'In the order of JOINT_NAMES.')
        )
        file = declare(self, 'mapping_file', '', 'As of joint_state_bridge_node; or empty.')
        unit = declare(self, 'unit', 'rad', 'Of positions on topics.', choices=('rad', 'deg'))
        if file:
            return load_joint_map(file, names)
        return JointMap([JointMapping(name, unit=unit) for name in names])

    def close(self) -> None:
        """Stop the physics."""
        if self._kitchen is not None:
            self._kitchen.stop()

    def _on_command(self, message: JointState) -> None:
        """Any subset of the joints, in any order, as Isaac Sim takes it."""
        assert self._kitchen is not None
        try:
            goal_rad = self._map.from_twin(message.name, message.position, partial=True)
        except TwinMessageError as error:
            self._refused += 1
            self._refusal = str(error)
            return
        for index in np.flatnonzero(np.isfinite(goal_rad)):
            self._kitchen.world.set_goal(int(index), float(goal_rad[index]))
        self._commands.tick()
        stamp_s = seconds(message.header.stamp)
        if stamp_s:  # one without a stamp, as by `ros2 topic pub`, has no age
            self._command_ages.add(self._now_s() - stamp_s)

    def _now_s(self) -> float:
        return self.get_clock().now().nanoseconds * 1e-9

    def _publish(self, snapshot: KitchenSnapshot) -> None:
        """In the physics thread: where the arm is, and what of it leaves now."""
        assert self._kitchen is not None
        world, now_s = self._kitchen.world, time.monotonic()
        if self._sim_clock is not None:
            self._sim_clock.publish(ClockMessage(clock=time_message(world.time_s)))
        stamp_s = {'ros': self._now_s(), 'simulation': world.time_s, 'none': 0.0}[self._stamps]
        self._outlet.put(
            TwinMessage(stamp_s, snapshot.joint_position_rad, world.joint_velocity_rad_s()), now_s
        )
        for state in self._outlet.due(now_s):
            message = JointState(name=list(self._map.names))
            message.header.stamp = time_message(state.stamp_s)
            message.position = self._map.to_twin(state.position_rad).tolist()
            message.velocity = self._map.velocity_to_twin(state.velocity_rad_s).tolist()
            self._states.publish(message)

    def _watch(self) -> None:
        if self._kitchen is not None and self._kitchen.failure is not None:
            raise self._kitchen.failure  # a crash: it comes back

    def _diagnose(self) -> Diagnosis:
        if self._kitchen is None:
            return Diagnosis(Level.WARN, 'the kitchen is being laid')
        statistics = self._kitchen.statistics()
        values = {
            'command_rate_hz': self._commands.hz(),
            'commands_refused': self._refused,
            'refusal': self._refusal,
            **self._command_ages.summary_ms('command_age'),
            **statistics,
        }
        factor = statistics['real_time_factor']
        level = Level.OK if factor > 0.9 else Level.WARN
        return Diagnosis(level, f'real-time factor {factor:.2f}', values)


def main() -> int:
    """Entry point."""
    return run_node(TwinNode)
