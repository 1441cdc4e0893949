"""`task_node`: waits until all is ready, gives the policy one task, reports how it ended."""

import os
import time
from functools import partial
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import CameraInfo, JointState

from chefmate.nodes.chunk_messages import duration, duration_s
from chefmate.task.judging import Judging
from chefmate.task.report import POLICY, HealthBoard, TaskSummary, build_report, write_report
from chefmate.task.task_watch import TaskWatch
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_msgs.action import ExecuteTask
from chefmate_ros import qos
from chefmate_ros.diagnostics import DiagnosticsPublisher
from chefmate_ros.parameters import declare
from chefmate_ros.running import NodeError, run_node
from chefmate_ros.timers import steady_timer

OUTCOMES = {
    getattr(ExecuteTask.Result, name): name
    for name in ('SUCCEEDED', 'TIMED_OUT', 'CANCELED', 'PREEMPTED', 'REFUSED', 'FAILED')
}
DEADLINE_MARGIN_S = 10.0  # past the longest duration, at which the policy itself should give up
LOADING_GRACE_S = 15.0  # after the policy has said last that it loads
LAST_WORDS_S = 1.3  # every part reports once a second: then the report holds the whole task


class TaskFinished(KeyboardInterrupt):
    """The task succeeded and is reported: the node's process ends with exit code 0."""


HARDWARE = ('sim', 'isaac', 'real')


