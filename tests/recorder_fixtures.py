"""The recorder alone, in front of a robot that is only its topics."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import rclpy
from deployment import ROOT
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import CompressedImage, JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger

from chefmate_ros import qos
from chefmate_ros.image_messages import image_header
from chefmate_ros.joint_messages import joint_state
from chefmate_ros.jpeg_messages import jpeg_message

NODE = 'import sys; from chefmate.start import recorder_node; sys.exit(recorder_node())'
PATIENCE_S = 60.0


class Robot:
    """Publishes what an arm and two cameras would, and calls the recorder."""

    def __init__(self, domain):
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = rclpy.create_node('robot', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._joints = [
            self.node.create_publisher(JointState, f'follower/{name}', qos.STATE)
            for name in ('joint_states', 'joint_commands_applied')
        ]
        self._cameras = {
            name: self.node.create_publisher(
                CompressedImage, f'{name}/image_raw/compressed', qos.IMAGE
            )
            for name in ('wrist', 'scene')
        }
        self._instruction = self.node.create_publisher(String, 'policy/instruction', qos.LATCHED)
        self.pulled = set()
        self.sent = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._publish, daemon=True)
        self._thread.start()

    def say(self, instruction):
        self._instruction.publish(String(data=instruction))

    def _publish(self):
        rng = np.random.default_rng(1)
        while not self._stop.wait(0.02):
            stamp = self.node.get_clock().now()
            for writer in self._joints:
                writer.publish(
                    joint_state(stamp.to_msg(), np.full(6, 0.01 * self.sent), np.zeros(6))
                )
            for name, writer in self._cameras.items():
                if name not in self.pulled:
                    image = rng.integers(0, 256, (48, 64, 3), np.uint8)
                    writer.publish(jpeg_message(image, image_header(stamp.nanoseconds, name), 60))
            self.sent += 1

    def call(self, name):
        client = self.node.create_client(Trigger, f'recorder/{name}')
        assert client.wait_for_service(PATIENCE_S)
        future = client.call_async(Trigger.Request())
        self._executor.spin_until_future_complete(future, PATIENCE_S)
        assert future.done(), f'{name} was not answered'
        return future.result()

    def start(self):
        """Start an episode as soon as the recorder hears everybody."""
        end_s = time.monotonic() + PATIENCE_S
        while not (answer := self.call('start_recording')).success:
            assert time.monotonic() < end_s, answer.message
            time.sleep(0.1)
        before = self.sent
        while self.sent < before + 30:
            time.sleep(0.05)
        return answer

    def close(self):
        self._stop.set()
        self._thread.join()
        self._executor.shutdown(timeout_sec=0)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)


@pytest.fixture
def robot(domain):
    made = Robot(domain)
    yield made
    made.close()


@pytest.fixture
def recorder(environment, tmp_path):
    """Start the node alone; ended in order, it must end with exit code 0."""
    running = []

    def start(**parameters):
        values = {
            'session': tmp_path / 'session',
            'follower_calibration': ROOT / 'calibration/follower.json',
            'stop_free_mb': 1.0,
            'camera_rate_hz': 50.0,
            'state_rate_hz': 50.0,
            'stall_timeout_s': 5.0,
            **parameters,
        }
        words = [word for key, value in values.items() for word in ('-p', f'{key}:={value}')]
        running.append(
            subprocess.Popen(
                [sys.executable, '-c', NODE, '--ros-args', *words],
                env=environment,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return running[-1]

    yield start
    for process in running:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)
