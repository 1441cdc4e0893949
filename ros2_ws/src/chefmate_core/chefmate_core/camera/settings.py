"""Settings of one camera: what the node's parameters are read into, once."""

import re
from dataclasses import dataclass

from chefmate_core.camera.monitor import FrameMonitorConfig
from chefmate_core.errors import ConfigurationError

JPEG_MODES = ('on_demand', 'never')


@dataclass(frozen=True)
class CameraSettings:
    """One camera.

    Attributes:
        name: of the camera; its frame is `<name>_camera_optical_frame`.
        source: device (`/dev/wrist`) or video file; empty for `/dev/<name>`.
        width_px: width of the images; a source that delivers another one is refused.
        height_px: their height.
        rate_hz: frames per second.
        pixel_format: four characters as V4L2 has them. MJPG, because YUYV at 640x480 and 30 Hz
            needs 18 MB/s, and two such cameras do not fit one USB 2 controller.
        vertical_fov_deg: vertical field of view, for an ideal `camera_info` without a calibration.
        calibration_file: camera_info as `camera_calibration` writes it; empty for ideal.
        jpeg: `on_demand` encodes while somebody subscribes to `image_raw/compressed`; or `never`.
        jpeg_quality: 1..100.
        stall_timeout_s: silence after which the camera has stalled.
        frozen_after_frames: identical images that mean a frozen camera; 0 for never.
        black_level: mean brightness, 0..255, up to which an image is black.
        withhold_bad_frames: do not publish black and frozen frames, so that nobody acts on them.
            Those of the wrong size are never published.
        reopen_period_s: time between two attempts to open a camera that went away.
    """

    name: str
    source: str = ''
    width_px: int = 640
    height_px: int = 480
    rate_hz: float = 30.0
    pixel_format: str = 'MJPG'
    vertical_fov_deg: float = 60.0
    calibration_file: str = ''
    jpeg: str = 'on_demand'
    jpeg_quality: int = 85
    stall_timeout_s: float = 0.5
    frozen_after_frames: int = 10
    black_level: float = 4.0
    withhold_bad_frames: bool = True
    reopen_period_s: float = 1.0

    def __post_init__(self) -> None:
        if not re.fullmatch(r'[a-z][a-z0-9_]*', self.name):
            raise ConfigurationError(
                f'camera name {self.name!r}: lower-case letters, digits and _, a letter first. '
                'Start the node in a namespace (wrist, scene) or give the parameter name'
            )
        if not self.source:
            object.__setattr__(self, 'source', f'/dev/{self.name}')
        if len(self.pixel_format) != 4:
            raise ConfigurationError(
                f'camera {self.name}: pixel_format {self.pixel_format!r} has not four characters; '
                'MJPG or YUYV, see v4l2-ctl --list-formats-ext'
            )
        if self.jpeg not in JPEG_MODES:
            raise ConfigurationError(
                f'camera {self.name}: jpeg is {self.jpeg!r}; expected one of: '
                f'{", ".join(JPEG_MODES)}'
            )
        for field, lowest, highest in (
            ('rate_hz', 0.1, 1000.0),
            ('jpeg_quality', 1, 100),
            ('reopen_period_s', 0.05, 60.0),
        ):
            value = getattr(self, field)
            if not lowest <= value <= highest:  # NaN fails this too
                raise ConfigurationError(
                    f'camera {self.name}: {field} is {value}; allowed: {lowest} to {highest}'
                )
        self.monitor_config()  # refuses what is wrong with its part

    @property
    def frame_id(self) -> str:
        """Name of the optical frame: x right, y down, z forward."""
        return f'{self.name}_camera_optical_frame'

    def monitor_config(self) -> FrameMonitorConfig:
        """Return the part that the frame monitor needs."""
        return FrameMonitorConfig(
            width_px=self.width_px,
            height_px=self.height_px,
            stall_timeout_s=self.stall_timeout_s,
            frozen_after_frames=self.frozen_after_frames,
            black_level=self.black_level,
        )
