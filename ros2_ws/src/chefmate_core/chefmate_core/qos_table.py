"""Quality of service of every topic, as data: no rclpy here, so that every package can read it.

`chefmate_ros.qos` turns rows into `rclpy.qos.QoSProfile`; so does the simulation's node.

How to read it: a writer *offers*, a reader *requests*, and they connect only if the offer is at
least as strong (reliable over best effort, transient local over volatile, the offered deadline no
longer than the requested one). Hence writers here offer the strong form, so that any ordinary ROS
tool can listen, and readers request the form that suits what they do with the data. Histories are
KEEP_LAST throughout: a writer that keeps only its last samples never waits for a slow reader.
"""

import math
from dataclasses import dataclass
from enum import Enum

from chefmate_core.errors import ConfigurationError

# Silence of a commander after which the driver holds; the deadline of the command topics.
COMMAND_DEADLINE_S = 0.2


class Reliability(Enum):
    """Whether lost samples are sent again."""

    RELIABLE = 'reliable'
    BEST_EFFORT = 'best_effort'


class Durability(Enum):
    """Whether a reader that comes later gets what was written before."""

    VOLATILE = 'volatile'
    TRANSIENT_LOCAL = 'transient_local'


@dataclass(frozen=True)
class QosRow:
    """Quality of service of one kind of endpoint, and the reason for it."""

    name: str
    reliability: Reliability
    durability: Durability
    depth: int  # samples kept, KEEP_LAST
    why: str
    deadline_s: float | None = None  # None: no promise

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise ConfigurationError(f'QoS {self.name!r}: depth is {self.depth}; at least 1')
        if self.deadline_s is not None and not (
            math.isfinite(self.deadline_s) and self.deadline_s > 0
        ):
            raise ConfigurationError(
                f'QoS {self.name!r}: deadline is {self.deadline_s} s; give a finite time above '
                '0 s, or None for no deadline'
            )


STATE = QosRow(
    'state',
    Reliability.RELIABLE,
    Durability.VOLATILE,
    depth=10,
    why='Writers of measured state (joint_states, joint_commands_applied, twin/joint_error, '
    'object poses). Reliable, because RViz, rqt and most scripts request reliable and would not '
    'connect otherwise; a best-effort reader costs nothing extra.',
)
LATEST_STATE = QosRow(
    'latest_state',
    Reliability.BEST_EFFORT,
    Durability.VOLATILE,
    depth=1,
    why='Readers inside the control loop: only the newest sample counts, and one that was lost '
    'is not worth waiting for, the next comes 10 ms later.',
)
EVERY_STATE = QosRow(
    'every_state',
    Reliability.RELIABLE,
    Durability.VOLATILE,
    depth=200,
    why='Readers that must see every sample (recorder, tests): 2 s of a 100 Hz topic, '
    'so that one stall of a disk or of a scheduler loses nothing.',
)
COMMAND = QosRow(
    'command',
    Reliability.RELIABLE,
    Durability.VOLATILE,
    depth=1,
    why='Writers of joint_commands: a goal must arrive, an old goal must never queue behind it, '
    'and nobody who starts late may get one from before. The deadline is the promise to keep '
    'talking.',
    deadline_s=COMMAND_DEADLINE_S,
)
COMMAND_READER = QosRow(
    'command_reader',
    Reliability.RELIABLE,
    Durability.VOLATILE,
    depth=1,
    why='The driver. It requests no deadline: a commander that promises none (ros2 topic pub, a '
    'foreign stack) would otherwise be ignored in silence; the safety gate times every command '
    'out by itself.',
)
CHUNK = QosRow(
    'chunk',
    Reliability.RELIABLE,
    Durability.VOLATILE,
    depth=1,
    why='policy/action_chunk, policy/committed, policy/set_instruction, both ends: rare and '
    'precious; a newer one replaces an older one.',
)
HEARTBEAT = QosRow(
    'heartbeat',
    Reliability.RELIABLE,
    Durability.VOLATILE,
    depth=1,
    why='policy/alive, both ends: only the newest beat counts, but the one that says no must '
    'arrive, and nobody who starts late may take an old one for a sign of life.',
)
LATCHED = QosRow(
    'latched',
    Reliability.RELIABLE,
    Durability.TRANSIENT_LOCAL,
    depth=1,
    why='policy/instruction, emergency_stop_active and the like, both ends: a node that comes up '
    'late must learn what is in force.',
)
IMAGE = QosRow(
    'image',
    Reliability.RELIABLE,
    Durability.VOLATILE,
    depth=2,
    why='Writers of image_raw and camera_info: reliable so that viewers and recorders '
    'of either kind connect; two frames deep so that memory stays small and a slow reader gets '
    'new frames, not old.',
)
COMPRESSED_IMAGE = QosRow(
    'compressed_image',
    Reliability.RELIABLE,
    Durability.VOLATILE,
    depth=60,
    why='Writers of image_raw/compressed: 2 s at 30 Hz and some 7 MB, so that a recorder that was '
    'held up loses nothing.',
)
LATEST_IMAGE = QosRow(
    'latest_image',
    Reliability.BEST_EFFORT,
    Durability.VOLATILE,
    depth=1,
    why='Readers that act on what they see (policy, viewer): the newest frame or none.',
)
EVERY_IMAGE = QosRow(
    'every_image',
    Reliability.RELIABLE,
    Durability.VOLATILE,
    depth=30,
    why='Readers that must see every frame (recorder, delivery measurements): 1 s at 30 Hz, '
    '28 MB of 640x480.',
)
TWIN_COMMAND = QosRow(
    'twin_command',
    Reliability.RELIABLE,
    Durability.VOLATILE,
    depth=1,
    why='isaac_joint_command, both ends: only the newest position counts, and the last one of a '
    'motion must arrive. No deadline: a simulator requests none, and an arm at rest says little.',
)
TWIN_STATE = QosRow(
    'twin_state',
    Reliability.BEST_EFFORT,
    Durability.VOLATILE,
    depth=10,
    why='Reader of isaac_joint_states: connects to a simulator whatever it offers; a few deep, '
    'because each state is compared with the arm of its own time.',
)
DIAGNOSTICS = QosRow(
    'diagnostics',
    Reliability.RELIABLE,
    Durability.VOLATILE,
    depth=10,
    why='/diagnostics as the rest of ROS has it, so that its aggregator and rqt read it.',
)

QOS_TABLE: tuple[QosRow, ...] = (
    STATE,
    LATEST_STATE,
    EVERY_STATE,
    COMMAND,
    COMMAND_READER,
    CHUNK,
    HEARTBEAT,
    LATCHED,
    IMAGE,
    COMPRESSED_IMAGE,
    LATEST_IMAGE,
    EVERY_IMAGE,
    TWIN_COMMAND,
    TWIN_STATE,
    DIAGNOSTICS,
)


def can_connect(offered: QosRow, requested: QosRow) -> bool:
    """Return whether a writer of `offered` and a reader of `requested` connect (the DDS rule)."""
    reliability_ok = (
        offered.reliability is Reliability.RELIABLE
        or requested.reliability is Reliability.BEST_EFFORT
    )
    durability_ok = (
        offered.durability is Durability.TRANSIENT_LOCAL
        or requested.durability is Durability.VOLATILE
    )
    offered_s = math.inf if offered.deadline_s is None else offered.deadline_s
    requested_s = math.inf if requested.deadline_s is None else requested.deadline_s
    return reliability_ok and durability_ok and offered_s <= requested_s
