"""`recorder_node`: records episodes of arm, cameras and instruction as rosbag2 folders."""

import contextlib
import os
import time
from dataclasses import replace
from functools import partial

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.event_handler import QoSMessageLostInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, CompressedImage, JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger

from chefmate.nodes.recorder_parameters import declared_recorder
from chefmate_core import qos_table
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.errors import ChefMateError
from chefmate_core.recording.cdr import read_string
from chefmate_core.recording.definitions import MessageTypes
from chefmate_core.recording.errors import MessageBytesError
from chefmate_core.recording.message_queue import Message
from chefmate_core.recording.recorder import Recorder
from chefmate_core.recording.recorder_config import State
from chefmate_core.recording.schedule import Schedule, Step
from chefmate_core.recording.session import SessionFolder
from chefmate_core.recording.topics import RecordedTopic, Role
from chefmate_ros import qos
from chefmate_ros.diagnostics import DiagnosticsPublisher
from chefmate_ros.running import run_node
from chefmate_ros.timers import steady_timer

SAVING_S = 20.0  # how long a service waits for the disk
TICK_S = 0.05
TYPES = (JointState, CompressedImage, CameraInfo, String, DiagnosticArray)
# Readers keep so much: busy machines hold an interpreter up for more than the second that
# EVERY_IMAGE allows, and JPEG is small. A process that is stopped altogether has only what the
# writers keep.
HELD_UP_S = 10.0


