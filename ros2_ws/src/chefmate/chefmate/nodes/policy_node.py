"""`policy_node`: loads a policy by name, serves `execute_task`, publishes action chunks."""

import json
import threading
from functools import partial

import rclpy.action
from rclpy.action import ActionServer
from rclpy.action.server import ServerGoalHandle
from rclpy.event_handler import QoSMessageLostInfo, SubscriptionEventCallbacks
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.task import Future
from sensor_msgs.msg import Image, JointState, MultiDOFJointState
from std_msgs.msg import Bool, String
from trajectory_msgs.msg import JointTrajectory

from chefmate.nodes.chunk_messages import chunk_message, duration, duration_s
from chefmate_core.camera.delivery import DeliveryMeter
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.errors import ChefMateError, ConfigurationError
from chefmate_core.policy.observations import ObservationBuffer
from chefmate_core.policy.registry import load_policy
from chefmate_core.policy.task_runner import Outcome, Progress, TaskResult, TaskRunner
from chefmate_msgs.action import ExecuteTask
from chefmate_ros import qos
from chefmate_ros.diagnostics import DiagnosticsPublisher
from chefmate_ros.image_messages import rgb_image
from chefmate_ros.joint_messages import joint_vectors, seconds
from chefmate_ros.object_messages import object_poses
from chefmate_ros.parameters import declare
from chefmate_ros.running import NodeError, run_node

KEPT_FRAMES = 3600  # that the delivery figures look back: four minutes at 15 Hz


