"""The recorder as another process sees it: its diagnostics and its services."""

import contextlib
import threading
import time
from collections.abc import Mapping

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import Trigger

from chefmate_ros import qos

STATUS = 'recorder: episodes'
HAND = 'kitchen: hand'  # of the scripted leader, in simulation
TELEOP = 'teleop: teleop'
SILENT_AFTER_S = 4.0  # every part reports once a second
# What a clutch that is not engaged means for the person who records.
HINDRANCES = {
    'paused': 'the follower stands still: the clutch is paused. Next, in another terminal: '
    'chefmate teleop --resume',
    'stopped': 'the follower stands still: the emergency stop opened the clutch. Next, in another '
    'terminal: see why, chefmate estop --release, chefmate teleop --resume',
}
START, STOP, DISCARD = (
    f'recorder/{name}' for name in ('start_recording', 'stop_recording', 'discard_episode')
)
# Of the simulation: the next kitchen, and the scripted hand does its task once more.
RESET, PERFORM = 'kitchen/reset', 'leader/perform'


class RemoteRecorder:
    """Listens in a thread of its own until closed. Signals stay with the caller."""

    def __init__(self) -> None:
        self.values: Mapping[str, str] = {}
        self.level, self.sentence = 3, 'the recorder is not up yet'
        self.hand = ''  # what the simulated hand does; empty: there is none
        self._hindrance, self._hindrance_s = '', 0.0
        self._context = Context()
        rclpy.init(args=[], context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self._node = rclpy.create_node('record', context=self._context)
        self._node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.DIAGNOSTICS
        )
        self._clients = {
            name: self._node.create_client(Trigger, name)
            for name in (START, STOP, DISCARD, RESET, PERFORM)
        }
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, name='remote recorder', daemon=True)
        self._thread.start()

    @property
    def state(self) -> str:
        """What the recorder does: idle, recording, finishing; empty before it has spoken."""
        return self.values.get('state', '')

    @property
    def hindrance(self) -> str:
        """Why the follower does not do as the leader does; empty: it does, or nobody says."""
        return self._hindrance if time.monotonic() - self._hindrance_s < SILENT_AFTER_S else ''

    def call(self, name: str) -> rclpy.task.Future | None:
        """Ask a service; return the answer to come, None where nobody offers it."""
        client = self._clients[name]
        return client.call_async(Trigger.Request()) if client.service_is_ready() else None

    def close(self) -> None:
        """Stop listening."""
        self._executor.shutdown(timeout_sec=0)
        self._thread.join(timeout=2.0)
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == STATUS:
                self.values = {entry.key: entry.value for entry in status.values}
                self.level, self.sentence = status.level[0], status.message
            elif status.name == HAND:
                self.hand = status.message
            elif status.name == TELEOP:
                values = {entry.key: entry.value for entry in status.values}
                waits = status.message if status.level[0] else ''
                self._hindrance = HINDRANCES.get(values.get('clutch', ''), waits)
                self._hindrance_s = time.monotonic()
