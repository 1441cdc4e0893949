"""What the twin's tests share: an arm and a simulator as the bridge sees them."""

import time

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from probe import Probe
from sensor_msgs.msg import JointState

from chefmate_core.joints import ISAAC_JOINT_NAMES, JOINT_NAMES

REST_RAD = np.array([0.3, -1.0, 0.8, 0.3, 0.3, 0.3])  # clear of table and tray


class Watcher(Probe):
    """What the bridge publishes."""

    def __init__(self, domain):
        super().__init__(domain)
        self.relayed, self.commanded, self.twin, self.errors = [], [], [], []
        self.statuses = {}
        subscribe = self.node.create_subscription
        for topic, heard in (
            ('joint_states', self.relayed),
            ('isaac_joint_command', self.commanded),
            ('twin/joint_states', self.twin),
            ('twin/joint_error', self.errors),
        ):
            subscribe(JointState, topic, heard.append, 50)
        subscribe(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)

    def _on_diagnostics(self, message):
        for status in message.status:
            self.statuses[status.name] = status

    def said(self, part='twin'):
        """What the bridge says of a part, on /diagnostics."""
        status = self.statuses.get(f'joint_state_bridge: {part}')
        return status.message if status else ''

    def value(self, key):
        status = self.statuses['joint_state_bridge: twin']
        return {value.key: value.value for value in status.values}.get(key)


class Stage(Watcher):
    """An arm and a simulator as the bridge sees them."""

    def __init__(self, domain):
        super().__init__(domain)
        self.moves = False  # whether the arm swings
        self._arm = self.node.create_publisher(JointState, 'follower/joint_states', 10)
        self._simulator = self.node.create_publisher(JointState, 'isaac_joint_states', 10)

    def where(self):
        time_s = time.monotonic()
        return REST_RAD + self.moves * 0.25 * np.sin(2.0 * time_s + np.arange(6))

    def arm_speaks(self):
        """One message of the driver, at 100 Hz if called in a loop."""
        message = JointState(name=list(JOINT_NAMES), position=self.where().tolist())
        message.velocity = [0.1] * 6
        message.header.stamp = self.node.get_clock().now().to_msg()
        self._arm.publish(message)

    def simulator_says(self, names=ISAAC_JOINT_NAMES, positions=None, age_s=0.0):
        positions = self.where() if positions is None else positions
        message = JointState(name=list(names), position=[float(value) for value in positions])
        nanoseconds = self.node.get_clock().now().nanoseconds - round(age_s * 1e9)
        message.header.stamp.sec = nanoseconds // 10**9
        message.header.stamp.nanosec = nanoseconds % 10**9
        self._simulator.publish(message)

    def play(self, seconds, simulator=lambda: None):
        """Arm at 100 Hz; the simulator does something at 50 Hz."""
        end_s, count = time.monotonic() + seconds, 0
        while time.monotonic() < end_s:
            self.arm_speaks()
            if count % 2 == 0:
                simulator()
            count += 1
            time.sleep(0.01)
        return count

    def play_until(self, condition, simulator=lambda: None, what='it', timeout_s=40.0):
        end_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end_s:
                pytest.fail(f'{what} did not happen; the bridge says {self.said()!r}')
            self.play(0.1, simulator)


def refused(process):
    """Wait for a node that does not start; return what it said."""
    said, _ = process.communicate(timeout=40.0)
    assert process.returncode == 1
    assert 'Traceback' not in said
    return said
