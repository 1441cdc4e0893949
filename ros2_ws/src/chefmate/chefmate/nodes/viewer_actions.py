"""What a button of the page means on the ROS graph; nothing that others could not do too."""

import threading
from collections.abc import Callable
from textwrap import shorten

from action_msgs.srv import CancelGoal
from rclpy.action import ActionClient
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import SetBool, Trigger

from chefmate.nodes.chunk_messages import duration
from chefmate.viewer.deeds import FOR_ALL, NEEDS, Deed
from chefmate.viewer.story import Tone
from chefmate_msgs.action import ExecuteTask

Say = Callable[[str, Tone], None]

LONGEST_ANSWER = 240  # characters
TRIGGERS = {
    Deed.RESET: 'A fresh kitchen is laid',
    Deed.RECORD: 'Recording',
    Deed.SAVE: 'The recording is saved',
    Deed.DISCARD: 'The recording is discarded',
}


class ViewerActions:
    """Calls services and the action; answers go to `say`."""

    def __init__(self, node: Node, control: bool, max_duration_s: float, say: Say) -> None:
        """Without `control`, whatever a browser sends, it can do no more than stop the arm."""
        self._node = node
        self._say = say
        self._control = control
        self._max_duration_s = max_duration_s
        self._lock = threading.Lock()
        self._estop = node.create_client(SetBool, 'emergency_stop')
        self._estop_call: Future | None = None
        self._cancel = node.create_client(CancelGoal, 'execute_task/_action/cancel_goal')
        self._triggers: dict[Deed, Client] = {
            deed: node.create_client(Trigger, NEEDS[deed][0]) for deed in TRIGGERS
        }
        self._task = ActionClient(node, ExecuteTask, 'execute_task')

    @property
    def can_stop(self) -> bool:
        """Whether there is an arm that can be asked to stop."""
        return bool(self._estop.service_is_ready())

    def offered(self) -> frozenset[str]:
        """Return which services and actions are there."""
        found = {
            NEEDS[deed][0] for deed, client in self._triggers.items() if client.service_is_ready()
        }
        if self.can_stop:
            found.add(NEEDS[Deed.STOP][0])
        if self._cancel.service_is_ready():
            found |= {'cancel_task', 'execute_task'}
        return frozenset(found)

    def do(self, deed: Deed, text: str = '') -> None:
        """Ask for a deed; in the thread of whoever pressed the button, for it must not wait."""
        if deed not in FOR_ALL and not self._control:
            self._node.get_logger().warning(f'refused, as this page only watches: {deed.value}')
            return
        with self._lock:
            if deed in (Deed.STOP, Deed.RELEASE):
                request = SetBool.Request(data=deed is Deed.STOP)
                if self._estop_call is not None:  # its answer is no longer waited for
                    self._estop.remove_pending_request(self._estop_call)
                self._estop_call = self._call(self._estop, request, self._on_estop)
            elif deed is Deed.END:
                # All zero: every goal, whoever gave it.
                self._call(self._cancel, CancelGoal.Request(), self._on_canceled)
            elif deed is Deed.START:
                self._start(text)
            else:
                self._call(
                    self._triggers[deed],
                    Trigger.Request(),
                    lambda future: self._on_trigger(deed, future),
                )

    def _call(self, client: Client, request, on_answer: Callable[[Future], None]) -> Future | None:
        if not client.service_is_ready():
            self._say(f'Nobody offers {client.srv_name} at the moment', Tone.BAD)
            return None
        future = client.call_async(request)
        future.add_done_callback(on_answer)
        return future

    def _start(self, instruction: str) -> None:
        if not instruction:
            self._say('Say in words what to do', Tone.WARNING)
            return
        goal = ExecuteTask.Goal(
            instruction=instruction, max_duration=duration(self._max_duration_s)
        )
        # Not in this thread: the action client's bookkeeping belongs to the executor's.
        executor = self._node.executor
        if executor is not None:
            executor.create_task(self._send, goal)

    def _send(self, goal: ExecuteTask.Goal) -> None:
        self._task.send_goal_async(goal).add_done_callback(self._on_goal)

    def _on_goal(self, future: Future) -> None:
        handle = future.result()
        if not handle.accepted:
            self._say('The policy takes no task', Tone.BAD)
            return
        handle.get_result_async().add_done_callback(self._on_result)

    def _on_result(self, future: Future) -> None:
        result = future.result().result
        tone = {
            ExecuteTask.Result.SUCCEEDED: Tone.GOOD,
            ExecuteTask.Result.CANCELED: Tone.QUIET,
            ExecuteTask.Result.PREEMPTED: Tone.QUIET,
        }.get(result.outcome, Tone.BAD)
        refused = 'Refused: ' if result.outcome == ExecuteTask.Result.REFUSED else ''
        self._say(f'{refused}{first_words(result.reason)}', tone)

    def _on_estop(self, future: Future) -> None:
        answer = future.result()
        self._node.get_logger().warning(f'emergency stop, asked by the page: {answer.message}')
        if not answer.success:
            self._say(answer.message, Tone.BAD)

    def _on_canceled(self, future: Future) -> None:
        count = len(future.result().goals_canceling)
        self._say('The task is stopped' if count else 'No task was running', Tone.QUIET)

    def _on_trigger(self, deed: Deed, future: Future) -> None:
        answer = future.result()
        if answer.success:
            self._say(TRIGGERS[deed], Tone.GOOD)
        else:
            self._say(answer.message or 'refused', Tone.BAD)


def first_words(reason: str) -> str:
    """Return the first lines of a reason, without a sentence that only announces a list."""
    first = reason.partition('\n')[0].strip()
    if first.endswith(':') and '. ' in first:
        first = first.rpartition('. ')[0]
    return shorten(first, LONGEST_ANSWER, placeholder=' ...')
