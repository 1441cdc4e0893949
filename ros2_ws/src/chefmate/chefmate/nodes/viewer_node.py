"""`viewer_node`: the page in the browser. It watches, it asks; the arm needs nothing of it."""

import math
import os
import threading
import time
from traceback import format_exc

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node
from std_msgs.msg import String

from chefmate.nodes.viewer_actions import ViewerActions
from chefmate.nodes.viewer_inputs import ViewerInputs
from chefmate.nodes.viewer_parameters import declared_parameters, robot_name
from chefmate.nodes.viewer_stop import ViewerStop
from chefmate.viewer.deeds import Situation
from chefmate.viewer.feeds import Feeds
from chefmate.viewer.gateway import StopLine
from chefmate.viewer.health import POLICY, Health, Report
from chefmate.viewer.page import Moment, Page
from chefmate.viewer.scene.arm_model import read_arm_model
from chefmate.viewer.serving import Serving
from chefmate.viewer.story import Tone, Verdict, tell
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.kinematics import Chain
from chefmate_ros import qos
from chefmate_ros.diagnostics import DiagnosticsPublisher
from chefmate_ros.running import run_node

NICE = 10  # whatever else runs comes first
FAILURE_SHOWN_S = 5.0
TASKS_KEY, TASKS_SEPARATOR = 'known_instructions', ' | '


class ViewerNode(Node):
    """Messages around `chefmate.viewer`.

    A thread of its own draws; it subscribes to what is shown only while somebody looks.

    Raises:
        ConfigurationError: no port is free, another host than this one without a token, or no
            robot description.
    """

    def __init__(self) -> None:
        super().__init__('viewer')
        self._settings = parameters = declared_parameters(self)
        model = read_arm_model()
        self._feeds = Feeds()
        self._health = Health()
        self._instruction = ''
        self._verdict: Verdict | None = None
        self._failures, self._failure, self._failed_s = 0, '', -math.inf  # of drawing
        self._closing = threading.Event()
        self._serving = Serving()
        self._actions = ViewerActions(
            self, parameters.control, parameters.max_duration_s, self._say
        )
        self._stop = ViewerStop(self, self._actions, self._serving, self._feeds, self._health)
        robot = robot_name(self.get_namespace())
        self._page = Page(
            self._serving.viser,
            robot,
            model,
            self._actions,
            self._stop.state,
            parameters.known_tasks,
            parameters.control,
            parameters.dark_mode,
        )
        self._inputs = ViewerInputs(self._feeds, Chain(model.tree), self.get_namespace())
        self.create_subscription(String, 'policy/instruction', self._on_instruction, qos.LATCHED)
        self.create_subscription(
            DiagnosticStatus, 'kitchen/verdict', self._on_verdict, qos.LATCHED
        )
        self.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.DIAGNOSTICS
        )
        # The last: from here on browsers press.
        self._serving.open(
            *(parameters.host, parameters.port, parameters.token),
            StopLine(self._stop.press, robot),
        )
        self._diagnostics = DiagnosticsPublisher(self)
        self._diagnostics.add('page', self._diagnose)
        self._thread = threading.Thread(target=self._draw, name='page', daemon=True)
        self._thread.start()
        mode = 'control' if parameters.control else 'read-only'
        token = ', with ?token= and the token behind it' if parameters.token else ''
        self.get_logger().info(f'the page: {self._address} ({mode}){token}')

    @property
    def _address(self) -> str:
        """Without the token, which is nobody's business."""
        return self._serving.gateway.address.partition('?')[0]

    def close(self) -> None:
        """Send the browsers away."""
        self._closing.set()
        self._page.changed.set()
        self._thread.join(timeout=2.0)
        self._serving.close()

    def _draw(self) -> None:
        """In a thread of its own, until the node is closed."""
        period_s = 1.0 / self._settings.rate_hz
        while not self._closing.is_set():
            began_s = time.monotonic()
            try:
                self._draw_once(began_s)
            except Exception as error:  # one odd message must not end the page for everybody
                self._drawing_failed(error, began_s)
            self._closing.wait(max(period_s - (time.monotonic() - began_s), 0.002))
        self._inputs.close()

    def _draw_once(self, now_s: float) -> None:
        """Draw; nobody looks: wait until somebody does."""
        page, inputs = self._page, self._inputs
        if page.watchers:
            if not inputs.listening:
                inputs.listen()
            inputs.poll(now_s)
            page.draw(self._moment(now_s))
            return
        if inputs.listening:
            inputs.rest()
            page.rest()
        page.changed.clear()
        if not page.watchers and not self._closing.is_set():  # nobody came in between
            page.changed.wait()

    def _drawing_failed(self, error: Exception, now_s: float) -> None:
        """Say it and go on: parts that are due at another moment are drawn all the same."""
        self._failures, self._failed_s = self._failures + 1, now_s
        self._failure = f'{type(error).__name__}: {error}'
        self.get_logger().error(
            f'the page cannot be drawn: {format_exc()}', throttle_duration_sec=FAILURE_SHOWN_S
        )

    def _moment(self, now_s: float) -> Moment:
        story = tell(
            self._feeds,
            self._health,
            self._stop.state.stopped,
            self._instruction,
            self._verdict,
            now_s,
        )
        situation = Situation(
            control=self._settings.control,
            offered=self._actions.offered(),
            stopped=self._stop.state.stopped,
            working=story.working,
            health=self._health,
            now_s=now_s,
        )
        named = self._health.value(POLICY, TASKS_KEY, now_s)
        return Moment(self._feeds, situation, story, named.split(TASKS_SEPARATOR) if named else ())

    def _say(self, text: str, tone: Tone) -> None:
        self._page.say(text, tone, time.monotonic())

    def _on_instruction(self, message: String) -> None:
        self._instruction, self._verdict = message.data, None

    def _on_verdict(self, message: DiagnosticStatus) -> None:
        self._verdict = Verdict(message.level[0] == 0, message.message)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        now_s = time.monotonic()
        for status in message.status:
            values = {entry.key: entry.value for entry in status.values}
            report = Report(status.level[0], status.message, values, now_s, status.hardware_id)
            self._health.update(status.name, report)

    def _diagnose(self) -> Diagnosis:
        gateway = self._serving.gateway
        values = {
            'address': self._address,
            'viewers': self._page.watchers,
            'refused': gateway.refused,
            **{f'refused_{why}': count for why, count in gateway.refusals.items()},
            'control': self._settings.control,
            'needs_token': self._settings.token is not None,
            'refused_joint_states': self._feeds.joints.refused,
            'drawing_failures': self._failures,
        }
        if time.monotonic() - self._failed_s < FAILURE_SHOWN_S:
            return Diagnosis(Level.WARN, f'cannot be drawn: {self._failure}', values)
        return Diagnosis(Level.OK, f'{self._page.watchers} are watching', values)


def main() -> int:
    """Entry point."""
    os.nice(NICE)  # before there are other threads: they take it over
    return run_node(ViewerNode)
