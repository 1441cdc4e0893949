"""From camera frames to pixel values: crop, resize, quantise, normalise; in PyTorch, anywhere.

`preprocess` is a pure function of tensors: no copy between host and device, no wait, shapes that
depend on shapes alone. So it may stand inside a CUDA graph.

H, W: of a frame; S: `profile.image_size`. Colours: rgb.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from chefmate_core.policy.engine import EngineRequestError
from chefmate_policy.processing.profile import Profile, Quantisation

MIN_SIDE_PX, MAX_SIDE_PX = 8, 4096  # of a frame: beyond, it is no camera's
LEVELS = 255


def check_frame(name: str, image: object) -> np.ndarray:
    """Return a camera's frame, uint8 (H, W, 3).

    Raises:
        EngineRequestError: it is something else; the message says what.
    """
    if not isinstance(image, np.ndarray):
        raise EngineRequestError(
            f'image {name!r}: expected a numpy array; found {type(image).__name__}'
        )
    if image.dtype != np.uint8:
        raise EngineRequestError(
            f'image {name!r}: expected uint8 levels, 0 to 255; found {image.dtype}'
        )
    if image.ndim != 3 or image.shape[2] != 3:
        raise EngineRequestError(
            f'image {name!r}: expected rgb of shape (H, W, 3); found {image.shape}'
        )
    if not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in image.shape[:2]):
        raise EngineRequestError(
            f'image {name!r}: expected sides of {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels; '
            f'found {image.shape[1]}x{image.shape[0]}'
        )
    return image


def centre_crop_box(height: int, width: int, fraction: float) -> tuple[int, int, int, int]:
    """Return top, left, height, width of the centre crop, rounded as upstream rounds it.

    The size is rounded down (`VideoCrop`), the corner to the even neighbour (torchvision's
    `CenterCrop`).
    """
    crop_height, crop_width = int(height * fraction), int(width * fraction)
    top, left = round((height - crop_height) / 2), round((width - crop_width) / 2)
    return top, left, crop_height, crop_width


def preprocess(frames: Tensor, profile: Profile) -> Tensor:
    """Turn frames, uint8 (N, H, W, 3), into pixel values, float32 (N, 3, S, S) in -1..1."""
    if profile.crop_fraction is not None:
        box = centre_crop_box(frames.shape[1], frames.shape[2], profile.crop_fraction)
        frames = crop(frames, box)
    return to_pixel_values(resize(to_unit(frames), profile), profile)


def preprocess_views(views: Sequence[Tensor], profile: Profile) -> Tensor:
    """Like `preprocess` for frames, uint8 (H, W, 3), of different sizes: (N, 3, S, S).

    Frames of one size go together.
    """
    by_size: dict[torch.Size, list[int]] = {}
    for index, view in enumerate(views):
        by_size.setdefault(view.shape, []).append(index)
    if len(by_size) == 1:
        return preprocess(torch.stack(list(views)), profile)
    pixels: list[Tensor] = [views[0]] * len(views)
    for indices in by_size.values():
        batch = preprocess(torch.stack([views[index] for index in indices]), profile)
        for index, values in zip(indices, batch, strict=True):
            pixels[index] = values
    return torch.stack(pixels)


def crop(frames: Tensor, box: tuple[int, int, int, int]) -> Tensor:
    """Return the box (top, left, height, width) of frames (N, H, W, 3)."""
    top, left, height, width = box
    return frames[:, top : top + height, left : left + width]


def to_unit(frames: Tensor) -> Tensor:
    """Return levels, uint8 (N, H, W, 3), as float32 (N, 3, H, W) in 0..1."""
    return frames.permute(0, 3, 1, 2).to(torch.float32) / LEVELS


def resize(unit: Tensor, profile: Profile) -> Tensor:
    """Resize images, float32 (N, 3, H, W) in 0..1, to (N, 3, S, S); the aspect is not kept."""
    size = profile.image_size
    if profile.quantisation is Quantisation.TRUNCATE:
        return _interpolate(unit, (size, size), profile)
    # The resize of a uint8 image has whole levels between its two passes, too: bicubic overshoots
    # at edges, and what is clipped there is lost for the second pass.
    across = _whole(_interpolate(unit * LEVELS, (unit.shape[-2], size), profile))
    return _whole(_interpolate(across, (size, size), profile)) / LEVELS


def to_pixel_values(unit: Tensor, profile: Profile) -> Tensor:
    """Quantise images in 0..1 as the profile says, and normalise them to -1..1."""
    levels = (unit * LEVELS).clamp(0, LEVELS)  # bicubic overshoots
    if profile.quantisation is Quantisation.TRUNCATE:
        levels = levels.floor()
    else:
        levels = levels.round()
    middle = LEVELS / 2
    return (levels - middle) / middle


def _interpolate(unit: Tensor, size: tuple[int, int], profile: Profile) -> Tensor:
    if unit.shape[-2:] == size:
        return unit
    return functional.interpolate(
        unit, size, mode=profile.interpolation.value, align_corners=False, antialias=True
    )


def _whole(levels: Tensor) -> Tensor:
    """The nearest whole levels; of two, the upper one, as fixed-point resizes have it."""
    return (levels + 0.5).floor().clamp(0, LEVELS)