class TaskNode(Node):
    """One `execute_task` goal, from readiness to report."""

    def __init__(self) -> None:
        super().__init__('task')
        self._launched_s = float(os.environ.get('CHEFMATE_LAUNCHED_AT', time.time()))
        self._text = declare(self, 'instruction', '', 'What to do, in plain language.')
        self._max_duration_s = declare(self, 'max_duration_s', 120.0, 'Given up after this, s.')
        self._report_path = declare(self, 'report', '', 'JSON report to write; empty: none.')
        hardware = 'sim: kitchen/verdict judges the result. isaac, real: the policy alone does.'
        self._hardware = declare(self, 'hardware', 'real', hardware, choices=HARDWARE)
        self._has_judge = self._hardware == 'sim'
        self._judging = Judging(self._has_judge)
        self._task_watch = TaskWatch()
        self._seed = declare(self, 'seed', 0, 'Seed of the simulated kitchen, for the report.')
        ready_timeout_s = declare(
            self, 'ready_timeout_s', 60.0, 'How long everything may take to come up, s.', (1, 600)
        )
        self._load_timeout_s = declare(
            self, 'load_timeout_s', 900.0, 'How long the policy may take to load, s.', (1, 1e5)
        )
        self._board = HealthBoard()
        self._phase = ''
        self._goal: ClientGoalHandle | None = None
        self._result: ExecuteTask.Result | None = None
        self._sent_s = 0.0
        # Ready: torque is on, both cameras show something, and the policy takes tasks.
        self._awaited = {
            'follower/joint_commands_applied (the arm with torque on)',
            'wrist/camera_info (the wrist camera)',
            'scene/camera_info (the scene camera)',
        }
        for name in self._awaited.copy():
            topic = name.split()[0]
            kind = CameraInfo if topic.endswith('camera_info') else JointState
            self.create_subscription(
                kind, topic, partial(self._on_awaited, name), qos.LATEST_STATE
            )
        self.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.DIAGNOSTICS
        )
        self.create_subscription(
            DiagnosticStatus, 'kitchen/verdict', self._on_verdict, qos.LATCHED
        )
        self._client = ActionClient(self, ExecuteTask, 'execute_task')
        self._diagnostics = DiagnosticsPublisher(self)
        self._diagnostics.add('task', self._diagnose)
        self._give_up_s = time.monotonic() + ready_timeout_s
        self._begin = steady_timer(self, 0.05, self._begin_when_ready)

    def _on_awaited(self, name: str, message: CameraInfo | JointState) -> None:
        del message
        self._awaited.discard(name)

    def _begin_when_ready(self) -> None:
        missing = sorted(self._awaited)
        if not self._client.server_is_ready():
            missing.append('execute_task (the policy)')
        elif self._board.messages.get(POLICY, (0, ''))[1] != 'ready':
            missing.append('the policy to report that it is ready')
        if missing:
            loading_s = float(self._board.of(POLICY).get('loading_s', 'inf'))
            if loading_s < self._load_timeout_s:  # gigabytes take their time
                self._give_up_s = max(self._give_up_s, time.monotonic() + LOADING_GRACE_S)
            if time.monotonic() > self._give_up_s:
                raise NodeError(
                    f'not everything came up; still waiting for: {"; ".join(missing)}. '
                    'The messages of the other nodes say why'
                )
            return
        self._begin.cancel()
        self._sent_s = time.monotonic()
        self._watch = steady_timer(self, 0.2, self._watch_policy)
        self._start_up_s = time.time() - self._launched_s
        self.get_logger().info(f'ready after {self._start_up_s:.1f} s: "{self._text}"')
        goal = ExecuteTask.Goal(
            instruction=self._text, max_duration=duration(self._max_duration_s)
        )
        sent = self._client.send_goal_async(goal, feedback_callback=self._on_feedback)
        sent.add_done_callback(self._on_goal)

    def _on_goal(self, future: Future) -> None:
        self._goal = future.result()
        self._goal.get_result_async().add_done_callback(self._on_result)

    @property
    def _says_done(self) -> bool:
        return self._board.of(POLICY).get('says_done') != 'False'

    def _watch_policy(self) -> None:
        """Nobody else would tell that the task is lost."""
        if self._result is not None:
            return
        now_s = time.monotonic()
        lost = self._task_watch.why_lost(now_s)
        if lost:
            raise NodeError(f'{lost} while "{self._phase}"')
        if self._max_duration_s > 0.0 and (
            now_s - self._sent_s > self._max_duration_s + DEADLINE_MARGIN_S
        ):
            raise NodeError(f'no result {DEADLINE_MARGIN_S:g} s after the longest duration')
        if self._goal is not None and self._judging.ends_task(self._says_done):
            self.get_logger().info('the judge sees it done')
            self._goal.cancel_goal_async()

    def _on_feedback(self, message: ExecuteTask.Impl.FeedbackMessage) -> None:
        phase = message.feedback.phase
        self._task_watch.heard(True, time.monotonic())
        if phase != self._phase:
            self._phase = phase
            self.get_logger().info(f'{duration_s(message.feedback.elapsed):5.1f} s  {phase}')
            self._diagnostics.publish()

    def _on_result(self, future: Future) -> None:
        self._result = future.result().result
        self._task_s = time.monotonic() - self._sent_s
        steady_timer(self, LAST_WORDS_S, partial(self._finish, self._result))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {entry.key: entry.value for entry in status.values}
            self._board.update(status.name, status.level[0], status.message, values)
            if status.name == POLICY and self._sent_s > 0.0:
                self._task_watch.heard(values.get('busy') == 'True', time.monotonic())

    def _on_verdict(self, message: DiagnosticStatus) -> None:
        values = {entry.key: entry.value for entry in message.values}
        achieved = message.level == DiagnosticStatus.OK
        self._judging.hear(achieved, message.message, values, time.monotonic())

    def _finish(self, result: ExecuteTask.Result) -> None:
        outcome, reason = self._judging.outcome(
            OUTCOMES[result.outcome], result.reason, self._says_done
        )
        summary = TaskSummary(
            instruction=self._text,
            policy=self._board.of(POLICY).get('policy', ''),
            hardware=self._hardware,
            seed=self._seed if self._has_judge else None,
            outcome=outcome,
            reason=reason,
            start_up_s=self._start_up_s,
            task_s=self._task_s,
            chunk_count=result.chunk_count,
        )
        report = build_report(summary, self._board, self._judging.verdict)
        if self._report_path:
            write_report(report, Path(self._report_path))
        if not report['success']:
            raise NodeError(f'the task did not succeed: {summary.outcome}: {report["reason"]}')
        self.get_logger().info(f'the task succeeded in {self._task_s:.1f} s')
        raise TaskFinished

    def _diagnose(self) -> Diagnosis:
        if self._sent_s == 0.0:
            waiting = '; '.join(sorted(self._awaited)) or 'the policy'
            return Diagnosis(Level.OK, f'waiting for {waiting}')
        values = {'instruction': self._text, 'elapsed_s': time.monotonic() - self._sent_s}
        return Diagnosis(Level.OK, self._phase or 'sent', values)


def main() -> int:
    """Entry point."""
    return run_node(TaskNode)
