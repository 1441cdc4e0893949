"""A camera's intrinsics: from its field of view, or from a calibration file as ROS writes it.

Pixel (u, v) = (0, 0) is the *centre* of the top left pixel, as in OpenCV and ROS, so the principal
point of an ideal camera is ((width - 1) / 2, (height - 1) / 2). In the optical frame x points
right, y down, z forward (REP-103).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from chefmate_core.errors import ConfigurationError

# Coefficients by distortion model. Source: sensor_msgs/distortion_models.hpp of ROS 2 Jazzy.
DISTORTION_COEFFICIENTS: Mapping[str, int] = {
    'plumb_bob': 5,
    'rational_polynomial': 8,
    'equidistant': 4,
}


@dataclass(frozen=True, eq=False)
class CameraIntrinsics:
    """What `sensor_msgs/CameraInfo` says about a camera, except its stamp and frame.

    Attributes:
        camera_matrix: K, shape (3, 3), pixels.
        distortion: D of `distortion_model`, shape (5,), (8,) or (4,).
        rectification: R, shape (3, 3).
        projection: P, shape (3, 4), pixels.
    """

    width_px: int
    height_px: int
    camera_matrix: np.ndarray
    distortion: np.ndarray
    rectification: np.ndarray
    projection: np.ndarray
    distortion_model: str = 'plumb_bob'

    def __post_init__(self) -> None:
        if self.width_px < 1 or self.height_px < 1:
            raise ConfigurationError(
                f'camera intrinsics: size is {self.width_px}x{self.height_px} px; at least 1x1'
            )
        if self.distortion_model not in DISTORTION_COEFFICIENTS:
            raise ConfigurationError(
                f'camera intrinsics: unknown distortion model {self.distortion_model!r}; '
                f'expected one of: {", ".join(DISTORTION_COEFFICIENTS)}'
            )
        shapes = {
            'camera_matrix': (3, 3),
            'distortion': (DISTORTION_COEFFICIENTS[self.distortion_model],),
            'rectification': (3, 3),
            'projection': (3, 4),
        }
        for name, shape in shapes.items():
            values = np.array(getattr(self, name), dtype=float)
            if values.shape != shape or not np.all(np.isfinite(values)):
                raise ConfigurationError(
                    f'camera intrinsics: {name} must hold finite numbers of shape {shape}; '
                    f'found shape {values.shape}: {values.tolist()}'
                )
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        if not (self.camera_matrix[0, 0] > 0 and self.camera_matrix[1, 1] > 0):
            raise ConfigurationError('camera intrinsics: focal lengths must be above 0 px')

    @property
    def vertical_fov_deg(self) -> float:
        """Vertical field of view of the undistorted image, degrees."""
        return math.degrees(2.0 * math.atan(self.height_px / 2.0 / self.camera_matrix[1, 1]))


def ideal_intrinsics(width_px: int, height_px: int, vertical_fov_deg: float) -> CameraIntrinsics:
    """Return an undistorted camera with square pixels, as MuJoCo renders with `fovy`.

    Raises:
        ConfigurationError: a size below one pixel, or a field of view outside (0, 180) degrees.
    """
    if not 0.0 < vertical_fov_deg < 180.0:  # NaN fails this too
        raise ConfigurationError(
            f'vertical field of view is {vertical_fov_deg} degrees; allowed: above 0, below 180'
        )
    focal_px = height_px / 2.0 / math.tan(math.radians(vertical_fov_deg) / 2.0)
    camera_matrix = np.array([
        [focal_px, 0.0, (width_px - 1) / 2.0],
        [0.0, focal_px, (height_px - 1) / 2.0],
        [0.0, 0.0, 1.0],
    ])  # fmt: skip
    return CameraIntrinsics(
        width_px=width_px,
        height_px=height_px,
        camera_matrix=camera_matrix,
        distortion=np.zeros(5),
        rectification=np.eye(3),
        projection=np.hstack([camera_matrix, np.zeros((3, 1))]),
    )


def load_intrinsics(path: Path, width_px: int, height_px: int) -> CameraIntrinsics:
    """Read a calibration file as `camera_calibration` and `camera_info_manager` write it (YAML).

    Args:
        path: the file.
        width_px: width of the images that the camera delivers.
        height_px: their height; a calibration made at another size is refused, not scaled.

    Raises:
        ConfigurationError: unreadable, incomplete, of another size, or with impossible numbers.
    """
    where = f'camera calibration {path}'
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(
            f'{where} cannot be read: {error}. Give a YAML file as `ros2 run camera_calibration '
            "cameracalibrator` writes it, or '' for an ideal camera"
        ) from error
    if not isinstance(content, Mapping):
        raise ConfigurationError(
            f'{where}: expected a YAML mapping, found {type(content).__name__}'
        )
    try:
        found_px = (int(content['image_width']), int(content['image_height']))
        intrinsics = CameraIntrinsics(
            *found_px,
            camera_matrix=_matrix(content['camera_matrix']),
            distortion=_matrix(content['distortion_coefficients']).ravel(),
            rectification=_matrix(content['rectification_matrix']),
            projection=_matrix(content['projection_matrix']),
            distortion_model=str(content['distortion_model']),
        )
    except KeyError as error:
        raise ConfigurationError(f'{where}: the key {error} is missing') from None
    except (TypeError, ValueError) as error:  # also the ConfigurationError of the class above
        raise ConfigurationError(f'{where}: {error}') from error
    if found_px != (width_px, height_px):
        raise ConfigurationError(
            f'{where} was made at {found_px[0]}x{found_px[1]} px but the camera delivers '
            f'{width_px}x{height_px}; calibrate at that size'
        )
    return intrinsics


def _matrix(entry: Mapping[str, Any]) -> np.ndarray:
    """Return the matrix of one `{rows, cols, data}` entry."""
    return np.array(entry['data'], dtype=float).reshape(int(entry['rows']), int(entry['cols']))
