"""Bags with everything that the plots draw, written message by message."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from chefmate.bag_plot.page import html
from chefmate.bag_plot.reading import read_recording
from chefmate_core.joints import JOINT_NAMES

TYPES = get_typestore(Stores.ROS2_JAZZY)
BEGIN_NS = 1_700_000_000 * 10**9


class BagUnderTest:
    """A rosbag2 folder that is being written; times are seconds from its beginning."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
        self._writer.open()
        self._connections = {}

    def write(self, topic, message, received_s):
        kind = message if isinstance(message, str) else message.__msgtype__
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(topic, kind, typestore=TYPES)
        self._writer.write(
            self._connections[topic],
            BEGIN_NS + round(received_s * 1e9),
            TYPES.serialize_cdr(message, kind),
        )

    def raw(self, topic, kind, content, received_s):
        """Write bytes that claim to be a message."""
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(topic, kind, typestore=TYPES)
        self._writer.write(self._connections[topic], BEGIN_NS + round(received_s * 1e9), content)

    def header(self, stamp_s, frame_id=''):
        stamp_ns = BEGIN_NS + round(stamp_s * 1e9)
        stamp = TYPES.types['builtin_interfaces/msg/Time'](stamp_ns // 10**9, stamp_ns % 10**9)
        return TYPES.types['std_msgs/msg/Header'](stamp=stamp, frame_id=frame_id)

    def joints(
        self, topic, stamp_s, position, *, names=JOINT_NAMES, velocity=(), label='', delay_s=0.001
    ):
        message = TYPES.types['sensor_msgs/msg/JointState'](
            header=self.header(stamp_s, label),
            name=list(names),
            position=np.array(position, dtype=float),
            velocity=np.array(velocity, dtype=float),
            effort=np.zeros(0),
        )
        self.write(topic, message, stamp_s + delay_s)

    def image(self, camera, stamp_s, delay_s=0.02):
        message = TYPES.types['sensor_msgs/msg/CompressedImage'](
            header=self.header(stamp_s), format='jpeg', data=np.zeros(100, dtype=np.uint8)
        )
        self.write(f'/{camera}/image_raw/compressed', message, stamp_s + delay_s)

    def instruction(self, time_s, text):
        self.write('/policy/instruction', TYPES.types['std_msgs/msg/String'](data=text), time_s)

    def diagnostics(self, stamp_s, values, name='follower/arm_driver: arm'):
        pair = TYPES.types['diagnostic_msgs/msg/KeyValue']
        status = TYPES.types['diagnostic_msgs/msg/DiagnosticStatus'](
            level=0, name=name, message='', hardware_id='',
            values=[pair(key=key, value=str(value)) for key, value in values.items()],
        )  # fmt: skip
        message = TYPES.types['diagnostic_msgs/msg/DiagnosticArray'](
            header=self.header(stamp_s), status=[status]
        )
        self.write('/diagnostics', message, stamp_s)

    def close(self):
        self._writer.close()
        return self.folder


@pytest.fixture
def new_bag(tmp_path):
    """Return a bag to write, in a folder of a name."""
    return lambda name='bag': BagUnderTest(tmp_path / name)


@pytest.fixture(scope='session')
def original_bag(tmp_path_factory):
    """Write four seconds in which everything happens once; return the folder, to be read only."""
    bag = BagUnderTest(tmp_path_factory.mktemp('original') / 'bag')
    bag.instruction(0.0, 'pick up the bread')
    for step in range(400):
        now_s = step / 100
        asked = np.full(6, np.sin(now_s))
        mode = 'blending' if now_s < 0.5 else 'following' if now_s < 3 else 'estopped'
        bag.joints('/follower/joint_commands', now_s, asked, label='teleop')
        bag.joints('/follower/joint_commands_applied', now_s, asked * 0.9, label=mode)
        bag.joints(
            '/follower/joint_states', now_s, asked * 0.8, velocity=np.full(6, np.cos(now_s))
        )
        if step % 3 == 0:
            bag.image('wrist', now_s)
    bag.instruction(2.0, 'pick up the <cheese> & $x^$')
    for second in range(4):
        bag.diagnostics(
            float(second),
            {name + '_temperature_c': 30 + second for name in JOINT_NAMES}
            | {'gate_accepted': 100 * second, 'gate_clamped_to_limits': 2 * (second > 1)},
        )
    bag.joints('/twin/joint_error', 1.0, np.full(6, 0.01))
    bag.joints('/twin/joint_error', 2.0, np.full(6, 0.02))
    return bag.close()


@pytest.fixture
def whole_bag(original_bag, tmp_path):
    """Return a copy of the bag in which everything happens once."""
    return Path(shutil.copytree(original_bag, tmp_path / 'bag'))


@pytest.fixture(scope='session')
def whole_page(original_bag):
    """Return the page of that bag."""
    return html(read_recording(original_bag), '<b>bag</b>', [('why', '<script>')], ['<i>late</i>'])
