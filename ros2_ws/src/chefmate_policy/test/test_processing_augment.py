import colorsys
import dataclasses

import pytest
import torch

from chefmate_core.errors import ConfigurationError
from chefmate_policy.processing.augment import (
    Jitter,
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
    augment,
    random_crop_box,
)
from chefmate_policy.processing.images import preprocess
from chefmate_policy.processing.profile import ISAAC

STILL = Jitter(0, 0, 0, 0)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def frames(count: int = 2) -> torch.Tensor:
    one = torch.randint(0, 256, (1, 96, 128, 3), dtype=torch.uint8, generator=seeded(5))
    return one.expand(count, -1, -1, -1)


def test_the_same_seed_gives_the_same_images_and_another_seed_others():
    first = augment(frames(), ISAAC, Jitter(), seeded(1))
    assert torch.equal(first, augment(frames(), ISAAC, Jitter(), seeded(1)))
    assert not torch.equal(first, augment(frames(), ISAAC, Jitter(), seeded(2)))


def test_all_frames_of_a_view_are_changed_alike():
    first, second = augment(frames(), ISAAC, Jitter(), seeded(3))
    assert torch.equal(first, second)


def test_the_global_random_state_is_left_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    augment(frames(), ISAAC, Jitter(), seeded(1))
    assert torch.equal(torch.rand(3), expected)


def test_without_jitter_and_crop_it_is_the_plain_preprocessing():
    uncropped = dataclasses.replace(ISAAC, crop_fraction=None)
    difference = augment(frames(), uncropped, STILL, seeded(0)) - preprocess(frames(), uncropped)
    assert difference.abs().max() <= 1.01 / 127.5  # a level: the hue's way there and back


def test_crops_have_one_size_and_reach_every_corner():
    boxes = [random_crop_box(frames(), 0.95, generator) for generator in map(seeded, range(300))]
    assert {box[2:] for box in boxes} == {(91, 121)}
    assert {box[0] for box in boxes} == set(range(6))
    assert {box[1] for box in boxes} == set(range(8))


def colours() -> torch.Tensor:
    """Images (1, 3, 8, 8) that hold grey, pure and mixed colours."""
    images = torch.rand(1, 3, 8, 8, generator=seeded(0))
    images[..., 0, :] = images[:, :1, 0, :]  # grey
    images[..., 1, 0] = torch.tensor([1.0, 0, 0])
    images[..., 1, 1] = torch.tensor([0.0, 1, 1])
    return images


@pytest.mark.parametrize('turn', [-0.5, -0.08, 0.0, 0.03, 0.5])
def test_a_turned_hue_is_what_colorsys_says(turn):
    images = colours()
    turned = adjust_hue(images, turn)
    for before, after in zip(
        images[0].flatten(1).T.tolist(), turned[0].flatten(1).T.tolist(), strict=True
    ):
        hue, saturation, value = colorsys.rgb_to_hsv(*before)
        expected = colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value)
        assert after == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize('change', [adjust_brightness, adjust_contrast, adjust_saturation])
def test_a_factor_of_one_changes_nothing(change):
    assert torch.allclose(change(colours(), 1.0), colours(), atol=1e-6)


def test_factors_of_zero_leave_black_grey_and_the_mean():
    images = colours()
    assert not adjust_brightness(images, 0.0).any()
    red, green, blue = adjust_saturation(images, 0.0)[0]
    assert torch.allclose(red, green) and torch.allclose(green, blue)
    assert adjust_contrast(images, 0.0).std() < 1e-6


def test_what_leaves_the_range_is_clipped():
    for change in (adjust_brightness, adjust_contrast, adjust_saturation):
        changed = change(colours(), 1.9)
        assert changed.min() >= 0 and changed.max() <= 1


@pytest.mark.parametrize('change', [{'hue': 0.6}, {'brightness': -0.1}, {'contrast': 2.0}])
def test_a_jitter_beyond_its_range_is_refused(change):
    with pytest.raises(ConfigurationError, match='expected 0 to'):
        Jitter(**change)
