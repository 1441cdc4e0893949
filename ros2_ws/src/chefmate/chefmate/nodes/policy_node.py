"""`policy_node`: loads a policy by name, serves `execute_task`, publishes action chunks."""

import os
import sys
from functools import partial

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_msgs.msg import Bool
from trajectory_msgs.msg import JointTrajectory

from chefmate.nodes.chunk_messages import chunk_message
from chefmate.nodes.observation_inputs import ObservationInputs
from chefmate.nodes.task_server import TaskServer
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.heartbeat import Heartbeat
from chefmate_core.policy.loading import PolicyLoading
from chefmate_core.policy.protocol import Policy
from chefmate_core.policy.registry import PolicyContext
from chefmate_core.policy.task import Outcome
from chefmate_core.policy.task_runner import TaskRunner
from chefmate_ros import qos
from chefmate_ros.diagnostics import DiagnosticsPublisher
from chefmate_ros.parameters import declare
from chefmate_ros.running import NodeError, run_node
from chefmate_ros.timers import steady_timer

LOADING_CHECK_S = 0.05


class PolicyNode(LifecycleNode):
    """Configured, it loads the policy in a thread; loaded and active, it takes tasks."""

    def __init__(self) -> None:
        super().__init__('policy')
        self._name = declare(
            self, 'policy', 'expert', 'Installed policy, model, checkpoint, hub id or address.'
        )
        self._options = declare(self, 'policy_options', '{}', 'Options of its own, a JSON object.')
        cameras = declare(self, 'cameras', ['wrist', 'scene'], 'Cameras to listen to.')
        calibration = declare(
            self, 'calibration', '', "The follower's, LeRobot's JSON; models need it."
        )
        self._policy_context = PolicyContext(calibration, tuple(cameras))
        patience = 'The arm stops if an inference takes longer, and longer than is usual, s.'
        self._patience_s = declare(self, 'inference_patience', 0.1, patience, (0.02, 10.0))
        self._autostart = declare(self, 'autostart', True, 'Configure and activate by itself.')
        self._inputs = ObservationInputs(self, cameras)
        self._active = False
        self._estopped = False
        self._failure = ''
        self._loading: PolicyLoading | None = None
        self._chunks = self.create_publisher(JointTrajectory, 'policy/action_chunk', qos.CHUNK)
        self._alive = self.create_publisher(Bool, 'policy/alive', qos.HEARTBEAT)
        self.create_subscription(Bool, 'emergency_stop_active', self._on_estop, qos.LATCHED)
        self._tasks = TaskServer(self, self._why_not_now)
        self._diagnostics = DiagnosticsPublisher(self)
        self._diagnostics.add('policy', self._diagnose)
        self._check = steady_timer(self, LOADING_CHECK_S, self._check_loading)
        self._check.cancel()
        if self._autostart:
            self._begin = steady_timer(self, 0.0, self._start_by_itself)

    def _start_by_itself(self) -> None:
        self._begin.cancel()
        self.trigger_configure()
        self._end_if_refused()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to load the policy; what it imports is imported in that thread."""
        del state
        self._failure = ''
        try:
            self._loading = PolicyLoading(
                self._name, self._options, self._policy_context, partial(self._tell, self._name)
            )
        except ConfigurationError as error:
            self._fail(str(error))
            return TransitionCallbackReturn.FAILURE
        self._check.reset()
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to accept tasks; refused until the policy is loaded."""
        if self._tasks.runner is None:
            self.get_logger().error(f'cannot be activated: {self._why_not_loaded()}')
            return TransitionCallbackReturn.FAILURE
        self._active = True
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End the running task; accept no more."""
        self._active = False
        self._tasks.end_task(Outcome.CANCELED)
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unload the policy."""
        del state
        self.close()
        return TransitionCallbackReturn.SUCCESS

    def close(self) -> None:
        """End the running task and unload the policy."""
        self._active = False
        self._check.cancel()
        if self._loading is not None:
            self._loading.abandon()
            self._loading = None
        self._tasks.close()
        if self._tasks.runner is not None:
            self._tasks.runner.policy.close()
            self._tasks.runner = None

    def _check_loading(self) -> None:
        """The loading thread may have ended: what it loaded is taken here, or why it failed."""
        loading = self._loading
        if loading is None or not loading.is_done:
            return
        self._check.cancel()
        self._loading = None
        policy = loading.take()
        if policy is None:
            self._fail(f'policy {self._name!r}: {loading.failure}')
            self._end_if_refused()
            return
        self._tasks.runner = self._runner(policy)
        self._inputs.measure_anew()  # imports have kept messages waiting
        self.get_logger().info(
            f'policy {policy.spec.name} is loaded, after {loading.elapsed_s:.1f} s'
        )
        if self._autostart:
            self.trigger_activate()
        self._diagnostics.publish()

    def _runner(self, policy: Policy) -> TaskRunner:
        return TaskRunner(
            policy,
            self._inputs.buffer,
            on_chunk=lambda chunk: self._chunks.publish(chunk_message(chunk)),
            on_progress=self._tasks.publish_progress,
            wall_clock=lambda: self.get_clock().now().nanoseconds * 1e-9,
            heartbeat=Heartbeat(
                lambda alive: self._alive.publish(Bool(data=alive)), self._patience_s
            ),
            committed=self._inputs.committed,
            on_instruction=self._tasks.on_instruction,
        )

    def _tell(self, name: str, what: str) -> None:
        self.get_logger().info(f'policy {name}: {what}')

    def _fail(self, reason: str) -> None:
        self._failure = reason
        self.get_logger().error(reason)

    def _end_if_refused(self) -> None:
        """Who started by itself ends by itself; a lifecycle manager is told by diagnostics."""
        if self._failure and self._autostart:
            raise NodeError(f'{self.get_fully_qualified_name()}: {self._failure}')

    def _on_estop(self, message: Bool) -> None:
        self._estopped = message.data

    def _why_not_loaded(self) -> str:
        if self._loading is not None:
            return f'{self._loading.what} ({self._loading.elapsed_s:.0f} s so far)'
        return self._failure or 'no policy is loaded'

    def _why_not_now(self) -> str:
        if self._tasks.runner is None:
            return self._why_not_loaded()
        if not self._active:
            return 'the policy node is not active'
        if self._estopped:
            return 'the emergency stop is latched; release it first'
        return ''

    def _diagnose(self) -> Diagnosis:
        runner = self._tasks.runner
        if runner is None:
            if self._failure:
                return Diagnosis(Level.ERROR, self._failure)
            if self._loading is None:
                return Diagnosis(Level.WARN, 'idle')
            return Diagnosis(Level.OK, self._loading.what, {'loading_s': self._loading.elapsed_s})
        values: dict[str, object] = {
            'policy': runner.policy.spec.name,
            'says_done': runner.policy.spec.says_done,
            'known_instructions': ' | '.join(runner.policy.spec.known_instructions),
            'overdue_inferences': runner.heartbeat.overdue,
            'inference_limit_ms': runner.heartbeat.limit_s * 1e3,
            **self._tasks.values(),
            **runner.statistics.values(),
            **self._inputs.values(),
        }
        return Diagnosis(Level.OK, 'ready' if self._active else 'inactive', values)


def main() -> int:
    """Entry point."""
    code = run_node(PolicyNode)
    sys.stdout.flush()
    sys.stderr.flush()
    # All is closed. To take torch down would keep Python for longer than a launch waits until it
    # kills; and a thread that still loads cannot be ended.
    os._exit(code)
