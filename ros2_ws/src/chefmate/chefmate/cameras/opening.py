"""Opening what the parameter `source` names, or saying clearly why that cannot be."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from chefmate.cameras.v4l2 import V4l2Source
from chefmate.cameras.video_file import VideoFileSource
from chefmate_core.camera.frame import FrameSource
from chefmate_core.camera.settings import CameraSettings
from chefmate_core.errors import CameraError


def open_source(settings: CameraSettings, now_ns: Callable[[], int]) -> FrameSource:
    """Open the camera or the video file of the settings.

    Args:
        settings: the camera's.
        now_ns: the clock of the frames' stamps.

    Raises:
        CameraError: nothing there, no permission, in use, no camera, or of another size.
    """
    path = Path(settings.source)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise CameraError(
            f'camera {settings.name}: {path} cannot be opened: {error.strerror}. Plug the camera '
            'in, install the rules that name it (udev/README.md), or set the parameter source to '
            f'a device or a video file. Cameras found: {_cameras_found()}'
        ) from error
    is_device = stat.S_ISCHR(mode)
    if not os.access(path, os.R_OK | (os.W_OK if is_device else 0)):
        raise CameraError(
            f'camera {settings.name}: no permission for {path}; add yourself to the group video '
            '(sudo usermod -aG video $USER) and log in again'
        )
    if is_device:
        return V4l2Source(settings, now_ns)
    if stat.S_ISREG(mode):
        return VideoFileSource(settings, now_ns)
    raise CameraError(
        f'camera {settings.name}: {path} is neither a device nor a file; give a camera such as '
        '/dev/wrist, or a video file'
    )


def _cameras_found() -> str:
    return ', '.join(sorted(str(path) for path in Path('/dev').glob('video*'))) or 'none'
