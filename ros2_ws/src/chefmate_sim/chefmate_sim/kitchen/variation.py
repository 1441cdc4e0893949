"""What differs from one kitchen to the next, drawn from a seed."""

from dataclasses import dataclass

import numpy as np

from chefmate_description.scene import KITCHEN, Kitchen
from chefmate_description.shapes import Colour, Placement

# So that the seeds of other random sequences do not repeat this one's numbers.
_STREAM = 0x6B69_7463


@dataclass(frozen=True)
class KitchenVariation:
    """One kitchen: where tray and plate stand, how the light falls, which colours things have."""

    seed: int
    tray_position_m: tuple[float, float]  # x, y in the arm's base frame
    tray_yaw_rad: float
    plate_position_m: tuple[float, float]
    plate_yaw_rad: float
    light_direction: tuple[float, float, float]  # the way the light travels
    light_intensity: float  # 0..1
    ambient_intensity: float  # 0..1
    table_colour: Colour
    tray_colour: Colour
    plate_colour: Colour
    texture_seed: int

    @classmethod
    def sample(cls, seed: int, kitchen: Kitchen = KITCHEN) -> 'KitchenVariation':
        """Return the kitchen of `seed`, any integer; the same seed gives the same kitchen."""
        rng = np.random.default_rng([_STREAM, seed % 2**63])
        tray_position_m, tray_yaw_rad = _placed(rng, kitchen.tray.placement)
        plate_position_m, plate_yaw_rad = _placed(rng, kitchen.plate.placement)
        azimuth, slant = rng.uniform(-np.pi, np.pi), rng.uniform(0.2, 0.6)
        return cls(
            seed=seed,
            tray_position_m=tray_position_m,
            tray_yaw_rad=tray_yaw_rad,
            plate_position_m=plate_position_m,
            plate_yaw_rad=plate_yaw_rad,
            light_direction=(slant * np.cos(azimuth), slant * np.sin(azimuth), -1.0),
            light_intensity=rng.uniform(0.32, 0.46),
            ambient_intensity=rng.uniform(0.34, 0.42),
            table_colour=_tinted(rng, kitchen.table.colour, 0.10),
            tray_colour=_tinted(rng, kitchen.tray.colour, 0.12),
            plate_colour=_tinted(rng, kitchen.plate.colour, 0.03),
            texture_seed=int(rng.integers(2**31)),
        )


def _placed(rng: np.random.Generator, placement: Placement) -> tuple[tuple[float, float], float]:
    spread_m, spread_rad = placement.position_spread_m, placement.yaw_spread_rad
    x, y = (value + rng.uniform(-spread_m, spread_m) for value in placement.position_m)
    return (x, y), placement.yaw_rad + rng.uniform(-spread_rad, spread_rad)


def _tinted(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    """Return `colour`, brighter or darker as a whole and a little in each channel."""
    factor = 1 + rng.uniform(-spread, spread)
    tint = rng.uniform(-spread / 3, spread / 3, 3)
    red, green, blue = (float(v) for v in np.clip(np.array(colour) * factor + tint, 0.02, 0.98))
    return red, green, blue
