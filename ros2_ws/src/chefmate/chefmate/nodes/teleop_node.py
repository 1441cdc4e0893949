"""`teleop_node`: a leader arm, or a keyboard, moves the follower. Replaces policy and executor."""

import time
from functools import partial

from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool

from chefmate.nodes.teleop_parameters import declared_parameters
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.realtime import make_realtime
from chefmate_core.teleop.follower import TeleopCommand
from chefmate_core.teleop.jog import JogRefusal, JogTeleop
from chefmate_core.teleop.leader import LeaderTeleop
from chefmate_core.teleop.monitor import TeleopMonitor
from chefmate_ros import qos
from chefmate_ros.diagnostics import DiagnosticsPublisher
from chefmate_ros.joint_messages import (
    age_s,
    joint_state,
    joint_vectors,
    seconds,
    time_message,
)
from chefmate_ros.running import run_node
from chefmate_ros.timers import steady_timer

JOG_PERIOD_S = 0.01
REFUSED_SAID_S = 5.0  # at most so often


class TeleopNode(Node):
    """Parameters, messages and the clutch around `chefmate_core.teleop`."""

    def __init__(self) -> None:
        super().__init__('teleop')
        parameters = declared_parameters(self)
        self._clutch, self._marker = parameters.clutch, parameters.marker
        self._teleop = teleop = parameters.teleop
        self._realtime = make_realtime(parameters.realtime)  # this thread is the one that spins
        self._monitor = TeleopMonitor()
        self._commands = self.create_publisher(JointState, 'follower/joint_commands', qos.COMMAND)
        if isinstance(teleop, LeaderTeleop):
            for topic, callback in (
                ('leader/joint_states', self._on_leader),
                ('follower/joint_states', self._on_follower),
            ):
                self.create_subscription(
                    JointState, topic, partial(callback, teleop), qos.LATEST_STATE
                )
        else:
            self.create_subscription(
                JointState, 'teleop/jog', partial(self._on_jog, teleop), qos.COMMAND_READER
            )
            steady_timer(
                self,
                JOG_PERIOD_S,
                lambda: self._send(teleop.sample(self._clock_s(), time.monotonic())),
            )
        self.create_subscription(
            JointState, 'follower/joint_commands_applied', self._on_applied, qos.LATEST_STATE
        )
        self.create_subscription(Bool, 'emergency_stop_active', self._on_estop, qos.LATCHED)
        self._clutch_state = self.create_publisher(Bool, 'teleop/clutch_engaged', qos.LATCHED)
        self.create_service(SetBool, 'teleop/set_clutch', self._on_set_clutch)
        self._tell_clutch()
        if parameters.instruction:
            self._instruction = self.create_publisher(String, 'policy/instruction', qos.LATCHED)
            self._instruction.publish(String(data=parameters.instruction))
        self._diagnostics = DiagnosticsPublisher(self)
        self._diagnostics.add('teleop', self._diagnose)
        how = 'engaged' if self._clutch.is_engaged else 'paused (chefmate teleop --resume)'
        self.get_logger().info(f'the {parameters.source} moves the follower; the clutch is {how}')

    def _clock_s(self) -> float:
        return self.get_clock().now().nanoseconds * 1e-9

    def _on_leader(self, leader: LeaderTeleop, message: JointState) -> None:
        self._send(
            leader.read(
                seconds(message.header.stamp),
                joint_vectors(message),
                self._clock_s(),
                time.monotonic(),
            )
        )

    def _send(self, command: TeleopCommand | None) -> None:
        if command is None:
            return
        goal = command.goal
        stamp = time_message(command.stamp_s)
        self._commands.publish(
            joint_state(stamp, goal.position_rad, goal.velocity_rad_s, frame_id=command.source)
        )
        self._monitor.sent(command, self._clock_s())

    def _on_applied(self, message: JointState) -> None:
        vectors = joint_vectors(message)
        if vectors is not None:
            now_s = time.monotonic()
            self._teleop.follower.applied(vectors[0], message.header.frame_id, now_s)
            if self._teleop.follower.is_following:
                self._monitor.applied(vectors[0], seconds(message.header.stamp))

    def _on_follower(self, leader: LeaderTeleop, message: JointState) -> None:
        """The error is that of a follower that is to follow, not of one that blends or holds."""
        vectors = joint_vectors(message)
        follows = self._clutch.is_engaged and leader.follower.is_following
        if follows and vectors is not None and leader.wanted_rad is not None:
            self._monitor.measured(vectors[0], leader.wanted_rad)

    def _on_jog(self, keyboard: JogTeleop, message: JointState) -> None:
        late_s = age_s(message.header.stamp, self._clock_s())
        refusal = keyboard.jog(message.name, message.velocity, time.monotonic(), late_s)
        if refusal is JogRefusal.STALE:
            self.get_logger().warning(
                f'a key is {late_s:.2f} s old and moves nothing. On another machine: are both '
                'clocks the same?',
                throttle_duration_sec=REFUSED_SAID_S,
            )

    def _on_estop(self, message: Bool) -> None:
        self._clutch.estop(message.data)
        self._tell_clutch()

    def _on_set_clutch(
        self, request: SetBool.Request, response: SetBool.Response
    ) -> SetBool.Response:
        response.message = self._clutch.set(request.data)
        response.success = self._clutch.is_engaged == request.data
        self.get_logger().info(f'clutch: {response.message}')
        self._tell_clutch()
        return response

    def close(self) -> None:
        """An orderly end: the next start is a fresh one."""
        self._marker.set(paused=False)

    def _tell_clutch(self) -> None:
        self._marker.set(paused=not self._clutch.is_engaged)
        self._clutch_state.publish(Bool(data=self._clutch.is_engaged))

    def _state(self) -> str:
        return self._teleop.state(time.monotonic())

    def _diagnose(self) -> Diagnosis:
        values = {
            'clutch': str(self._clutch.state),
            **self._monitor.values(),
            **self._clutch.counters,
            **self._teleop.counters,
            **self._realtime.as_dict(),
        }
        state = self._state()
        level = Level.WARN if 'silent' in state or 'waiting' in state else Level.OK
        return Diagnosis(level, state, values)


def main() -> int:
    """Entry point."""
    return run_node(TeleopNode)
