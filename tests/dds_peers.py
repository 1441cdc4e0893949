"""The other side of the DDS client's tests: a ROS node, processes, and waiting for both."""

import contextlib
import threading
import time
from pathlib import Path

import rclpy
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from chefmate_core import qos_table
from chefmate_core.dds_client.mismatch import mismatches
from chefmate_ros.qos import profile

REPOSITORY = Path(__file__).resolve().parents[1]
CONFIG = REPOSITORY / 'ros2_ws' / 'src' / 'chefmate' / 'config'
PATIENCE_S = 30.0


class Ros:
    """A ROS node that spins in a thread."""

    def __init__(self, domain):
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = rclpy.create_node('other_side', context=self._context)
        self._others = []  # functions that count who is on the other end
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def _spin(self):
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def hear(self, name, kind, row=qos_table.EVERY_STATE):
        heard = []
        made = self.node.create_subscription(kind, name, heard.append, profile(row))
        self._others.append(made.get_publisher_count)
        return heard

    def speak(self, name, kind, row=qos_table.STATE):
        made = self.node.create_publisher(kind, name, profile(row))
        self._others.append(made.get_subscription_count)
        return made

    def is_connected(self):
        """Whether each of our topics has somebody on its other end."""
        return all(count() for count in self._others)

    def close(self):
        self._executor.shutdown(timeout_sec=0)
        self._thread.join(timeout=5.0)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)


def until(dds, condition, what):
    assert dds.spin_until(condition, PATIENCE_S), f'{what} did not happen'


def connected(dds, ros=None):
    """Wait until both sides know of each other: they do not learn it at the same instant."""
    assert dds.wait_until_connected(PATIENCE_S), mismatches(dds)
    if ros is not None:
        until(dds, ros.is_connected, 'that ROS knows of us, too,')


def repeated(dds, publish, arrived):
    """Publish until it arrives: two ends do not learn of each other at the same instant."""
    end_s = time.monotonic() + PATIENCE_S
    while not arrived():
        assert time.monotonic() < end_s, 'nothing arrived'
        publish()
        dds.spin_until(arrived, 0.3)
