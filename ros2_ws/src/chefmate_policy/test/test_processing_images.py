"""Golden tests of crop and resize: against Pillow, which shares no code, and by hand."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from chefmate_core.errors import PolicyError
from chefmate_policy.processing.images import (
    centre_crop_box,
    check_frame,
    preprocess,
    preprocess_views,
)
from chefmate_policy.processing.profile import ISAAC, LEROBOT


def levels(pixel_values: torch.Tensor) -> np.ndarray:
    """Pixel values as what they were normalised from: levels (N, S, S, 3)."""
    return (pixel_values * 127.5 + 127.5).permute(0, 2, 3, 1).numpy()


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A picture with soft and hard edges, and noise."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    soft = 128 + 100 * np.sin(rows / 17)[..., None] * np.cos(columns[..., None] / [11, 23, 41])
    hard = 120 * ((rows // 16 + columns // 24) % 2)[..., None]
    return np.clip(soft + hard - 60 + rng.normal(0, 8, soft.shape), 0, 255).astype(np.uint8)


def pillow_levels(frame: np.ndarray) -> np.ndarray:
    """LeRobot's resize: of an 8-bit picture, bicubic."""
    resized = Image.fromarray(frame).resize((224, 224), Image.Resampling.BICUBIC)
    return np.asarray(resized).astype(float)


def pillow_floats(frame: np.ndarray) -> np.ndarray:
    """Isaac-GR00T's crop and resize, bilinear: of floats, so that nothing is rounded yet."""
    height, width = frame.shape[:2]
    left, top = round((width - int(width * 0.95)) / 2), round((height - int(height * 0.95)) / 2)
    box = (left, top, left + int(width * 0.95), top + int(height * 0.95))
    channels = [Image.fromarray(frame[..., c].astype(np.float32)) for c in range(3)]
    resized = [c.crop(box).resize((224, 224), Image.Resampling.BILINEAR) for c in channels]
    return np.stack([np.asarray(channel) for channel in resized], axis=-1)


# Pillow resizes across before down where that is cheaper: for these; torchvision always does.
SIZES = [(480, 640), (240, 320), (720, 1280), (600, 800), (120, 160)]


@pytest.mark.parametrize('size', SIZES)
def test_lerobots_resize_is_pillows_within_a_level(size):
    frame = picture(*size)
    ours = levels(preprocess(torch.from_numpy(frame)[None], LEROBOT))[0]
    difference = np.abs(ours - pillow_levels(frame)).round()
    assert difference.max() <= 1
    assert difference.mean() < 0.001


@pytest.mark.parametrize('size', [*SIZES, (333, 257)])
def test_isaacs_crop_and_resize_are_pillows_truncated_within_a_level(size):
    frame = picture(*size)
    ours = levels(preprocess(torch.from_numpy(frame)[None], ISAAC))[0]
    difference = np.abs(ours - np.floor(pillow_floats(frame))).round()
    assert difference.max() <= 1  # where the resized level is a whole number but for float error
    assert difference.mean() < 0.01


def test_halving_a_picture_by_hand():
    """Of 4x4 to 2x2 an antialiased bilinear filter weighs 3, 3, 1 beside the edge: sevenths."""
    row = np.array([0, 70, 140, 210])
    frame = np.repeat(np.repeat(row[None, :, None], 4, axis=0), 3, axis=2).astype(np.uint8)
    small = dataclasses.replace(ISAAC, crop_fraction=None, image_size=2)
    # (3*0 + 3*70 + 1*140) / 7 = 50 and (1*70 + 3*140 + 3*210) / 7 = 160
    expected = np.array([[50, 160], [50, 160]])
    ours = levels(preprocess(torch.from_numpy(frame)[None], small))[0]
    # A whole number may come out a hair below itself, and is then truncated.
    assert all(np.all(np.isin(expected - ours[..., c].round(), (0, 1))) for c in range(3))


def test_a_crop_removes_the_border_and_nothing_else():
    """20 of 20 pixels cropped by 0.9 are 18: the outermost ring is gone."""
    frame = np.full((20, 20, 3), 200, np.uint8)
    frame[[0, -1]] = frame[:, [0, -1]] = 0
    frame[1, 1] = frame[18, 18] = 10
    profile = dataclasses.replace(LEROBOT, crop_fraction=0.9, image_size=18)
    ours = levels(preprocess(torch.from_numpy(frame)[None], profile))[0]
    assert np.array_equal(ours, frame[1:19, 1:19].astype(float))


