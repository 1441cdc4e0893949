"""session.json: what holds for all episodes of a session."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from chefmate_core.joints import JOINT_NAMES
from chefmate_core.recording.errors import SessionError

FORMAT = 1
SESSION_FILE = 'session.json'
ROBOT = 'so101'


@dataclass(frozen=True)
class SessionInfo:
    """What holds for all episodes of a session, but for the cameras' sizes.

    Attributes:
        fps: frames a second that data sets of it will have.
        follower_calibration: LeRobot's mapping.
        leader_calibration: likewise; None without a leader.
        source: who moved the arm: teleop, policy, ...
    """

    fps: int
    follower_calibration: Mapping[str, object]
    leader_calibration: Mapping[str, object] | None = None
    source: str = 'teleop'
    joints: Sequence[str] = field(default=JOINT_NAMES)

    def content(self, cameras: Mapping[str, tuple[int, int]]) -> dict[str, object]:
        """Return `session.json` for cameras of these sizes (width, height)."""
        return {
            'format': FORMAT,
            'created': datetime.now(UTC).isoformat(timespec='seconds'),
            'robot': ROBOT,
            'joints': list(self.joints),
            'units': 'rad',
            'fps': self.fps,
            'cameras': {
                name: {'width': width, 'height': height}
                for name, (width, height) in cameras.items()
            },
            'follower_calibration': self.follower_calibration,
            'leader_calibration': self.leader_calibration,
            'source': self.source,
            'chefmate_version': chefmate_version(),
        }


def read_session(path: Path) -> dict[str, object]:
    """Return `session.json`.

    Raises:
        SessionError: there is none, or it is not one of ours.
    """
    file = path / SESSION_FILE
    try:
        content = json.loads(file.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise SessionError(f'{path}: no {SESSION_FILE}, so this is no session') from None
    except (OSError, ValueError) as error:
        raise SessionError(f'{file}: cannot be read: {error}') from error
    if not isinstance(content, dict) or content.get('format') != FORMAT:
        raise SessionError(f'{file}: expected an object of format {FORMAT}')
    return content


def chefmate_version() -> str:
    """Return the installed version."""
    try:
        return version('chefmate_core')
    except PackageNotFoundError:
        return 'unknown'
