"""`policy_node`: loads a policy by name, serves `execute_task`, publishes action chunks."""

import json

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_msgs.msg import Bool
from trajectory_msgs.msg import JointTrajectory

from chefmate.nodes.chunk_messages import chunk_message
from chefmate.nodes.observation_inputs import ObservationInputs
from chefmate.nodes.task_server import TaskServer
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.errors import ChefMateError, ConfigurationError
from chefmate_core.policy.heartbeat import Heartbeat
from chefmate_core.policy.registry import load_policy
from chefmate_core.policy.task_runner import Outcome, TaskRunner
from chefmate_ros import qos
from chefmate_ros.diagnostics import DiagnosticsPublisher
from chefmate_ros.parameters import declare
from chefmate_ros.running import NodeError, run_node


class PolicyNode(LifecycleNode):
    """Configured, the policy is loaded; active, it takes tasks."""

    def __init__(self) -> None:
        super().__init__('policy')
        self._name = declare(self, 'policy', 'expert', 'Name in the group chefmate.policies.')
        self._options = declare(
            self, 'policy_options', '{}', "The policy's own options, a JSON object."
        )
        self._patience_s = declare(
            self,
            'inference_patience',
            0.1,
            'The arm stops if an inference takes longer, and longer than is usual, s.',
            (0.02, 10.0),
        )
        autostart = declare(self, 'autostart', True, 'Configure and activate by itself.')
        self._inputs = ObservationInputs(
            self,
            declare(self, 'cameras', ['wrist', 'scene'], 'Cameras to listen to.'),
            declare(self, 'camera_rate_hz', 30.0, 'Rate the cameras should have, Hz.', (0.1, 240)),
            declare(self, 'max_observation_age', 0.5, 'Older ones are refused, s.', (0.01, 10.0)),
        )
        self._active = False
        self._estopped = False
        self._failure = ''
        self._chunks = self.create_publisher(JointTrajectory, 'policy/action_chunk', qos.CHUNK)
        self._alive = self.create_publisher(Bool, 'policy/alive', qos.HEARTBEAT)
        self.create_subscription(Bool, 'emergency_stop_active', self._on_estop, qos.LATCHED)
        self._tasks = TaskServer(self, self._why_not_now)
        self._diagnostics = DiagnosticsPublisher(self)
        self._diagnostics.add('policy', self._diagnose)
        if autostart:
            self._autostart = self.create_timer(0.0, self._start_by_itself)

    def _start_by_itself(self) -> None:
        self._autostart.cancel()
        if self.trigger_configure() is TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()
        if self._failure:
            raise NodeError(f'{self.get_fully_qualified_name()}: {self._failure}')

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the policy; what it imports is imported here."""
        del state
        try:
            options = json.loads(self._options)
            if not isinstance(options, dict):
                raise ConfigurationError(
                    f'policy_options: expected a JSON object; found {options}'
                )
            policy = load_policy(self._name, **options)
        except (ChefMateError, ValueError, TypeError) as error:
            self._failure = f'policy {self._name!r}: {error}'
            self.get_logger().error(self._failure)
            return TransitionCallbackReturn.FAILURE
        self._failure = ''
        self._tasks.runner = TaskRunner(
            policy,
            self._inputs.buffer,
            on_chunk=lambda chunk: self._chunks.publish(chunk_message(chunk)),
            on_progress=self._tasks.publish_progress,
            wall_clock=lambda: self.get_clock().now().nanoseconds * 1e-9,
            heartbeat=Heartbeat(
                lambda alive: self._alive.publish(Bool(data=alive)), self._patience_s
            ),
        )
        self.get_logger().info(f'policy {policy.spec.name} is loaded')
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to accept tasks."""
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
        self._tasks.close()
        if self._tasks.runner is not None:
            self._tasks.runner.policy.close()
            self._tasks.runner = None

    def _on_estop(self, message: Bool) -> None:
        self._estopped = message.data

    def _why_not_now(self) -> str:
        if not self._active or self._tasks.runner is None:
            return 'the policy node is not active'
        if self._estopped:
            return 'the emergency stop is latched; release it first'
        return ''

    def _diagnose(self) -> Diagnosis:
        runner = self._tasks.runner
        if runner is None:
            return Diagnosis(Level.ERROR if self._failure else Level.WARN, self._failure or 'idle')
        values: dict[str, object] = {
            'policy': runner.policy.spec.name,
            'busy': self._tasks.busy,
            'overdue_inferences': runner.heartbeat.overdue,
            'inference_limit_ms': runner.heartbeat.limit_s * 1e3,
            'unobservable': runner.statistics.unobservable,
            'last_unobservable': runner.statistics.last_unobservable,
            **runner.statistics.inference.summary_ms('inference'),
            **runner.statistics.observation_age.summary_ms('observation_age'),
            **self._inputs.statistics(),
        }
        return Diagnosis(Level.OK, 'ready' if self._active else 'inactive', values)


def main() -> int:
    """Entry point."""
    return run_node(PolicyNode)
