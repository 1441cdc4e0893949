"""`teleop_node`: a leader arm, or a keyboard, moves the follower. Replaces policy and executor."""

import time
from functools import partial
from pathlib import Path

import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool

from chefmate_core.calibration import ArmCalibration
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.errors import ConfigurationError
from chefmate_core.motion.reach import Reach
from chefmate_core.realtime import RealtimeConfig, make_realtime
from chefmate_core.safety.config import GateConfig, load_preset
from chefmate_core.teleop.clutch import Clutch
from chefmate_core.teleop.config import TeleopConfig
from chefmate_core.teleop.follower import TeleopCommand
from chefmate_core.teleop.jog import JogConfig, JogTeleop
from chefmate_core.teleop.leader import LeaderTeleop
from chefmate_core.teleop.marker import PausedMarker
from chefmate_core.teleop.monitor import TeleopMonitor
from chefmate_core.teleop.range_map import RangeMap
from chefmate_ros import qos
from chefmate_ros.diagnostics import DiagnosticsPublisher
from chefmate_ros.joint_messages import joint_state, joint_vectors, seconds, time_message
from chefmate_ros.parameters import declare
from chefmate_ros.running import run_node

SOURCES = ('leader', 'keyboard')
REALTIME_PRIORITY = 20  # a command that waits for a busy program is an old command
JOG_LEASH_RAD = 0.1  # a key that is let go leaves no way to go on


class TeleopNode(Node):
    """Parameters, messages and the clutch around `chefmate_core.teleop`."""

    def __init__(self) -> None:
        super().__init__('teleop')
        source = declare(self, 'source', 'leader', 'Who moves the follower.', choices=SOURCES)
        if source not in SOURCES:
            raise ConfigurationError(f'source is {source!r}; choose one of {", ".join(SOURCES)}')
        follower = ArmCalibration.load(
            declare(
                self, 'follower_calibration', '', "LeRobot's calibration JSON of the follower."
            )
        )
        leader_path = declare(
            self, 'leader_calibration', '', "LeRobot's calibration JSON of the leader."
        )
        preset = load_preset(
            declare(self, 'preset', 'careful', "Limits of the follower's gate; they are kept to.")
        )
        defaults = TeleopConfig()
        config = TeleopConfig(
            leader_timeout_s=declare(
                self,
                'leader_timeout',
                defaults.leader_timeout_s,
                'A leader that is silent for longer moves nothing, s.',
                (0.02, 1.0),
            ),
            starts_engaged=declare(
                self, 'starts_engaged', defaults.starts_engaged, 'False: wait for the clutch.'
            ),
        )
        key_timeout_s = declare(
            self,
            'key_timeout',
            JogConfig().key_timeout_s,
            'A key counts for this long, s.',
            (0.03, 0.5),
        )
        realtime_priority = declare(
            self,
            'realtime_priority',
            REALTIME_PRIORITY,
            'SCHED_FIFO priority, below that of the drivers; 0: none.',
        )
        self._realtime = make_realtime(  # this thread is the one that spins
            RealtimeConfig(priority=realtime_priority, lock_memory=False)
            if realtime_priority
            else RealtimeConfig(priority=0, others_priority=0, lock_memory=False)
        )
        marker = declare(
            self, 'paused_marker', '', 'File that remembers an open clutch over a crash; or empty.'
        )
        self._marker = PausedMarker(Path(marker) if marker else None)
        self._clutch = Clutch(source, config.starts_engaged and not self._marker.is_set)
        self._monitor = TeleopMonitor()
        self._commands = self.create_publisher(JointState, 'follower/joint_commands', qos.COMMAND)
        self._teleop: LeaderTeleop | JogTeleop
        if source == 'leader':
            self._teleop = leader = LeaderTeleop(
                RangeMap(ArmCalibration.load(leader_path), follower),
                reach(follower, preset, config.leash_rad),
                self._clutch,
                config,
            )
            self.create_subscription(
                JointState,
                'leader/joint_states',
                partial(self._on_leader, leader),
                qos.LATEST_STATE,
            )
            self.create_subscription(
                JointState,
                'follower/joint_states',
                partial(self._on_follower, leader),
                qos.LATEST_STATE,
            )
        else:
            self._teleop = keyboard = JogTeleop(
                reach(follower, preset, JOG_LEASH_RAD),
                self._clutch,
                config,
                JogConfig(key_timeout_s),
            )
            self.create_subscription(
                JointState,
                'teleop/jog',
                partial(self._on_jog, keyboard),
                qos.COMMAND_READER,
            )
            self.create_timer(
                0.01,
                lambda: self._send(keyboard.sample(self._clock_s(), time.monotonic())),
                clock=Clock(clock_type=ClockType.STEADY_TIME),
            )
        self.create_subscription(
            JointState, 'follower/joint_commands_applied', self._on_applied, qos.LATEST_STATE
        )
        self.create_subscription(Bool, 'emergency_stop_active', self._on_estop, qos.LATCHED)
        self._clutch_state = self.create_publisher(Bool, 'teleop/clutch_engaged', qos.LATCHED)
        self.create_service(SetBool, 'teleop/set_clutch', self._on_set_clutch)
        self._tell_clutch()
        instruction = declare(
            self, 'instruction', '', 'Task to publish as policy/instruction; none: nothing.'
        )
        if instruction not in ('', 'none'):
            self._instruction = self.create_publisher(String, 'policy/instruction', qos.LATCHED)
            self._instruction.publish(String(data=instruction))
        self._diagnostics = DiagnosticsPublisher(self)
        self._diagnostics.add('teleop', self._diagnose)
        self.get_logger().info(f'the follower follows the {source}; the clutch is {self._state()}')

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
        keyboard.jog(message.name, message.velocity, time.monotonic())

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


def reach(follower: ArmCalibration, preset: GateConfig, leash_rad: float) -> Reach:
    """Return how far and how fast the follower's gate lets goals go."""
    margin_rad = np.full(6, preset.limit_margin_rad)
    return Reach(
        preset.max_velocity_rad_s,
        follower.lower_limits_rad + margin_rad,
        follower.upper_limits_rad - margin_rad,
        leash_rad,
    )


def main() -> int:
    """Entry point."""
    return run_node(TeleopNode)
