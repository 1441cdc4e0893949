"""Augmentation of training images: what Isaac-GR00T does, on any device, from a seed.

Source: NVIDIA/Isaac-GR00T at N1.5, `gr00t/experiment/data_config.py` (So100DataConfig: the order
and the numbers) and torchvision's `ColorJitter`, whose definitions these are.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from chefmate_core.errors import ConfigurationError
from chefmate_policy.processing.images import crop, resize, to_pixel_values, to_unit
from chefmate_policy.processing.profile import Profile

# Weights of red, green and blue in grey: ITU-R BT.601, as torchvision has them.
GREY_WEIGHTS = (0.2989, 0.587, 0.114)


@dataclass(frozen=True)
class Jitter:
    """How far colours are changed: factors of 1 - x to 1 + x; hue by -x to x of a full turn."""

    brightness: float = 0.3
    contrast: float = 0.4
    saturation: float = 0.5
    hue: float = 0.08

    def __post_init__(self) -> None:
        for name in ('brightness', 'contrast', 'saturation'):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigurationError(
                    f'jitter: {name}: expected 0 to 1; found {getattr(self, name)}'
                )
        if not 0 <= self.hue <= 0.5:
            raise ConfigurationError(f'jitter: hue: expected 0 to 0.5; found {self.hue}')


def augment(
    frames: Tensor, profile: Profile, jitter: Jitter, generator: torch.Generator
) -> Tensor:
    """Like `preprocess`, but with a random crop and random colours, the same for all frames.

    Args:
        frames: uint8 (N, H, W, 3): all frames of a view, or of all views as Isaac-GR00T has it.
        profile: its crop fraction is that of the random crop.
        jitter: how far colours change.
        generator: on the host; its seed decides everything that is random here.

    Returns:
        Pixel values, float32 (N, 3, S, S) in -1..1.
    """
    if profile.crop_fraction is not None:
        frames = crop(frames, random_crop_box(frames, profile.crop_fraction, generator))
    unit = resize(to_unit(frames), profile)
    return to_pixel_values(jitter_colours(unit, jitter, generator), profile)


def random_crop_box(
    frames: Tensor, fraction: float, generator: torch.Generator
) -> tuple[int, int, int, int]:
    """Return top, left, height, width of a crop that lies anywhere in frames (N, H, W, 3)."""
    height, width = int(frames.shape[1] * fraction), int(frames.shape[2] * fraction)
    corner = [
        int(torch.randint(room + 1, (), generator=generator))
        for room in (frames.shape[1] - height, frames.shape[2] - width)
    ]
    return corner[0], corner[1], height, width


def jitter_colours(unit: Tensor, jitter: Jitter, generator: torch.Generator) -> Tensor:
    """Change the colours of images, float32 (N, 3, H, W) in 0..1, in random order."""

    def between(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    changes: list[tuple[Callable[[Tensor, float], Tensor], float]] = [
        (adjust_brightness, between(1 - jitter.brightness, 1 + jitter.brightness)),
        (adjust_contrast, between(1 - jitter.contrast, 1 + jitter.contrast)),
        (adjust_saturation, between(1 - jitter.saturation, 1 + jitter.saturation)),
        (adjust_hue, between(-jitter.hue, jitter.hue)),
    ]
    for index in torch.randperm(len(changes), generator=generator).tolist():
        change, amount = changes[index]
        unit = change(unit, amount)
    return unit


def adjust_brightness(unit: Tensor, factor: float) -> Tensor:
    """Multiply images, (N, 3, H, W) in 0..1; what leaves 0..1 is clipped."""
    return (unit * factor).clamp(0, 1)


def adjust_contrast(unit: Tensor, factor: float) -> Tensor:
    """Move images away from, or toward, the mean grey of each."""
    return _blend(unit, _grey(unit).mean((-3, -2, -1), keepdim=True), factor)


def adjust_saturation(unit: Tensor, factor: float) -> Tensor:
    """Move colours away from, or toward, grey."""
    return _blend(unit, _grey(unit), factor)


def adjust_hue(unit: Tensor, turn: float) -> Tensor:
    """Turn the hue by a fraction of the full circle; value and saturation stay."""
    value, least = unit.amax(-3), unit.amin(-3)  # (N, H, W)
    chroma = value - least
    red, green, blue = unit.unbind(-3)
    span = torch.where(chroma == 0, 1, chroma)
    hue = torch.where(
        value == red,
        (green - blue) / span,
        torch.where(value == green, 2 + (blue - red) / span, 4 + (red - green) / span),
    )  # sixths of a turn
    hue = hue + 6 * turn
    # Of each channel: how far the hue is from where that channel is strongest.
    offset = torch.tensor([5.0, 3.0, 1.0], device=unit.device).view(3, 1, 1)
    k = (offset + hue.unsqueeze(-3)) % 6
    lack = torch.minimum(k, 4 - k).clamp(0, 1)
    return value.unsqueeze(-3) - chroma.unsqueeze(-3) * lack


def _grey(unit: Tensor) -> Tensor:
    weights = torch.tensor(GREY_WEIGHTS, device=unit.device).view(3, 1, 1)
    return (unit * weights).sum(-3, keepdim=True)


def _blend(unit: Tensor, other: Tensor, factor: float) -> Tensor:
    return (factor * unit + (1 - factor) * other).clamp(0, 1)
