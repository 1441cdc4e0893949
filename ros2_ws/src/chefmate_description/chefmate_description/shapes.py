"""The words the scene is described in: plain frozen dataclasses that favour no simulator.

Lengths in metres, masses in kilograms, angles in radians, colours as (r, g, b) in 0..1.
"""

import math
from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]
Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Box:
    """A box that is parallel to its parent frame's axes, between two corners."""

    lower_m: Vector
    upper_m: Vector

    @property
    def centre_m(self) -> np.ndarray:
        """Centre in the parent frame, shape (3,)."""
        return (np.array(self.lower_m) + np.array(self.upper_m)) / 2

    @property
    def half_size_m(self) -> np.ndarray:
        """Half of each edge, shape (3,)."""
        return (np.array(self.upper_m) - np.array(self.lower_m)) / 2


@dataclass(frozen=True)
class OrientedBox:
    """A box turned about its parent frame's y axis, then about z: what crockery is made of."""

    centre_m: Vector
    size_m: Vector  # full edges
    pitch_rad: float = 0.0  # about y, in the box's yawed frame
    yaw_rad: float = 0.0  # about z
    solid: bool = True  # False: drawn, but nothing touches it

    @property
    def quaternion_wxyz(self) -> np.ndarray:
        """Orientation in the parent frame, shape (4,)."""
        cy, sy = math.cos(self.yaw_rad / 2), math.sin(self.yaw_rad / 2)
        cp, sp = math.cos(self.pitch_rad / 2), math.sin(self.pitch_rad / 2)
        return np.array([cy * cp, -sy * sp, cy * sp, sy * cp])


@dataclass(frozen=True)
class Slice:
    """A flat piece of food. Its frame lies at the centre, z is the normal."""

    name: str
    shape: str  # 'square' or 'round'
    width_m: float  # edge of a square, diameter of a disc
    thickness_m: float
    mass_kg: float
    colour: Colour
    edge_colour: Colour  # crust, rind, sear
    corner_radius_m: float = 0.0  # drawn only; contact uses the sharp corner
    friction: float = 0.45
    marks: str = ''  # drawn on both faces: '', 'holes' or 'grill'

    def __post_init__(self) -> None:
        if self.shape not in ('square', 'round'):
            raise ValueError(f"{self.name}: shape is 'square' or 'round'; found {self.shape!r}")


@dataclass(frozen=True)
class Placement:
    """Where a thing stands on the table, and how far a seed may move it, evenly each way."""

    position_m: tuple[float, float]  # x, y in the arm's base frame
    yaw_rad: float
    position_spread_m: float
    yaw_spread_rad: float


@dataclass(frozen=True)
class Slot:
    """A place in the tray, in the tray's frame: the slice lies on it leaning towards the arm.

    `corner_m` is the inner corner where support and ledge meet, at the slot's middle.
    """

    slice_name: str
    corner_m: Vector


@dataclass(frozen=True)
class Camera:
    """A pinhole camera, fixed to `parent`; square pixels, vertical field of view."""

    name: str
    parent: str  # a body of the arm
    position_m: Vector  # in the parent's frame
    look_at_m: Vector  # the point in the picture's middle, parent's frame
    up: Vector  # a direction that is up in the picture, parent's frame
    vertical_fov_rad: float
    width: int = 640
    height: int = 480

    @property
    def optical_rotation(self) -> np.ndarray:
        """REP-103 optical frame in the parent's frame, shape (3, 3): x right, y down, z ahead."""
        ahead = np.array(self.look_at_m) - np.array(self.position_m)
        ahead /= np.linalg.norm(ahead)
        right = np.cross(ahead, np.array(self.up))
        right /= np.linalg.norm(right)
        return np.column_stack([right, np.cross(ahead, right), ahead])

    @property
    def focal_length_px(self) -> float:
        """Focal length in pixels, both axes."""
        return self.height / 2 / math.tan(self.vertical_fov_rad / 2)
