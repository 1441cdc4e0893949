"""A node that watches the arm and talks to the policy, for the system tests."""

import contextlib
import threading
import time

import numpy as np
import pytest
import rclpy
from rclpy.action import ActionClient
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import SetBool

from chefmate_core.joints import JOINT_NAMES
from chefmate_msgs.action import ExecuteTask

SETPOINTS_S = 100  # how many a driver publishes in a second
KEPT = 200  # by a reader: what comes while its process stands for a moment is not lost


class Probe:
    """Watches `joint_commands_applied`; a context manager."""

    def __init__(self, domain):
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = rclpy.create_node('probe', context=self._context)
        self.speeds = []  # (steady time, fastest joint's commanded speed)
        self.position = None
        self.estop_active = None
        self.results = []
        self.node.create_subscription(
            JointState, 'follower/joint_commands_applied', self._on_applied, KEPT
        )
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.node.create_subscription(Bool, 'emergency_stop_active', self._on_estop, latched)
        self._stop_service = self.node.create_client(SetBool, 'emergency_stop')
        self._client = ActionClient(self.node, ExecuteTask, 'execute_task')
        self.commands = self.node.create_publisher(JointState, 'follower/joint_commands', 1)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._executor.shutdown(timeout_sec=0)
        self._thread.join(timeout=5.0)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def _spin(self):
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def _on_applied(self, message):
        self.position = np.array(message.position)
        self.speeds.append((time.monotonic(), float(np.max(np.abs(message.velocity)))))

    def _on_estop(self, message):
        self.estop_active = message.data

    def until(self, condition, timeout_s=60.0, what='it'):
        """Wait for a condition; generous, because machines stall."""
        end_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end_s:
                pytest.fail(f'{what} did not happen within {timeout_s} s')
            time.sleep(0.01)

    @property
    def speed(self):
        """Newest commanded speed of the fastest joint, rad/s."""
        return self.speeds[-1][1] if self.speeds else 0.0

    def wait_until_moving(self):
        begun = max(0, len(self.speeds) - 1)
        self.until(lambda: any(speed > 0.1 for _, speed in self.speeds[begun:]), what='motion')

    def wait_until_standing(self, setpoints=20, timeout_s=10.0):
        """Return how long it took until so many setpoints in a row, from now on, stood still.

        The whole history counts: a stand that was over when this process ran again was one.
        """
        start_s, begun = time.monotonic(), len(self.speeds)

        def stood():
            speeds = [speed for _, speed in self.speeds[begun:]]
            ends = range(setpoints, len(speeds) + 1)
            return any(not any(speeds[end - setpoints : end]) for end in ends)

        self.until(stood, timeout_s, 'a stand')
        return time.monotonic() - start_s

    def assert_stands(self, seconds=0.5):
        """The setpoint does not move for a while, counted in setpoints of the driver."""
        # Two readers of one topic, as in a subclass, are not connected at the same instant.
        self.until(lambda: self.position is not None, what='a setpoint')
        before, count = self.position, len(self.speeds)
        wanted = round(SETPOINTS_S * seconds)
        self.until(lambda: len(self.speeds) >= count + wanted, what=f'{wanted} setpoints more')
        speeds = [speed for _, speed in self.speeds[count:]]
        assert not any(speeds), f'it moved, rad/s: {speeds}'
        assert self.position == pytest.approx(before, abs=1e-9), f'{self.position - before} rad'

    def cook(self, instruction):
        """Give the policy a task; asks again where a request went to a server that has died."""
        goal = ExecuteTask.Goal(instruction=instruction)
        for _ in range(10):
            self.until(self._client.server_is_ready, what='the action server')
            sent = self._client.send_goal_async(goal)
            with contextlib.suppress(pytest.fail.Exception):
                self.until(sent.done, 3.0, 'an answer of the action server')
                break
        else:
            pytest.fail('no action server answers')
        sent.result().get_result_async().add_done_callback(
            lambda result: self.results.append(result.result().result)
        )

    def emergency_stop(self, active):
        """Press or release the emergency stop; returns the driver's answer."""
        self.until(self._stop_service.service_is_ready, what='the e-stop service')
        future = self._stop_service.call_async(SetBool.Request(data=active))
        self.until(future.done, what='an answer of the e-stop service')
        return future.result()

    def command(self, positions, names=JOINT_NAMES, stamp=None, source='probe'):
        """Publish one joint command."""
        message = JointState(name=list(names), position=[float(value) for value in positions])
        message.header.stamp = stamp or self.node.get_clock().now().to_msg()
        message.header.frame_id = source
        self.commands.publish(message)
