"""The numbers of the scripted expert. Source: ChefMate's kitchen study of 2026-11."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from chefmate_core.errors import ConfigurationError
from chefmate_sim.expert.trajectory import MotionCaps


@dataclass(frozen=True)
class ExpertConfig:
    """How the expert picks and places."""

    # Picking. The static finger goes under the slice: missing its edge is what fails, so aim
    # below.
    finger_clearance_m: float = 0.003  # of the TCP below the slice's lower face
    grip_depth_m: float = 0.013  # of the TCP in from the slice's top edge
    enter_m: float = 0.060  # along the slot, before the grasp
    leave_m: float = 0.065  # along the slot, after it
    above_m: float = 0.050  # over the point where the finger enters the slot
    open_jaw_rad: float = 0.35
    closed_jaw_rad: float = -0.16  # as far as the safety gate's margin lets it
    # Travelling.
    travel_height_m: float = 0.158  # of the TCP, before any pan with a slice in the jaw
    empty_height_m: float = 0.118  # of the TCP, when it passes over the tray with an empty jaw
    # Placing. tan(pitch) is above the pads' friction, so that the finger does not drag the
    # slice off.
    place_pitch_rad: float = 0.75
    hover_m: float = 0.080  # over the place pose, where the descent begins
    drop_m: float = 0.001  # of the slice's lowest point over what it will lie on, at release
    release_jaw_rad: float = 0.80
    retreat_m: float = 0.050  # back along the approach after release
    depart_m: float = 0.070  # then up
    # Towards the arm (negative) or away from it, per slice: the release is a small throw.
    radial_offset_m: Mapping[str, float] = field(
        default_factory=lambda: {
            'bread_slice_1': 0.006,
            'bread_slice_2': 0.006,
            'cheese_slice': 0.003,
            'patty': 0.001,
        }
    )
    stack_margin_m: float = 0.002  # of a slice's far edge within that of the slice below
    # Speed, as fractions of the caps.
    travel_speed: float = 1.0
    contact_speed: float = 1.0  # entering, leaving, placing, retreating
    grip_speed: float = 0.6  # of the closing jaw: a fast one makes the slice jump in its slot
    caps: MotionCaps = field(default_factory=MotionCaps)
    settle_s: float = 0.10  # at rest before the jaw moves
    grip_s: float = 0.45  # for the jaw's force to build up after its goal has been reached
    # Judging.
    held_radius_m: float = 0.020  # of a slice's centre from where the grasp should have it
    placed_radius_m: float = 0.025  # of a slice's centre from the plate's
    placed_tilt_rad: float = 0.14
    max_attempts: int = 3  # of one slice
    # Keeping time.
    lookahead_s: float = 0.35  # before its end a part of the plan is continued: replan + latency
    late_s: float = 0.15  # an arm that is later on its path than that is waited for with the jaw
    lag_s: float = 0.5  # a moving arm may be that late on its path
    stall_s: float = 0.3  # a standing arm may be that late
    step_rad: float = 0.06  # offered to a held arm: one that takes it is free again
    on_path_rad: float = 0.10  # and that far beside it
    recall_s: float = 3.0  # how far back a held arm is looked for on its path

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            may_be_negative = one.name.endswith(('jaw_rad', 'offset_m'))
            if isinstance(value, (int, float)) and not (may_be_negative or value > 0):
                raise ConfigurationError(f'ExpertConfig.{one.name} must be above 0; found {value}')
        for name in ('travel_speed', 'contact_speed', 'grip_speed'):
            if not getattr(self, name) <= 1.0:
                raise ConfigurationError(
                    f'ExpertConfig.{name} is a fraction of the caps, at most 1; found '
                    f'{getattr(self, name)}'
                )
