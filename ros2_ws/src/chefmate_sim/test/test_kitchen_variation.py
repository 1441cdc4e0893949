from collections import Counter

import mujoco
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chefmate_description.scene import KITCHEN, SLICE_NAMES
from chefmate_sim.kitchen.scene_builder import build_model, home_qpos
from chefmate_sim.kitchen.variation import KitchenVariation


@given(st.integers(min_value=0, max_value=2**62))
def test_every_seed_stays_within_its_bounds(seed):
    variation = KitchenVariation.sample(seed)
    for position_m, yaw_rad, placement in (
        (variation.tray_position_m, variation.tray_yaw_rad, KITCHEN.tray.placement),
        (variation.plate_position_m, variation.plate_yaw_rad, KITCHEN.plate.placement),
    ):
        offset_m = np.abs(np.subtract(position_m, placement.position_m))
        assert np.all(offset_m <= placement.position_spread_m + 1e-12)
        assert abs(yaw_rad - placement.yaw_rad) <= placement.yaw_spread_rad + 1e-12
    for colour in (variation.table_colour, variation.tray_colour, variation.plate_colour):
        assert all(0.0 <= channel <= 1.0 for channel in colour)


def test_seeds_use_the_whole_of_their_bounds():
    samples = [KitchenVariation.sample(seed) for seed in range(200)]
    for axis in (0, 1):
        spread_m = np.ptp([sample.tray_position_m[axis] for sample in samples])
        assert spread_m > 0.9 * 2 * KITCHEN.tray.placement.position_spread_m
    assert len({sample.table_colour for sample in samples}) == len(samples)
    assert len({sample.light_direction for sample in samples}) == len(samples)


def test_one_seed_is_one_kitchen():
    assert KitchenVariation.sample(7) == KitchenVariation.sample(7)
    assert KitchenVariation.sample(7) != KitchenVariation.sample(8)


@pytest.mark.parametrize('seed', range(10))
def test_nothing_touches_at_the_start(seed):
    model = build_model(KitchenVariation.sample(seed), with_looks=False)
    data = mujoco.MjData(model)
    data.qpos[:] = home_qpos(model)
    mujoco.mj_forward(model, data)
    bodies = Counter(
        tuple(sorted(model.body(body).name for body in pair))
        for pair in model.geom_bodyid[data.contact.geom]
    )
    assert not bodies


def test_looks_do_not_change_the_physics():
    variation = KitchenVariation.sample(0)
    plain, pretty = (build_model(variation, with_looks=looks) for looks in (False, True))
    for name in SLICE_NAMES:
        for model in (plain, pretty):
            assert model.body(name).mass[0] == pytest.approx(
                next(one.mass_kg for one in KITCHEN.slices if one.name == name)
            )
        np.testing.assert_allclose(plain.body(name).inertia, pretty.body(name).inertia)
    assert (plain.geom_contype > 0).sum() == (pretty.geom_contype > 0).sum()
