"""Which topics a recording holds, and what is expected of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from chefmate_core import qos_table
from chefmate_core.errors import ConfigurationError
from chefmate_core.qos_table import QosRow


class Role(Enum):
    """What a topic's messages are for, which decides what the report looks at."""

    STATE = 'state'  # the follower's measured joints
    APPLIED = 'applied'  # what went on the follower's bus: the action
    IMAGE = 'image'
    INSTRUCTION = 'instruction'
    DIAGNOSTICS = 'diagnostics'
    STAMPED = 'stamped'  # anything else that begins with a header


@dataclass(frozen=True)
class RecordedTopic:
    """One topic of a recording.

    Attributes:
        name: relative to the recorder's namespace, such as `follower/joint_states`.
        type_name: `package/msg/Type`.
        role: what it is for.
        offered: quality of service of its writers, as the interface has it; players offer it.
        rate_hz: what it should have; 0 for a topic that speaks when it has something to say.
        required: an episode without it is worth nothing.
        camera: of an image: the camera's name.
    """

    name: str
    type_name: str
    role: Role
    offered: QosRow
    rate_hz: float = 0.0
    required: bool = False
    camera: str = ''


JOINT_STATE = 'sensor_msgs/msg/JointState'
IMAGE = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'


def recorded_topics(
    cameras: Sequence[str], camera_rate_hz: float, state_rate_hz: float, leader: bool
) -> tuple[RecordedTopic, ...]:
    """Return the topics of a recording.

    Args:
        cameras: names of the cameras, in the order that data sets will have.
        camera_rate_hz: frames a second of each.
        state_rate_hz: of the joints.
        leader: whether a leader arm is there; its states are required then.

    Raises:
        ConfigurationError: no camera, one named twice, or a rate that is none.
    """
    if not cameras or len(set(cameras)) != len(cameras):
        raise ConfigurationError(
            f'cameras are {list(cameras)}: name at least one, and each one once'
        )
    if not (0 < camera_rate_hz < 1000 and 0 < state_rate_hz < 1000):
        raise ConfigurationError(
            f'rates are {camera_rate_hz:g} Hz (cameras) and {state_rate_hz:g} Hz (joints); '
            'both above 0 and below 1000'
        )
    state, applied, command = (
        RecordedTopic(
            f'follower/{name}',
            JOINT_STATE,
            role,
            row,
            state_rate_hz if required else 0.0,
            required,
        )
        for name, role, row, required in (
            ('joint_states', Role.STATE, qos_table.STATE, True),
            ('joint_commands_applied', Role.APPLIED, qos_table.STATE, True),
            ('joint_commands', Role.STAMPED, qos_table.COMMAND, False),
        )
    )
    topics = [state, applied, command]
    if leader:
        topics.append(
            RecordedTopic(
                'leader/joint_states',
                JOINT_STATE,
                Role.STAMPED,
                qos_table.STATE,
                state_rate_hz,
                True,
            )
        )
    for camera in cameras:
        topics += [
            RecordedTopic(
                f'{camera}/image_raw/compressed',
                IMAGE,
                Role.IMAGE,
                qos_table.IMAGE,
                camera_rate_hz,
                True,
                camera,
            ),
            RecordedTopic(f'{camera}/camera_info', CAMERA_INFO, Role.STAMPED, qos_table.IMAGE),
        ]
    return (
        *topics,
        RecordedTopic(
            'policy/instruction', 'std_msgs/msg/String', Role.INSTRUCTION, qos_table.LATCHED
        ),
        RecordedTopic(
            '/diagnostics',
            'diagnostic_msgs/msg/DiagnosticArray',
            Role.DIAGNOSTICS,
            qos_table.DIAGNOSTICS,
        ),
    )
