"""The parameters of `recorder_node`, read once into what the recorder is made of."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rclpy.node import Node

from chefmate_core.calibration import ArmCalibration
from chefmate_core.recording.recorder_config import ON_STALL, RecorderConfig
from chefmate_core.recording.report import ReportLimits
from chefmate_core.recording.schedule import ScheduleConfig
from chefmate_core.recording.session_info import SessionInfo
from chefmate_core.recording.topics import RecordedTopic, recorded_topics
from chefmate_ros.parameters import declare


@dataclass(frozen=True)
class RecorderParameters:
    """All that the node can be told."""

    session: Path
    overwrite: bool
    instruction: str
    topics: tuple[RecordedTopic, ...]
    info: SessionInfo
    config: RecorderConfig
    limits: ReportLimits
    schedule: ScheduleConfig


def declared_recorder(node: Node) -> RecorderParameters:
    """Declare the parameters and return what they were set to.

    Raises:
        ConfigurationError: one of them is wrong, or a calibration cannot be read.
    """
    cameras = declare(node, 'cameras', ['wrist', 'scene'], 'Names; the order of data sets.')
    camera_rate_hz = declare(
        node, 'camera_rate_hz', 30.0, 'Frames a second of each camera, Hz.', (0.1, 240.0)
    )
    state_rate_hz = declare(node, 'state_rate_hz', 100.0, 'Rate of the joints, Hz.', (1.0, 500.0))
    fps = declare(node, 'fps', 0, 'Of data sets made of it; 0: the rate of the cameras.')
    leader = declare(
        node, 'leader_calibration', '', "LeRobot's JSON of the leader; empty: there is none."
    )
    info = SessionInfo(
        fps=fps or round(camera_rate_hz),
        follower_calibration=_calibration(
            declare(node, 'follower_calibration', '', "LeRobot's JSON of the follower.")
        ),
        leader_calibration=_calibration(leader) if leader else None,
        source=declare(node, 'source', 'teleop', 'Who moves the arm: teleop, policy.'),
    )
    return RecorderParameters(
        session=_session(
            declare(
                node,
                'session',
                '',
                'Folder of the session; one that is there is continued. '
                'Empty: recordings/<date and time>.',
            )
        ),
        overwrite=declare(
            node,
            'overwrite',
            False,
            'Replace the session that is there, when the first episode begins.',
        ),
        instruction=declare(
            node, 'instruction', '', 'In force until policy/instruction says another one.'
        ),
        topics=recorded_topics(cameras, camera_rate_hz, state_rate_hz, bool(leader)),
        info=info,
        config=_config(node),
        limits=_limits(node),
        schedule=_schedule(node),
    )


def _config(node: Node) -> RecorderConfig:
    default = RecorderConfig()
    return RecorderConfig(
        queue_mb=declare(
            node,
            'queue_mb',
            default.queue_mb,
            'How much may wait for the disk, MiB; what comes then fails the episode.',
            (1.0, 8192.0),
        ),
        warn_free_mb=declare(
            node, 'warn_free_mb', default.warn_free_mb, 'Free space to warn at, MiB.', (0, 1e7)
        ),
        stop_free_mb=declare(
            node,
            'stop_free_mb',
            default.stop_free_mb,
            'Free space at which the episode is ended and saved, MiB.',
            (0, 1e7),
        ),
        stall_timeout_s=declare(
            node,
            'stall_timeout_s',
            default.stall_timeout_s,
            'Silence of a required topic that is a stall, s.',
            (0.1, 60.0),
        ),
        on_stall=declare(
            node, 'on_stall', default.on_stall, 'What a stall does.', choices=ON_STALL
        ),
    )


def _limits(node: Node) -> ReportLimits:
    default = ReportLimits()
    return ReportLimits(
        late_after_s=declare(
            node, 'late_after_s', default.late_after_s, 'Age of a late message, s.', (0, 10)
        ),
        idle_head_s=declare(
            node,
            'idle_head_s',
            default.idle_head_s,
            'Standing at the beginning that is a finding, s.',
            (0, 600),
        ),
        sync_error_s=declare(
            node,
            'sync_error_s',
            default.sync_error_s,
            'Distance in time of cameras and joints that is a finding, s.',
            (0, 10),
        ),
        frozen_frames=declare(
            node,
            'frozen_frames',
            default.frozen_frames,
            'Equal images in a row, while the arm moves, that are a finding.',
        ),
    )


def _schedule(node: Node) -> ScheduleConfig:
    return ScheduleConfig(
        episodes=declare(node, 'episodes', 0, 'How many to save; 0: no end.'),
        episode_time_s=declare(
            node, 'episode_time_s', 0.0, 'Length of an episode, s; 0: until stopped.', (0, 86400)
        ),
        reset_time_s=declare(
            node,
            'reset_time_s',
            0.0,
            'Pause before the next episode begins by itself, s; 0: never.',
            (0, 86400),
        ),
        autostart=declare(
            node, 'autostart', False, 'Begin the first episode as soon as all is there.'
        ),
    )


def _session(path: str) -> Path:
    if path:
        return Path(path).expanduser().absolute()
    return Path('recordings', datetime.now().strftime('%Y-%m-%d_%H-%M-%S')).absolute()


def _calibration(path: str) -> dict[str, object]:
    return json.loads(json.dumps(ArmCalibration.load(path).to_mapping()))