class PolicyNode(LifecycleNode):
    """Messages, the action server and one worker thread around `TaskRunner`."""

    def __init__(self) -> None:
        super().__init__('policy')
        self._policy_name = declare(
            self, 'policy', 'expert', 'Name in the group chefmate.policies.'
        )
        self._policy_options = declare(
            self, 'policy_options', '{}', "The policy's own options, a JSON object."
        )
        cameras = declare(self, 'cameras', ['wrist', 'scene'], 'Cameras to listen to.')
        rate_hz = declare(
            self,
            'camera_rate_hz',
            30.0,
            'Rate that the cameras are meant to have, Hz.',
            (0.1, 240),
        )
        max_age_s = declare(
            self, 'max_observation_age', 0.5, 'Older observations are refused, s.', (0.01, 10.0)
        )
        autostart = declare(self, 'autostart', True, 'Configure and activate by itself.')
        self._buffer = ObservationBuffer(cameras, max_age_s)
        self._runner: TaskRunner | None = None
        self._goal: ServerGoalHandle | None = None
        self._worker: threading.Thread | None = None
        self._estopped = False
        self._active = False
        self._failure = ''
        self._deliveries = {
            camera: DeliveryMeter(1.0 / rate_hz, KEPT_FRAMES) for camera in cameras
        }
        self._lost_frames = dict.fromkeys(cameras, 0)
        self._chunks = self.create_publisher(JointTrajectory, 'policy/action_chunk', qos.CHUNK)
        self._instruction = self.create_publisher(String, 'policy/instruction', qos.LATCHED)
        self.create_subscription(
            JointState, 'follower/joint_states', self._on_joints, qos.LATEST_STATE
        )
        self.create_subscription(
            MultiDOFJointState, 'kitchen/objects', self._on_objects, qos.LATEST_STATE
        )
        self.create_subscription(Bool, 'emergency_stop_active', self._on_estop, qos.LATCHED)
        for camera in cameras:
            self.create_subscription(
                Image,
                f'{camera}/image_raw',
                partial(self._on_image, camera),
                qos.EVERY_IMAGE,
                event_callbacks=SubscriptionEventCallbacks(
                    message_lost=partial(self._on_lost_image, camera)
                ),
            )
        self._server = ActionServer(
            self,
            ExecuteTask,
            'execute_task',
            execute_callback=self._execute,
            goal_callback=self._on_goal,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=self._on_cancel,
        )
        self._diagnostics = DiagnosticsPublisher(self)
        self._diagnostics.add('policy', self._diagnose)
        if autostart:
            self._autostart = self.create_timer(0.0, self._start_by_itself)

    # --- lifecycle -------------------------------------------------------------------------------

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
            options = json.loads(self._policy_options)
            if not isinstance(options, dict):
                raise ConfigurationError(
                    f'policy_options: expected a JSON object, found {options}'
                )
            policy = load_policy(self._policy_name, **options)
        except (ChefMateError, ValueError, TypeError) as error:
            self._failure = f'policy {self._policy_name!r}: {error}'
            self.get_logger().error(self._failure)
            return TransitionCallbackReturn.FAILURE
        self._runner = TaskRunner(
            policy,
            self._buffer,
            on_chunk=lambda chunk: self._chunks.publish(chunk_message(chunk)),
            on_progress=self._publish_progress,
            wall_clock=lambda: self.get_clock().now().nanoseconds * 1e-9,
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
        self._end_task(Outcome.CANCELED)
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unload the policy."""
        del state
        self.close()
        return TransitionCallbackReturn.SUCCESS

    def close(self) -> None:
        """End the running task and unload the policy."""
        self._active = False
        self._end_task(Outcome.CANCELED)
        if self._worker is not None:
            self._worker.join(timeout=1.0)
        if self._runner is not None:
            self._runner.policy.close()
            self._runner = None

    # --- sensors ---------------------------------------------------------------------------------

    def _on_joints(self, message: JointState) -> None:
        vectors = joint_vectors(message)
        if vectors is not None:
            self._buffer.add_joints(seconds(message.header.stamp), *vectors)

    def _on_objects(self, message: MultiDOFJointState) -> None:
        self._buffer.add_objects(seconds(message.header.stamp), object_poses(message))

    def _on_image(self, camera: str, message: Image) -> None:
        stamp_s = seconds(message.header.stamp)
        now_s = self.get_clock().now().nanoseconds * 1e-9
        self._deliveries[camera].add(stamp_s, now_s)
        self._buffer.add_image(camera, stamp_s, rgb_image(message))

    def _on_lost_image(self, camera: str, event: QoSMessageLostInfo) -> None:
        self._lost_frames[camera] = event.total_count

    def _on_estop(self, message: Bool) -> None:
        self._estopped = message.data

    # --- the action ------------------------------------------------------------------------------

    def _on_goal(self, request: ExecuteTask.Goal) -> rclpy.action.GoalResponse:
        """Accept always: a refusal comes as a result, because only that carries a reason."""
        del request
        return rclpy.action.GoalResponse.ACCEPT

    def _on_cancel(self, goal: ServerGoalHandle) -> rclpy.action.CancelResponse:
        if goal is self._goal and self._runner is not None:
            self._runner.stop(Outcome.CANCELED)
        return rclpy.action.CancelResponse.ACCEPT

    def _on_accepted(self, goal: ServerGoalHandle) -> None:
        self._end_task(Outcome.PREEMPTED)
        goal.execute()

    async def _execute(self, goal: ServerGoalHandle) -> ExecuteTask.Result:
        refusal = self._why_not_now()
        if refusal:
            task = TaskResult(Outcome.REFUSED, refusal, 0.0, 0)
        else:
            done = Future(executor=self.executor)
            previous, self._goal = self._worker, goal
            self._worker = threading.Thread(
                target=self._work, args=(goal, previous, done), name='policy', daemon=True
            )
            self._worker.start()
            task = await done
        if task.outcome is Outcome.SUCCEEDED:
            goal.succeed()
        elif task.outcome is Outcome.CANCELED and goal.is_cancel_requested:
            goal.canceled()
        else:
            goal.abort()
        self.get_logger().info(f'task {task.outcome}: {task.reason}')
        return ExecuteTask.Result(
            outcome=getattr(ExecuteTask.Result, task.outcome),
            reason=task.reason,
            duration=duration(task.duration_s),
            chunk_count=task.chunk_count,
        )

    def _why_not_now(self) -> str:
        if not self._active or self._runner is None:
            return 'the policy node is not active'
        if self._estopped:
            return 'the emergency stop is latched; release it first'
        return ''

    def _work(
        self, goal: ServerGoalHandle, previous: threading.Thread | None, done: Future
    ) -> None:
        """In the worker thread: one task, after the one before has ended."""
        if previous is not None:
            previous.join()
        try:
            instruction = goal.request.instruction
            self._instruction.publish(String(data=instruction))
            result = self._runner.run(instruction, duration_s(goal.request.max_duration))
        except Exception as error:  # a policy's own bug ends the task, not the node
            self.get_logger().error(f'policy failed: {type(error).__name__}: {error}')
            result = TaskResult(Outcome.FAILED, f'{type(error).__name__}: {error}', 0.0, 0)
        done.set_result(result)

    def _end_task(self, outcome: Outcome) -> None:
        if self._runner is not None and self._worker is not None and self._worker.is_alive():
            self._runner.stop(outcome)

    def _publish_progress(self, progress: Progress) -> None:
        if self._goal is not None and self._goal.is_active:
            self._goal.publish_feedback(ExecuteTask.Feedback(
                phase=progress.phase,
                elapsed=duration(progress.elapsed_s),
                chunk_age_s=progress.chunk_age_s,
                inference_time_s=progress.inference_s,
            ))  # fmt: skip

    def _diagnose(self) -> Diagnosis:
        if self._runner is None:
            return Diagnosis(Level.ERROR if self._failure else Level.WARN, self._failure or 'idle')
        statistics = self._runner.statistics
        values: dict[str, object] = {
            'policy': self._runner.policy.spec.name,
            'unobservable': statistics.unobservable,
            'last_unobservable': statistics.last_unobservable,
            **statistics.inference.summary_ms('inference'),
            **statistics.observation_age.summary_ms('observation_age'),
        }
        for camera, delivery in self._deliveries.items():
            report = delivery.report()
            values |= {
                f'{camera}_received': report.arrived,
                f'{camera}_missing': report.missing,  # by stamps: never captured, or lost
                f'{camera}_lost_in_transport': self._lost_frames[camera],  # by the middleware
                f'{camera}_rate_hz': report.rate_hz,
                f'{camera}_age_p50_ms': report.latency_p50_s * 1e3,
                f'{camera}_age_p99_ms': report.latency_p99_s * 1e3,
                f'{camera}_age_max_ms': report.latency_max_s * 1e3,
            }
        return Diagnosis(Level.OK, 'ready' if self._active else 'inactive', values)


def main() -> int:
    """Entry point."""
    return run_node(PolicyNode)
