"""`camera_node` as a process of its own, on a video file."""

import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import rclpy
import yaml
from diagnostic_msgs.msg import DiagnosticArray
from domain_coordinator import domain_id
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from chefmate.nodes.camera_node import declared_settings
from chefmate_ros import qos
from chefmate_ros.image_messages import rgb_image, stamp_ns
from chefmate_ros.jpeg_messages import rgb_from_jpeg

pytestmark = pytest.mark.system
NODE = 'import sys; from chefmate.start import camera_node; sys.exit(camera_node())'
CAMERA_YAML = Path(__file__).resolve().parents[1] / 'config/camera.yaml'
PATIENCE_S = 30.0
WIDTH_PX, HEIGHT_PX = 64, 48


def film(path, moving, still=0):
    """Write a video of `moving` pictures that all differ, then `still` equal ones."""
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter.fourcc(*'MJPG'), 30.0, (WIDTH_PX, HEIGHT_PX)
    )
    rng = np.random.default_rng(5)
    for index in range(moving + still):
        if index <= moving:
            image = rng.integers(0, 256, (HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)
        writer.write(image)
    writer.release()
    return path


@pytest.fixture
def environment(tmp_path):
    with domain_id() as number:
        yield {
            **os.environ,
            'ROS_DOMAIN_ID': str(number),
            'ROS_LOG_DIR': str(tmp_path / 'log'),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        }


def command(film_path, **parameters):
    values = {'source': film_path, 'width': WIDTH_PX, 'height': HEIGHT_PX, **parameters}
    arguments = [word for key, value in values.items() for word in ('-p', f'{key}:={value}')]
    return [sys.executable, '-c', NODE, '--ros-args', '-r', '__ns:=/wrist', *arguments]


class Listener:
    """Hears what the camera publishes."""

    def __init__(self, environment):
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=int(environment['ROS_DOMAIN_ID']))
        self.node = rclpy.create_node('listener', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self.images, self.infos, self.jpegs, self.levels = [], [], [], []
        self.node.create_subscription(
            Image, 'wrist/image_raw', self.images.append, qos.EVERY_IMAGE
        )
        self.node.create_subscription(
            CameraInfo, 'wrist/camera_info', self.infos.append, qos.EVERY_IMAGE
        )
        self.node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.DIAGNOSTICS
        )

    def _on_diagnostics(self, message):
        for status in message.status:
            self.levels.append((status.name, status.level[0], status.message))

    def want_jpegs(self):
        self.node.create_subscription(
            CompressedImage, 'wrist/image_raw/compressed', self.jpegs.append, qos.EVERY_IMAGE
        )

    def until(self, condition):
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline_s, (len(self.images), self.levels[-3:])
            self._executor.spin_once(timeout_sec=0.05)

    def close(self):
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)


@pytest.fixture
def listener(environment):
    listener = Listener(environment)
    yield listener
    listener.close()


@pytest.fixture
def camera(environment):
    """Start a camera; it must end in order on SIGTERM, with exit code 0."""
    running = []

    def start(*arguments, **parameters):
        running.append(subprocess.Popen(command(*arguments, **parameters), env=environment))

    yield start
    for process in running:
        process.terminate()
        try:
            code = process.wait(timeout=10)
        finally:
            process.kill()
        assert code == 0


def test_a_camera_publishes_images_with_their_camera_info_and_reports_its_health(
    camera, listener, tmp_path
):
    camera(film(tmp_path / 'film.avi', moving=30), vertical_fov_deg=60.0)
    listener.until(lambda: len(listener.images) > 20 and len(listener.infos) > 20)
    image, infos = (
        listener.images[-2],
        {info.header.stamp.nanosec: info for info in listener.infos},
    )
    assert rgb_image(image).shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert image.header.frame_id == 'wrist_camera_optical_frame'
    info = infos[image.header.stamp.nanosec]
    assert info.header == image.header
    assert info.k[4] == pytest.approx(HEIGHT_PX / 2 / np.tan(np.radians(30)))
    listener.until(lambda: ('wrist/camera: capture', 0, 'streaming') in listener.levels)


def test_a_jpeg_is_made_only_once_somebody_listens_and_shows_the_same_picture(
    camera, listener, tmp_path
):
    camera(film(tmp_path / 'film.avi', moving=30))
    listener.until(lambda: len(listener.images) > 5)
    listener.want_jpegs()
    listener.until(lambda: len(listener.jpegs) > 5)

    def pairs():
        return [
            (image, jpeg)
            for jpeg in listener.jpegs
            for image in listener.images
            if image.header == jpeg.header
        ]

    listener.until(pairs)
    image, jpeg = pairs()[-1]
    difference = rgb_from_jpeg(jpeg).astype(int) - rgb_image(image)
    assert np.abs(difference).mean() < 40  # of noise, the worst case for JPEG


def test_a_frozen_camera_falls_silent_and_says_why(camera, listener, tmp_path):
    # 15 moving pictures, 60 equal ones, again and again: frames come in bursts.
    camera(film(tmp_path / 'film.avi', moving=15, still=60), rate_hz=30.0)
    listener.until(lambda: len(listener.images) > 5)
    listener.until(lambda: ('wrist/camera: capture', 2, 'frames are frozen') in listener.levels)
    heard = len(listener.images)
    listener.until(lambda: len(listener.images) > heard + 5)  # alive again
    stamps_s = [stamp_ns(image.header) * 1e-9 for image in listener.images]
    assert np.diff(stamps_s).max() > 1.0  # of 51 withheld frames, 1.7 s


@pytest.mark.parametrize(
    ('parameters', 'complaint'),
    [
        ({'source': '/nowhere/wrist'}, 'cannot be opened'),
        ({'source': '/dev/null'}, 'is no camera'),
        ({'width': 640}, 'expected 640x48'),
        ({'calibration_file': '/nowhere.yaml'}, 'nowhere.yaml cannot be read'),
        ({'jpeg': 'always'}, 'on_demand, never'),
        ({'camera_name': 'Wrist-Cam'}, 'camera name'),
    ],
)
def test_what_cannot_work_ends_at_once_with_one_message_and_exit_code_1(
    environment, tmp_path, parameters, complaint
):
    words = command(film(tmp_path / 'film.avi', moving=3), **parameters)
    done = subprocess.run(
        words, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert complaint in done.stderr
    assert 'Traceback' not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.parametrize('name', ['wrist', 'scene'])
def test_the_shipped_parameters_exist_and_are_taken(environment, name):
    """A misspelt key in a parameter file is otherwise ignored in silence."""
    written = yaml.safe_load(CAMERA_YAML.read_text())[f'/{name}/camera']['ros__parameters']
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=int(environment['ROS_DOMAIN_ID']))
    node = rclpy.create_node(
        'camera',
        namespace=f'/{name}',
        context=context,
        cli_args=['--ros-args', '--params-file', str(CAMERA_YAML)],
    )
    try:
        settings = declared_settings(node)
        assert {key: node.get_parameter(key).value for key in written} == written
        assert (settings.name, settings.source) == (name, f'/dev/{name}')
    finally:
        node.destroy_node()
        rclpy.try_shutdown(context=context)
