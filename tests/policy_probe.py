"""A probe that also watches the policy node: health, instruction, feedback."""

from functools import partial

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from probe import Probe
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from chefmate_msgs.action import ExecuteTask

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class PolicyProbe(Probe):
    """See `Probe`; `feedback[i]` and `ended[i]` are those of the i-th task given."""

    def __init__(self, domain):
        self.applied = []  # (position_rad, velocity_rad_s) of each setpoint
        self.feedback, self.ended = [], []
        self.instruction = None
        self._statuses = {}
        super().__init__(domain)
        every = QoSProfile(depth=200)
        self.node.create_subscription(
            JointState, 'follower/joint_commands_applied', self._on_setpoint, every
        )
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)
        self.node.create_subscription(String, 'policy/instruction', self._on_instruction, LATCHED)
        self._wishes = self.node.create_publisher(String, 'policy/set_instruction', 10)

    def _on_setpoint(self, message):
        self.applied.append((np.array(message.position), np.array(message.velocity)))

    def _on_diagnostics(self, message):
        self._statuses |= {status.name: status for status in message.status}

    def _on_instruction(self, message):
        self.instruction = message.data

    def health(self, name):
        """The newest sentence of a part, or nothing."""
        return self._statuses[name].message if name in self._statuses else ''

    def values(self, name):
        """The newest values of a part."""
        if name not in self._statuses:
            return {}
        return {entry.key: entry.value for entry in self._statuses[name].values}

    def instruct(self, instruction):
        """Wish for another instruction."""
        self.until(lambda: self._wishes.get_subscription_count(), what='the policy node')
        self._wishes.publish(String(data=instruction))

    def give(self, instruction):
        """Give the policy a task; returns its number."""
        number = len(self.feedback)
        self.feedback.append([])
        self.ended.append(None)
        self.until(self._client.server_is_ready, what='the action server')
        sent = self._client.send_goal_async(
            ExecuteTask.Goal(instruction=instruction),
            feedback_callback=lambda message: self.feedback[number].append(message.feedback),
        )
        self.until(sent.done, what='an answer of the action server')
        sent.result().get_result_async().add_done_callback(partial(self._on_end, number))
        return number

    def _on_end(self, number, future):
        self.ended[number] = future.result().result