@pytest.mark.parametrize(
    ('size', 'box'),
    [
        ((480, 640), (12, 16, 456, 608)),
        ((224, 224), (6, 6, 212, 212)),
        ((720, 1280), (18, 32, 684, 1216)),
        ((101, 77), (3, 2, 95, 73)),  # 95.95 and 73.15 round down; 3.0 and 2.0
        ((470, 630), (12, 16, 446, 598)),  # 446.5, 598.5 round down
        ((30, 10), (1, 0, 28, 9)),  # half a pixel goes to the even side
    ],
)
def test_the_centre_crop_is_rounded_as_upstream_rounds(size, box):
    assert centre_crop_box(*size, 0.95) == box


def test_pixel_values_are_levels_between_minus_one_and_one():
    values = preprocess(torch.from_numpy(picture(480, 640))[None], ISAAC)
    assert values.shape == (1, 3, 224, 224) and values.dtype == torch.float32
    assert values.min() >= -1 and values.max() <= 1
    assert torch.allclose((values * 127.5 + 127.5).round() / 127.5 - 1, values, atol=1e-6)


@pytest.mark.parametrize('profile', [ISAAC, LEROBOT], ids=lambda profile: profile.name)
def test_colours_keep_their_channels(profile):
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[..., 0] = 255
    red, green, blue = preprocess(torch.from_numpy(frame)[None], profile)[0]
    assert red.min() > 0.99 and green.max() == -1 and blue.max() == -1


@pytest.mark.parametrize('profile', [ISAAC, LEROBOT], ids=lambda profile: profile.name)
def test_a_black_image_is_minus_one_everywhere(profile):
    assert (preprocess(torch.zeros(1, 480, 640, 3, dtype=torch.uint8), profile) == -1).all()


@pytest.mark.parametrize('profile', [ISAAC, LEROBOT], ids=lambda profile: profile.name)
def test_cameras_of_different_sizes_keep_their_order(profile):
    views = [
        torch.from_numpy(picture(*size, seed))
        for seed, size in enumerate([(480, 640), (240, 320), (480, 640)])
    ]
    together = preprocess_views(views, profile)
    alone = torch.cat([preprocess(view[None], profile) for view in views])
    assert together.shape == (3, 3, 224, 224)
    assert torch.equal(together, alone)


@pytest.mark.parametrize('profile', [ISAAC, LEROBOT], ids=lambda profile: profile.name)
def test_preprocessing_can_be_traced_with_the_shapes_alone(profile):
    """Nothing reads a pixel's value: what a CUDA graph needs, proved without a GPU."""
    with torch.device('meta'):
        frames = torch.empty(2, 480, 640, 3, dtype=torch.uint8)
    assert preprocess(frames, profile).shape == (2, 3, 224, 224)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
@pytest.mark.parametrize('profile', [ISAAC, LEROBOT], ids=lambda profile: profile.name)
def test_a_cuda_graph_of_the_preprocessing_gives_what_the_cpu_gives(profile):
    frames = torch.from_numpy(np.stack([picture(480, 640, seed) for seed in (1, 2)]))
    static = frames.cuda()
    preprocess(static, profile)  # compiles kernels before the capture
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        output = preprocess(static, profile)
    graph.replay()
    difference = (levels(output.cpu()) - levels(preprocess(frames, profile))).round()
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize(
    ('image', 'message'),
    [
        (np.zeros((480, 640), np.uint8), r'rgb of shape \(H, W, 3\); found \(480, 640\)'),
        (np.zeros((480, 640, 1), np.uint8), r'found \(480, 640, 1\)'),
        (np.zeros((480, 640, 4), np.uint8), r'found \(480, 640, 4\)'),
        (np.zeros((1, 480, 640, 3), np.uint8), r'found \(1, 480, 640, 3\)'),
        (np.zeros((3, 480, 640), np.uint8), r'found \(3, 480, 640\)'),
        (np.zeros((480, 640, 3), np.float32), 'uint8 levels, 0 to 255; found float32'),
        (np.zeros((480, 640, 3), np.int64), 'found int64'),
        (np.zeros((1, 1, 3), np.uint8), 'sides of 8 to 4096 pixels; found 1x1'),
        (np.zeros((0, 640, 3), np.uint8), 'found 640x0'),
        (np.zeros((8, 100_000, 3), np.uint8), 'found 100000x8'),
        ([[0]], 'numpy array; found list'),
        (None, 'numpy array; found NoneType'),
    ],
)
def test_what_is_no_camera_frame_is_refused_with_what_was_found(image, message):
    with pytest.raises(PolicyError, match=rf"image 'wrist'.*{message}"):
        check_frame('wrist', image)
