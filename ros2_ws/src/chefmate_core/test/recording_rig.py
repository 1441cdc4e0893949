"""Serialised messages made by another library, and a recorder that is fed with them."""

import io
import os
import time

import numpy as np
from PIL import Image
from rosbags.typesys import Stores, get_typestore

from chefmate_core.joints import JOINT_NAMES
from chefmate_core.recording.definitions import MessageTypes
from chefmate_core.recording.message_queue import Message
from chefmate_core.recording.recorder import Recorder
from chefmate_core.recording.recorder_config import RecorderConfig
from chefmate_core.recording.report import ReportLimits
from chefmate_core.recording.session import SessionFolder
from chefmate_core.recording.session_info import SessionInfo
from chefmate_core.recording.topics import recorded_topics

STORE = get_typestore(Stores.ROS2_JAZZY)
START_NS = 1_790_000_000_000_000_000
CALIBRATION = {'shoulder_pan': {'id': 1}}
CAMERAS = ('wrist', 'scene')


def types():
    return MessageTypes.from_environment(os.environ)


def message(kind, /, **fields):
    return STORE.types[kind](**fields)


def header(stamp_ns, frame_id=''):
    stamp = message('builtin_interfaces/msg/Time', sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    return message('std_msgs/msg/Header', stamp=stamp, frame_id=frame_id)


def serialised(made):
    return bytes(STORE.serialize_cdr(made, made.__msgtype__))


def joints(stamp_ns, position=0.0, mode='tracking', names=JOINT_NAMES):
    made = message(
        'sensor_msgs/msg/JointState',
        header=header(stamp_ns, mode),
        name=list(names),
        position=np.full(len(names), position),
        velocity=np.zeros(len(names)),
        effort=np.zeros(0),
    )
    return serialised(made)


def jpeg(seed, width_px=64, height_px=48):
    pixels = np.random.default_rng(seed).integers(0, 256, (height_px, width_px, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, 'JPEG', quality=50)
    return stream.getvalue()


def picture(stamp_ns, content):
    made = message(
        'sensor_msgs/msg/CompressedImage',
        header=header(stamp_ns, 'wrist_camera_optical_frame'),
        format='rgb8; jpeg compressed bgr8',
        data=np.frombuffer(content, np.uint8),
    )
    return serialised(made)


def diagnostics(stamp_ns, name, values):
    status = message(
        'diagnostic_msgs/msg/DiagnosticStatus',
        level=0,
        name=name,
        message='well',
        hardware_id='/dev/follower',
        values=[
            message('diagnostic_msgs/msg/KeyValue', key=key, value=str(value))
            for key, value in values.items()
        ],
    )
    made = message('diagnostic_msgs/msg/DiagnosticArray', header=header(stamp_ns), status=[status])
    return serialised(made)


def text(content):
    return serialised(message('std_msgs/msg/String', data=content))


def topics(rate_hz=30.0, leader=False):
    return recorded_topics(CAMERAS, rate_hz, 100.0, leader)


def full_names(found):
    return {topic.name: '/' + topic.name.lstrip('/') for topic in found}


def episode_messages(seconds=1.0, skip=(), frozen=()):
    """Yield an episode's messages: 100 Hz of joints that move, 30 Hz of pictures that change.

    Args:
        skip: (topic, index) pairs that are left out.
        frozen: indices at which both cameras repeat the picture before.
    """
    events = []
    for index in range(round(100 * seconds)):
        stamp_ns = START_NS + index * 10_000_000
        position = 0.5 * np.sin(index * 0.02)
        for name in ('follower/joint_states', 'follower/joint_commands_applied'):
            events.append((stamp_ns, name, index, joints(stamp_ns, position)))
    content = {camera: jpeg(0) for camera in CAMERAS}
    for index in range(round(30 * seconds)):
        stamp_ns = START_NS + round(index * 1e9 / 30) + 1000
        for number, camera in enumerate(CAMERAS):
            if index not in frozen:
                content[camera] = jpeg(2 * index + number)
            name = f'{camera}/image_raw/compressed'
            events.append((stamp_ns, name, index, picture(stamp_ns, content[camera])))
    for stamp_ns, name, index, data in sorted(events, key=lambda event: event[0]):
        if (name, index) not in skip:
            yield Message(name, stamp_ns + 2_000_000, stamp_ns + 1_000_000, data)


def make_recorder(path, overwrite=False, limits=None, source='teleop', fps=30, **config):
    values = {'warn_free_mb': 0.0, 'stop_free_mb': 0.0, 'stall_timeout_s': 60.0, **config}
    found = topics()
    made = Recorder(
        SessionFolder(path, overwrite),
        SessionInfo(fps, CALIBRATION, None, source),
        found,
        full_names(found),
        types(),
        RecorderConfig(**values),
        limits or ReportLimits(),
    )
    made.instruction = 'pick up the cheese'
    return made


def record(recorder, messages, start_ns=START_NS):
    """Record one episode of these messages; return its index."""
    messages = list(messages)
    for first in messages[:12]:  # what makes the topics present
        recorder.add(first)
    index = recorder.start(start_ns)
    for each in messages:
        recorder.add(each)
    recorder.finish()
    assert recorder.wait(30.0)
    return index


def until(condition, timeout_s=30.0):
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, 'it did not happen'
        time.sleep(0.01)
