"""The parameters of `teleop_node`, and what is made of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rclpy.node import Node

from chefmate_core.calibration import ArmCalibration
from chefmate_core.errors import ConfigurationError
from chefmate_core.motion.reach import Reach
from chefmate_core.realtime import RealtimeConfig
from chefmate_core.safety.config import load_preset
from chefmate_core.teleop.clutch import Clutch
from chefmate_core.teleop.config import TeleopConfig
from chefmate_core.teleop.jog import JogConfig, JogTeleop
from chefmate_core.teleop.leader import LeaderTeleop
from chefmate_core.teleop.marker import PausedMarker
from chefmate_core.teleop.range_map import RangeMap
from chefmate_ros.parameters import declare

SOURCES = ('leader', 'keyboard')
REALTIME_PRIORITY = 0  # not shown to help: on two busy cores it was no better with 20
JOG_LEASH_RAD = 0.1  # a key that is let go leaves no way to go on


@dataclass(frozen=True)
class TeleopParameters:
    """What the node works with."""

    source: str
    clutch: Clutch
    marker: PausedMarker
    realtime: RealtimeConfig
    teleop: LeaderTeleop | JogTeleop
    instruction: str  # to publish; empty: none


def declared_parameters(node: Node) -> TeleopParameters:
    """Declare and check; raise a ConfigurationError that says what is wrong."""
    source = declare(node, 'source', 'leader', 'Who moves the follower.', choices=SOURCES)
    if source not in SOURCES:
        raise ConfigurationError(f'source is {source!r}; choose one of {", ".join(SOURCES)}')
    defaults = TeleopConfig()
    config = TeleopConfig(
        leader_timeout_s=declare(
            node,
            'leader_timeout',
            defaults.leader_timeout_s,
            'A leader that is silent for longer moves nothing, s.',
            (0.02, 1.0),
        ),
        starts_engaged=declare(
            node, 'starts_engaged', defaults.starts_engaged, 'False: wait for the clutch.'
        ),
    )
    file = declare(
        node, 'paused_marker', '', 'File that remembers an open clutch over a crash; or empty.'
    )
    marker = PausedMarker(Path(file) if file else None)
    clutch = Clutch(source, config.starts_engaged and not marker.is_set)
    priority = declare(
        node,
        'realtime_priority',
        REALTIME_PRIORITY,
        'SCHED_FIFO priority, below that of the drivers; 0: none.',
    )
    instruction = declare(
        node, 'instruction', 'none', 'Task to publish as policy/instruction; none: nothing.'
    )
    return TeleopParameters(
        source,
        clutch,
        marker,
        RealtimeConfig(priority=priority, others_priority=min(priority, 1), lock_memory=False),
        _declared_teleop(node, source, clutch, config),
        '' if instruction == 'none' else instruction,
    )


def _declared_teleop(
    node: Node, source: str, clutch: Clutch, config: TeleopConfig
) -> LeaderTeleop | JogTeleop:
    preset = load_preset(
        declare(node, 'preset', 'careful', "Limits of the follower's gate; they are kept to.")
    )
    follower = ArmCalibration.load(
        declare(node, 'follower_calibration', '', "LeRobot's calibration JSON of the follower.")
    )
    leader_path = declare(
        node, 'leader_calibration', '', "LeRobot's calibration JSON of the leader."
    )
    key_timeout_s = declare(
        node,
        'key_timeout',
        JogConfig().key_timeout_s,
        'A key counts for this long, s.',
        (0.03, 0.5),
    )
    margin_rad = np.full(6, preset.limit_margin_rad)

    def reach(leash_rad: float) -> Reach:
        """How far and how fast the follower's gate lets goals go."""
        return Reach(
            preset.max_velocity_rad_s,
            follower.lower_limits_rad + margin_rad,
            follower.upper_limits_rad - margin_rad,
            leash_rad,
        )

    if source == 'keyboard':
        return JogTeleop(reach(JOG_LEASH_RAD), clutch, config, JogConfig(key_timeout_s))
    mapping = RangeMap(ArmCalibration.load(leader_path), follower)
    return LeaderTeleop(mapping, reach(config.leash_rad), clutch, config)
