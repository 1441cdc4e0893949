"""From object poses to the segments of one pick and one placement."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from chefmate_core.errors import PolicyError
from chefmate_core.geometry import Pose
from chefmate_description.scene import HOME_POSITION_RAD, KITCHEN, slice_named
from chefmate_description.shapes import Slice
from chefmate_sim.expert.config import ExpertConfig
from chefmate_sim.expert.grasp_geometry import (
    downhill,
    tcp_in_plane,
    tcp_pitched,
    tilt_rad,
    unit,
    upward_normal,
)
from chefmate_sim.expert.kinematics import ArmKinematics, TcpPose, UnreachableError
from chefmate_sim.expert.motion import Motions
from chefmate_sim.expert.trajectory import Segment, hold

HOME_RAD = np.array(HOME_POSITION_RAD)
HOME_RAD.setflags(write=False)

# A slice can be gripped only if the finger, 8-27 mm thick below the pad, fits under it.
GRASPABLE_TILT_RAD = (0.5, 1.1)
_NO_WAY_M = 0.002  # shorter ones are left out


@dataclass(frozen=True)
class InHand:
    """Where a held slice is, seen from the TCP."""

    position_m: np.ndarray  # (3,) of its centre
    rotation: np.ndarray  # (3, 3) of its frame

    @staticmethod
    def measured(tcp: TcpPose, slice_pose: Pose) -> 'InHand':
        """Return the grasp that two measured poses show."""
        to_tcp = tcp.rotation.T
        return InHand(
            to_tcp @ (slice_pose.position_m - tcp.position_m), to_tcp @ slice_pose.rotation
        )


class Planner:
    """Plans the parts of a pick and place; every part starts where the one before ended."""

    def __init__(self, arm: ArmKinematics, config: ExpertConfig) -> None:
        self.arm = arm
        self.config = config
        self._motions = Motions(arm, config)

    def reach(self, name: str, start_rad: np.ndarray, pose: Pose) -> list[Segment]:
        """Return the way into the slot: over it, down, along the slot, under the slice.

        Raises:
            PolicyError: the slice does not lean as in a slot.
            UnreachableError: part of the way is out of reach.
        """
        config, food = self.config, slice_named(name)
        lean = tilt_rad(pose.rotation)
        if not GRASPABLE_TILT_RAD[0] <= lean <= GRASPABLE_TILT_RAD[1]:
            raise PolicyError(
                f'{name} leans by {np.degrees(lean):.0f} degrees at '
                f'({pose.position_m[0]:.3f}, {pose.position_m[1]:.3f}) m; the gripper gets under '
                f'slices that lean by {np.degrees(GRASPABLE_TILT_RAD[0]):.0f} to '
                f'{np.degrees(GRASPABLE_TILT_RAD[1]):.0f} degrees, as in the tray. Put it back '
                f'into its slot or reset the kitchen'
            )
        normal = upward_normal(pose.rotation)
        along = downhill(normal)
        grasp_m = (
            pose.position_m
            - along * (food.width_m / 2 - config.grip_depth_m)
            - normal * (food.thickness_m / 2 + config.finger_clearance_m)
        )
        before_m = grasp_m - along * config.enter_m
        high_m = before_m + np.array([0.0, 0.0, config.above_m])

        motions, jaw_rad = self._motions, config.open_jaw_rad
        high_rad = motions.posture(tcp_in_plane(self.arm, high_m, normal), start_rad, jaw_rad)
        phase = f'{name}: reaching'
        segments = motions.move(phase, start_rad, high_rad, config.empty_height_m)
        down = motions.line(phase, high_rad, self._in_plane(high_m, before_m, normal))
        enter = motions.line(
            f'{name}: entering', down.end_rad, self._in_plane(before_m, grasp_m, normal)
        )
        return [*segments, down, enter, hold(enter.phase, enter.end_rad, config.settle_s)]

    def close(self, name: str, start_rad: np.ndarray) -> list[Segment]:
        """Return the closing of the jaw and the time its force needs."""
        segment = self._motions.jaw(
            f'{name}: closing', start_rad, self.config.closed_jaw_rad, self.config.grip_speed
        )
        return [segment, hold(segment.phase, segment.end_rad, self.config.grip_s)]

    def lift(self, name: str, start_rad: np.ndarray, risen_m: float = 0.0) -> list[Segment]:
        """Return the way out along the slot, then straight up, before any pan.

        Args:
            name: the slice.
            start_rad: joint positions at the start, shape (6,).
            risen_m: how much higher than in its slot the slice is already.

        Raises:
            UnreachableError: part of the way is out of reach.
        """
        config = self.config
        # The slot's direction is the one in which the jaw went in. The slice itself may have
        # turned a little in the grip.
        start = self.arm.forward(start_rad)
        start_m, normal = start.position_m, start.rotation[:, 2]
        along = downhill(normal)
        left_m = max(0.0, config.leave_m + risen_m / along[2])  # along[2] is below 0
        out_m = start_m - along * left_m
        top_m = np.array([*out_m[:2], max(config.travel_height_m, out_m[2])])
        phase, segments, end_rad = f'{name}: lifting', [], start_rad
        for begin_m, end_m, speed in (
            (start_m, out_m, config.contact_speed), (out_m, top_m, config.travel_speed),
        ):  # fmt: skip
            if np.linalg.norm(end_m - begin_m) >= _NO_WAY_M:
                segments.append(self._motions.line(
                    phase, end_rad, self._in_plane(begin_m, end_m, normal), speed=speed
                ))  # fmt: skip
                end_rad = segments[-1].end_rad
        return segments

    def _in_plane(
        self, begin_m: np.ndarray, end_m: np.ndarray, normal: np.ndarray
    ) -> Callable[[float], TcpPose]:
        return lambda f: tcp_in_plane(self.arm, begin_m + f * (end_m - begin_m), normal)

    def carry(
        self, name: str, start_rad: np.ndarray, in_hand: InHand, objects: Mapping[str, Pose]
    ) -> list[Segment]:
        """Return the way over the plate and down, until the slice hangs just above its place."""
        config = self.config
        jaw_rad = start_rad[-1]
        place = self.place_pose(name, in_hand, objects)

        def above(height_m):
            return TcpPose(place.position_m + np.array([0.0, 0.0, height_m]), place.rotation)

        motions = self._motions
        hover_rad = motions.posture(above(config.hover_m), start_rad, jaw_rad)
        segments = motions.move(
            f'{name}: carrying', start_rad, hover_rad, config.travel_height_m - 0.02
        )
        down = motions.line(
            f'{name}: placing', hover_rad, lambda f: above((1.0 - f) * config.hover_m)
        )
        return [*segments, down, hold(down.phase, down.end_rad, config.settle_s)]

    def place_pose(self, name: str, in_hand: InHand, objects: Mapping[str, Pose]) -> TcpPose:
        """Return the TCP pose at release: the slice tilted, its far edge just above its place.

        The slice then falls flat about its far edge, so its centre moves towards the arm by
        (1 - cos(pitch)) of half its width; the pose makes up for that.
        """
        config, food = self.config, slice_named(name)
        plate_m = objects['plate'].position_m
        surface_m, below = self.support(name, objects)
        outward = unit(np.append(plate_m[:2] - self.arm.pan_axis_xy_m, 0.0))
        if below is None:
            radial_m = config.radial_offset_m.get(name, 0.0)
        else:
            # A far edge that lands beyond the one below slides off it.
            edge_m = outward @ (objects[below.name].position_m - plate_m) + below.width_m / 2
            radial_m = min(0.0, edge_m - config.stack_margin_m - food.width_m / 2)
        radial_m += food.width_m / 2 * (1.0 - np.cos(config.place_pitch_rad))
        centre_m = plate_m + outward * radial_m
        corners = _corners(food)
        position_m = np.array([*centre_m[:2], surface_m + 0.05])
        for _ in range(6):
            tcp = tcp_pitched(self.arm, position_m, config.place_pitch_rad)
            centre_in_base = tcp.rotation @ in_hand.position_m
            lowest_m = tcp.rotation @ (in_hand.position_m[:, None] + in_hand.rotation @ corners)
            position_m = np.array([
                *(centre_m - centre_in_base)[:2],
                surface_m + config.drop_m - lowest_m[2].min(),
            ])  # fmt: skip
        return tcp_pitched(self.arm, position_m, config.place_pitch_rad)

    def support(self, name: str, objects: Mapping[str, Pose]) -> tuple[float, Slice | None]:
        """Return the height that a slice will land on, and the slice that is there already."""
        plate = objects['plate']
        top_m, below = plate.position_m[2] + KITCHEN.plate.base_thickness_m, None
        for other in KITCHEN.slices:
            if other.name == name or other.name not in objects:
                continue
            pose = objects[other.name]
            over_plate = np.linalg.norm((pose.position_m - plate.position_m)[:2])
            other_top_m = pose.position_m[2] + other.thickness_m / 2
            if over_plate < other.width_m / 2 and other_top_m > top_m:
                top_m, below = other_top_m, other
        return float(top_m), below

    def release(self, name: str, start_rad: np.ndarray) -> list[Segment]:
        """Return the opening of the jaw."""
        return [self._motions.jaw(f'{name}: releasing', start_rad, self.config.release_jaw_rad)]

    def retreat(self, name: str, start_rad: np.ndarray) -> list[Segment]:
        """Return the way back along the approach, then up."""
        config = self.config
        start = self.arm.forward(start_rad)
        back_m = -start.approach * config.retreat_m
        phase = f'{name}: retreating'
        back = self._motions.line(
            phase, start_rad, lambda f: TcpPose(start.position_m + f * back_m, start.rotation)
        )
        height_m = start.position_m[2] + back_m[2] + config.depart_m
        up = self._motions.rise(
            phase, back.end_rad, max(height_m, config.empty_height_m), config.travel_speed
        )
        return [back] if up is None else [back, up]

    def home(self, start_rad: np.ndarray) -> list[Segment]:
        """Return the way home from wherever the arm is."""
        return self._motions.move('going home', start_rad, HOME_RAD, self.config.empty_height_m)

    def back_out(self, name: str, start_rad: np.ndarray) -> list[Segment]:
        """Return the way out of wherever the gripper was pushed: open, then back, then up."""
        start_rad = np.array(start_rad, float)
        start = self.arm.forward(start_rad)
        if start.position_m[2] > self.config.empty_height_m:
            return []
        phase = f'{name}: backing out'
        segments = [self._motions.jaw(phase, start_rad, self.config.open_jaw_rad)]
        back_m = -start.approach * self.config.enter_m
        with suppress(UnreachableError):
            segments.append(self._motions.line(
                phase, segments[-1].end_rad,
                lambda f: TcpPose(start.position_m + f * back_m, start.rotation),
            ))  # fmt: skip
        up = self._motions.rise(phase, segments[-1].end_rad, self.config.empty_height_m)
        return segments if up is None else [*segments, up]


def _corners(food: Slice) -> np.ndarray:
    """Return the slice's extreme points in its own frame, shape (3, N)."""
    half, z = food.width_m / 2, food.thickness_m / 2
    if food.shape == 'round':
        angle = np.linspace(0.0, 2 * np.pi, 24, endpoint=False)
        xy = half * np.array([np.cos(angle), np.sin(angle)])
    else:
        xy = half * np.array([[1, 1, -1, -1], [1, -1, 1, -1]])
    return np.hstack([np.vstack([xy, np.full(xy.shape[1], side)]) for side in (z, -z)])
