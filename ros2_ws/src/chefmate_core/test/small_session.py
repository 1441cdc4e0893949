"""Writes small recording sessions, whole or damaged on purpose, with real bags and real JPEGs."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from chefmate_core.calibration import ArmCalibration, JointCalibration
from chefmate_core.joints import JOINT_NAMES

FPS = 30
START_S = 1_700_000_000.0
SIZE = (48, 64)  # height, width
CAMERAS = ('wrist', 'scene')
CALIBRATION = ArmCalibration(
    tuple(JointCalibration(index + 1, 0, 0, 1000, 3100) for index in range(6))
)
TYPES = get_typestore(Stores.ROS2_JAZZY)
_IMAGE_DELAY_S = 0.02  # from the exposure to the recorder


@dataclass
class Recorded:
    """One message: when it was measured, when it was recorded, and what it says."""

    topic: str
    stamp_s: float
    recorded_s: float
    value: object


@dataclass
class EpisodePlan:
    """What to record; `alter` may change the messages in any way before they are written."""

    duration_s: float = 2.0
    idle_s: float = 0.2
    instruction: str = 'pick up the bread'
    cameras: tuple[str, ...] = CAMERAS
    alter: Callable[[list[Recorded]], list[Recorded]] = field(default=lambda messages: messages)


def motion_rad(time_s: float, idle_s: float) -> np.ndarray:
    """Return where the joints are, shape (6,)."""
    moving_s = max(time_s - idle_s, 0.0)
    return 0.4 * np.sin(moving_s * 2.0) * np.array([1, -1, 0.5, 0.7, -0.3, 0.8]) + 0.3


def picture(camera: str, time_s: float) -> np.ndarray:
    """Return an image that tells camera and time: a wall, a table, a thing that moves."""
    height, width = SIZE
    colours = {'wrist': ((60, 90, 60), (150, 120, 60)), 'scene': ((200, 205, 215), (90, 60, 40))}
    wall, table = colours[camera]
    image = np.empty((height, width, 3), dtype=np.uint8)
    image[: height // 2], image[height // 2 :] = wall, table
    left = int(time_s * 20) % (width - 10)
    image[height // 3 : height // 3 + 10, left : left + 10] = (230, 40, 40)
    noise = np.random.default_rng(round(time_s * 1000)).integers(0, 6, image.shape)
    return (image + noise).clip(0, 255).astype(np.uint8)


def jpeg(image: np.ndarray, quality: int = 90) -> bytes:
    """Return the bytes of an rgb image."""
    content = io.BytesIO()
    Image.fromarray(image).save(content, 'JPEG', quality=quality)
    return content.getvalue()


def messages(plan: EpisodePlan, start_s: float) -> list[Recorded]:
    """Return everything that an undisturbed recorder would have got."""
    recorded = []
    for step in range(round(plan.duration_s * 100)):
        time_s = step / 100
        stamp_s = start_s + time_s
        recorded += [
            Recorded('/follower/joint_states', stamp_s, stamp_s + 0.001,
                     motion_rad(time_s - 0.05, plan.idle_s)),
            Recorded('/follower/joint_commands_applied', stamp_s + 0.002, stamp_s + 0.003,
                     motion_rad(time_s, plan.idle_s)),
        ]  # fmt: skip
    for place, camera in enumerate(plan.cameras):
        for step in range(round(plan.duration_s * FPS)):
            time_s = step / FPS + 0.004 * place
            stamp_s = start_s + time_s
            recorded.append(
                Recorded(f'/{camera}/image_raw/compressed', stamp_s, stamp_s + _IMAGE_DELAY_S,
                         jpeg(picture(camera, time_s)))
            )  # fmt: skip
    recorded.append(Recorded('/policy/instruction', start_s, start_s, plan.instruction))
    return recorded


def write_session(folder: Path, plans: list[EpisodePlan], **changes: object) -> Path:
    """Write a session of the planned episodes; `changes` go into session.json."""
    folder.mkdir(parents=True)
    height, width = SIZE
    session = {
        'format': 1,
        'created': '2026-11-21T10:00:00+00:00',
        'robot': 'so101',
        'joints': list(JOINT_NAMES),
        'units': 'rad',
        'fps': FPS,
        'cameras': {name: {'width': width, 'height': height} for name in CAMERAS},
        'follower_calibration': CALIBRATION.to_mapping(),
        'leader_calibration': None,
        'source': 'teleop',
        'chefmate_version': '0.1.0',
    } | changes
    (folder / 'session.json').write_text(json.dumps(session))
    for index, plan in enumerate(plans):
        start_s = START_S + 100 * index
        write_bag(folder / f'episode_{index:06d}', plan.alter(messages(plan, start_s)))
        (folder / f'episode_{index:06d}.json').write_text(
            json.dumps({
                'index': index, 'instruction': plan.instruction, 'started': start_s,
                'ended': start_s + plan.duration_s, 'outcome': 'saved', 'report': {},
            })
        )  # fmt: skip
    return folder


def write_bag(folder: Path, recorded: list[Recorded]) -> None:
    """Write a rosbag2 folder with an MCAP file."""
    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connections = {}
        for message in sorted(recorded, key=lambda message: message.recorded_s):
            content = _message(message)
            kind = content.__msgtype__
            if message.topic not in connections:
                connections[message.topic] = writer.add_connection(
                    message.topic, kind, typestore=TYPES
                )
            writer.write(
                connections[message.topic],
                round(message.recorded_s * 1e9),
                TYPES.serialize_cdr(content, kind),
            )


def _message(recorded: Recorded) -> object:
    types = TYPES.types
    if recorded.topic == '/policy/instruction':
        return types['std_msgs/msg/String'](data=recorded.value)
    nanoseconds = round(recorded.stamp_s * 1e9)
    stamp = types['builtin_interfaces/msg/Time'](nanoseconds // 10**9, nanoseconds % 10**9)
    header = types['std_msgs/msg/Header'](stamp=stamp, frame_id='')
    if isinstance(recorded.value, bytes):
        return types['sensor_msgs/msg/CompressedImage'](
            header=header, format='jpeg', data=np.frombuffer(recorded.value, dtype=np.uint8)
        )
    # In an order of their own: on a topic a joint is found by its name.
    return types['sensor_msgs/msg/JointState'](
        header=header,
        name=list(reversed(JOINT_NAMES)),
        position=np.asarray(recorded.value, dtype=float)[::-1].copy(),
        velocity=np.zeros(6),
        effort=np.zeros(0),
    )
