"""`action_executor_node`: plays stamped chunks as a smooth stream of joint commands."""

import time

from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from trajectory_msgs.msg import JointTrajectory

from chefmate.nodes.chunk_messages import chunk_rows, trajectory_message
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_core.motion.player import ChunkPlayer
from chefmate_core.motion.reach import Reach
from chefmate_core.motion.timeline import TimelineConfig, TimelineState
from chefmate_core.policy.protocol import PERIOD_S
from chefmate_core.safety.config import load_preset
from chefmate_core.timing import Durations, Rate
from chefmate_msgs.msg import ServoTelemetry
from chefmate_ros import qos
from chefmate_ros.diagnostics import DiagnosticsPublisher
from chefmate_ros.joint_messages import joint_state, joint_vectors, seconds
from chefmate_ros.parameters import declare
from chefmate_ros.running import run_node
from chefmate_ros.timers import steady_timer

LEASH_RAD = 0.5  # half of what the gate takes for a leap; an arm that follows lags by 0.1
REFUSED_SAID_S = 5.0  # at most so often
CLOCK_JUMP_S = 0.1  # the wall clock moved against the steady clock by more than this


class ActionExecutorNode(Node):
    """Parameters and messages around `chefmate_core.motion.player.ChunkPlayer`."""

    def __init__(self) -> None:
        super().__init__('action_executor')
        rate_hz = declare(self, 'rate_hz', 100.0, 'Rate of joint commands, Hz.', (10.0, 500.0))
        preset = declare(self, 'preset', 'careful', 'Limits of the gate; its speeds are kept to.')
        defaults = TimelineConfig()
        config = TimelineConfig(
            join_s=declare(self, 'join_s', defaults.join_s, 'Shortest join of two chunks, s.'),
            join_velocity_rad_s=declare(
                self,
                'join_velocity_rad_s',
                defaults.join_velocity_rad_s,
                'Speed at which a large difference to a new chunk fades, rad/s.',
            ),
            stop_deceleration_rad_s2=declare(
                self,
                'stop_deceleration_rad_s2',
                defaults.stop_deceleration_rad_s2,
                'Deceleration when out of steps, rad/s^2.',
            ),
        )
        self._player = ChunkPlayer(
            config,
            declare(
                self,
                'heartbeat_timeout',
                0.1,
                'The arm stops if a policy that has a heartbeat is silent for longer, s.',
                (0.04, 10.0),
            ),
            Reach(
                load_preset(preset).max_velocity_rad_s,
                LOWER_LIMITS_RAD,
                UPPER_LIMITS_RAD,
                LEASH_RAD,
            ),
        )
        self._timeline = self._player.timeline
        self._wall_offset_s = self._offset_s()
        self._clock_jumps = 0
        self._chunk_ages = Durations()
        self._commands = Rate()
        self._publisher = self.create_publisher(JointState, 'follower/joint_commands', qos.COMMAND)
        self._committed = self.create_publisher(JointTrajectory, 'policy/committed', qos.CHUNK)
        self._told = 0  # changes of the timeline that were told
        self.create_subscription(JointTrajectory, 'policy/action_chunk', self._on_chunk, qos.CHUNK)
        self.create_subscription(Bool, 'policy/alive', self._on_heartbeat, qos.HEARTBEAT)
        self.create_subscription(
            JointState, 'follower/joint_commands_applied', self._on_applied, qos.LATEST_STATE
        )
        self.create_subscription(
            ServoTelemetry, 'follower/servo_telemetry', self._on_telemetry, qos.LATEST_STATE
        )
        self.create_subscription(Bool, 'emergency_stop_active', self._on_estop, qos.LATCHED)
        self._diagnostics = DiagnosticsPublisher(self)
        self._diagnostics.add('timeline', self._diagnose)
        steady_timer(self, 1.0 / rate_hz, self._play)

    def _offset_s(self) -> float:
        """Wall clock minus steady clock."""
        return self.get_clock().now().nanoseconds * 1e-9 - time.monotonic()

    def _on_applied(self, message: JointState) -> None:
        """The driver says in `frame_id` what its safety gate is doing."""
        vectors = joint_vectors(message)
        if vectors is not None:
            self._player.applied(vectors[0], message.header.frame_id, time.monotonic())

    def _on_heartbeat(self, message: Bool) -> None:
        self._player.heartbeat(message.data)

    def _on_telemetry(self, message: ServoTelemetry) -> None:
        """A driver that spares a servo lowers its caps: play as slowly, and the path stays."""
        if 0.0 < message.speed <= 1.0:  # False for NaN
            self._timeline.set_speed(message.speed, time.monotonic())

    def _on_estop(self, message: Bool) -> None:
        self._player.estop(message.data)

    def _on_chunk(self, message: JointTrajectory) -> None:
        """Take a chunk onto the timeline, its stamp converted to the steady clock."""
        try:
            rows = chunk_rows(message)
        except ConfigurationError as error:
            self._player.counters['chunks_refused_malformed'] += 1
            self.get_logger().warning(
                f'a chunk is refused: {error}', throttle_duration_sec=REFUSED_SAID_S
            )
            return
        now_s = time.monotonic()
        start_s = seconds(message.header.stamp) - self._wall_offset_s
        self._chunk_ages.add(now_s - start_s)
        self._player.add(start_s, rows.positions_rad, rows.period_s, now_s, rows.final)
        self._tell_committed(now_s)

    def _play(self) -> None:
        offset_s = self._offset_s()
        if abs(offset_s - self._wall_offset_s) > CLOCK_JUMP_S:
            self._clock_jumps += 1
        self._wall_offset_s = offset_s
        now_s = time.monotonic()
        goal = self._player.sample(now_s)
        self._tell_committed(now_s)
        if goal is None:
            return
        stamp = self.get_clock().now().to_msg()
        self._publisher.publish(
            joint_state(stamp, goal.position_rad, goal.velocity_rad_s, frame_id='executor')
        )
        self._commands.tick()

    def _tell_committed(self, now_s: float) -> None:
        """Say what will be played from now on, each time that it has changed."""
        if self._timeline.changes == self._told:
            return
        self._told = self._timeline.changes
        rows = self._player.committed(now_s)
        self._committed.publish(trajectory_message(now_s + self._wall_offset_s, rows, PERIOD_S))

    def _diagnose(self) -> Diagnosis:
        values = {
            'state': self._timeline.state,
            'speed': self._timeline.speed,
            'commands': self._commands.count,
            'command_rate_hz': self._commands.hz(),
            'clock_jumps': self._clock_jumps,
            **self._chunk_ages.summary_ms('chunk_age'),
            **self._timeline.counters,
        }
        if self._player.starved_by_silence:
            return Diagnosis(Level.WARN, 'starved: the policy is silent', values)
        if self._timeline.state is TimelineState.STOPPING:
            return Diagnosis(Level.WARN, 'starved: decelerating', values)
        return Diagnosis(Level.OK, str(self._timeline.state), values)


def main() -> int:
    """Entry point."""
    return run_node(ActionExecutorNode)
