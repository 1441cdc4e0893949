"""The action `execute_task`: one task at a time, the newest goal wins."""

import threading
from collections.abc import Callable

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from rclpy.task import Future
from std_msgs.msg import String

from chefmate.nodes.chunk_messages import duration, duration_s
from chefmate_core.errors import PolicyError
from chefmate_core.policy.task import Outcome, Progress, StopRequest, TaskResult
from chefmate_core.policy.task_runner import TaskRunner
from chefmate_msgs.action import ExecuteTask
from chefmate_ros import qos


class TaskServer:
    """Runs goals in a worker thread, so that the node's callbacks never wait for a policy."""

    def __init__(self, node: Node, why_not_now: Callable[[], str]) -> None:
        """`why_not_now` returns why a goal must be refused at this moment, or nothing."""
        self.runner: TaskRunner | None = None  # set while a policy is loaded
        self._node = node
        self._why_not_now = why_not_now
        self._goal: ServerGoalHandle | None = None  # the newest; its worker may still wait
        self._running: ServerGoalHandle | None = None
        self._refused_instruction = ''
        self._stop = StopRequest()
        self._worker: threading.Thread | None = None
        self._instruction = node.create_publisher(String, 'policy/instruction', qos.LATCHED)
        node.create_subscription(
            String, 'policy/set_instruction', self._on_set_instruction, qos.CHUNK
        )
        self._server = ActionServer(
            node,
            ExecuteTask,
            'execute_task',
            execute_callback=self._execute,
            # Accept always: a refusal comes as a result, because only that carries a reason.
            goal_callback=lambda request: GoalResponse.ACCEPT,
            cancel_callback=self._on_cancel,
        )

    @property
    def busy(self) -> bool:
        """Whether a task is running."""
        return self._worker is not None and self._worker.is_alive()

    def values(self) -> dict[str, object]:
        """What diagnostics show of it."""
        return {'busy': self.busy, 'refused_instruction': self._refused_instruction}

    def end_task(self, outcome: Outcome) -> None:
        """End the running task, if there is one, or the one that is about to run."""
        self._stop.set(outcome)

    def close(self) -> None:
        """End the running task and wait a moment for its thread."""
        self.end_task(Outcome.CANCELED)
        if self._worker is not None:
            self._worker.join(timeout=1.0)

    def publish_progress(self, progress: Progress) -> None:
        """Tell the client of the goal that runs; in the worker thread."""
        if self._running is not None and self._running.is_active:
            self._running.publish_feedback(
                ExecuteTask.Feedback(
                    phase=progress.phase,
                    elapsed=duration(progress.elapsed_s),
                    chunk_age_s=progress.chunk_age_s,
                    inference_time_s=progress.inference_s,
                )
            )

    def on_instruction(self, instruction: str, refusal: str) -> None:
        """Tell everybody which instruction is in force, or that one was refused, and why."""
        if refusal:
            self._refused_instruction = f'{instruction!r}: {refusal}'
            self._node.get_logger().warning(
                f'the instruction stays as it was; refused: {self._refused_instruction}'
            )
        else:
            self._instruction.publish(String(data=instruction))
            self._node.get_logger().info(f'instruction: "{instruction}"')

    def _on_set_instruction(self, message: String) -> None:
        if not message.data.strip():
            self.on_instruction(message.data, 'it is empty')
        elif self.runner is None or not self.busy:
            self.on_instruction(message.data, 'no task is running; give it to execute_task')
        else:
            self.runner.set_instruction(message.data)

    def _on_cancel(self, goal: ServerGoalHandle) -> CancelResponse:
        if goal is self._goal:
            self.end_task(Outcome.CANCELED)
        return CancelResponse.ACCEPT

    async def _execute(self, goal: ServerGoalHandle) -> ExecuteTask.Result:
        refusal = self._why_not_now()
        if refusal:
            task = TaskResult(Outcome.REFUSED, refusal, 0.0, 0)
        else:
            done = Future(executor=self._node.executor)
            self.end_task(Outcome.PREEMPTED)
            previous, self._goal, self._stop = self._worker, goal, StopRequest()
            self._worker = threading.Thread(
                target=self._work,
                args=(goal, previous, self._stop, done),
                name='policy',
                daemon=True,
            )
            if goal.is_cancel_requested:
                self._stop.set(Outcome.CANCELED)
            self._worker.start()
            task = await done
        if task.outcome is Outcome.SUCCEEDED:
            goal.succeed()
        elif task.outcome is Outcome.CANCELED and goal.is_cancel_requested:
            goal.canceled()
        else:
            goal.abort()
        self._node.get_logger().info(f'task {task.outcome}: {task.reason}')
        return ExecuteTask.Result(
            outcome=getattr(ExecuteTask.Result, task.outcome),
            reason=task.reason,
            duration=duration(task.duration_s),
            chunk_count=task.chunk_count,
        )

    def _work(
        self,
        goal: ServerGoalHandle,
        previous: threading.Thread | None,
        stop: StopRequest,
        done: Future,
    ) -> None:
        """In the worker thread: one task, after the one before has ended."""
        if previous is not None:
            previous.join()
        self._running = goal
        try:
            if self.runner is None:
                raise PolicyError('the policy was unloaded')
            longest_s = duration_s(goal.request.max_duration)
            result = self.runner.run(goal.request.instruction, longest_s, stop)
        except Exception as error:  # a policy's own bug ends the task, not the node
            self._node.get_logger().error(f'policy failed: {type(error).__name__}: {error}')
            result = TaskResult(Outcome.FAILED, f'{type(error).__name__}: {error}', 0.0, 0)
        done.set_result(result)