class RecorderNode(Node):
    """Parameters, raw messages and services around `chefmate_core.recording.recorder.Recorder`.

    Raises:
        ConfigurationError: a parameter is wrong, or the session's folder is something else.
    """

    def __init__(self) -> None:
        super().__init__('recorder')
        given = declared_recorder(self)
        session = SessionFolder(given.session, given.overwrite)
        names = {topic.name: self.resolve_topic_name(topic.name) for topic in given.topics}
        self._recorder = Recorder(
            session,
            given.info,
            given.topics,
            names,
            MessageTypes.from_environment(os.environ),
            given.config,
            given.limits,
        )
        self._recorder.instruction = given.instruction
        self._schedule = Schedule(given.schedule)
        self._told = self._recorder.last
        self._waits_for = ''
        for topic in given.topics:
            self._subscribe(topic)
        for name, answer in (
            ('start_recording', self._start),
            ('stop_recording', self._stop),
            ('discard_episode', self._discard),
        ):
            self.create_service(Trigger, f'recorder/{name}', partial(self._answer, answer))
        self._diagnostics = DiagnosticsPublisher(self, hardware_id=str(given.session))
        self._diagnostics.add('episodes', self._diagnose)
        steady_timer(self, TICK_S, self._tick)
        self.get_logger().info(
            f'session {given.session}: {len(session.finished())} episodes are there, the next is '
            f'{session.next_index}'
        )
        if session.left_open():
            self.get_logger().warning(
                f'episodes {session.left_open()} were never finished. Next: '
                f'chefmate dataset repair {given.session}'
            )

    def close(self) -> None:
        """Save the open episode."""
        self._recorder.close()
        with contextlib.suppress(ChefMateError):  # logged
            self._tell()

    # --- messages --------------------------------------------------------------------------------

    def _subscribe(self, topic: RecordedTopic) -> None:
        kind = next(each for each in TYPES if topic.type_name.endswith(f'/{each.__name__}'))
        self.create_subscription(
            kind,
            topic.name,
            partial(self._on_message, topic),
            reader_qos(topic),
            raw=True,  # bytes in, bytes out: no image is ever decoded
            event_callbacks=SubscriptionEventCallbacks(
                message_lost=partial(self._on_lost, topic.name)
            ),
        )

    def _on_message(self, topic: RecordedTopic, data: bytes, info: dict[str, int]) -> None:
        log_ns = info['received_timestamp'] or self.get_clock().now().nanoseconds
        if topic.role is Role.INSTRUCTION:
            try:
                self._recorder.instruction = read_string(data) or self._recorder.instruction
            except MessageBytesError as error:
                self.get_logger().error(str(error))
        self._recorder.add(Message(topic.name, log_ns, info['source_timestamp'], data))

    def _on_lost(self, name: str, event: QoSMessageLostInfo) -> None:
        self._recorder.lost_in_transport(name, event.total_count_change)

    # --- episodes --------------------------------------------------------------------------------

    def _answer(
        self, act, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        del request
        try:
            response.message = act()
            response.success = True
        except ChefMateError as error:
            response.message = str(error)
            self.get_logger().warning(response.message)
        self._diagnostics.publish()
        return response

    def _start(self) -> str:
        if self._schedule.complete(len(self._recorder.saved)):
            raise ChefMateError(f'all {self._schedule.config.episodes} episodes are there')
        index = self._recorder.start(self.get_clock().now().nanoseconds)
        self._schedule.started()
        text = f'recording episode {index}: "{self._recorder.instruction}"'
        self.get_logger().info(text)
        return text

    def _stop(self) -> str:
        self._recorder.finish()
        return self._ended()

    def _discard(self) -> str:
        self._recorder.discard()
        return self._ended()

    def _ended(self) -> str:
        """Wait for the disk: nothing is recorded meanwhile that could be lost."""
        if not self._recorder.wait(SAVING_S):
            raise ChefMateError(f'the disk has not taken the episode within {SAVING_S:g} s')
        return self._tell()

    def _tell(self) -> str:
        """Log how the last episode ended, once; return it.

        Raises:
            ChefMateError: it could not be saved.
        """
        ended = self._recorder.last
        if ended is None or ended is self._told:
            return ''
        self._told = ended
        self._schedule.ended(time.monotonic())
        if ended.failure:
            self.get_logger().error(ended.failure)
            raise ChefMateError(ended.failure)
        where = f'saved: {ended.folder}' if ended.folder else 'discarded'
        text = f'episode {ended.index} {where} ({ended.reason})'
        self.get_logger().info(text)
        for finding in ended.findings:
            self.get_logger().warning(f'episode {ended.index}: {finding}')
        return text

    def _tick(self) -> None:
        recorder = self._recorder
        try:
            self._tell()
        except ChefMateError:
            return  # logged
        stall = recorder.watch()
        if stall:
            self.get_logger().error(stall)
        if recorder.state is State.FINISHING:
            return
        step = self._schedule.due(
            time.monotonic(),
            recorder.state is State.RECORDING,
            recorder.elapsed_s,
            len(recorder.saved),
        )
        if step is Step.FINISH:
            recorder.finish('its time was over')
        elif step is Step.START:
            self._start_when_ready()

    def _start_when_ready(self) -> None:
        self._waits_for = self._recorder.why_not()
        if not self._waits_for:
            try:
                self._start()
            except ChefMateError as error:
                self._waits_for = str(error)
        if self._waits_for:
            self.get_logger().warning(self._waits_for, throttle_duration_sec=5.0)

    def _diagnose(self) -> Diagnosis:
        recorder = self._recorder
        values = recorder.values()
        values['session'] = recorder.session.path
        values['complete'] = self._schedule.complete(len(recorder.saved))
        reset_s = self._schedule.reset_left_s(time.monotonic())
        values['reset_left_s'] = '' if reset_s is None else reset_s
        values['episodes'] = self._schedule.config.episodes
        values['episode_time_s'] = self._schedule.config.episode_time_s
        if recorder.last is not None and recorder.last.failure:
            return Diagnosis(Level.ERROR, recorder.last.failure, values)
        if recorder.free_mb < recorder.config.warn_free_mb:
            text = f'{recorder.free_mb:.0f} MB are free on the disk'
            return Diagnosis(Level.WARN, text, values)
        if recorder.state is State.IDLE:
            return Diagnosis(Level.OK, recorder.why_not() or 'ready', values)
        return Diagnosis(Level.OK, recorder.state.value, values)


def reader_qos(topic: RecordedTopic) -> QoSProfile:
    """Return what a reader that must see every message requests."""
    if topic.role is Role.INSTRUCTION:
        return qos.LATCHED
    row = qos_table.EVERY_STATE
    return qos.profile(replace(row, depth=max(row.depth, round(HELD_UP_S * topic.rate_hz))))


def main() -> int:
    """Entry point."""
    return run_node(RecorderNode)
