"""Textures, drawn from random numbers: wood and tiles."""

import numpy as np

from chefmate_description.shapes import Colour


def wood(rng: np.random.Generator, colour: Colour, size: int = 512) -> np.ndarray:
    """Return boards with grain along the image's columns, uint8 (size, size, 3)."""
    boards = 4
    board_width = size // boards
    image = np.empty((size, size, 3))
    rows = np.linspace(0, 1, size, endpoint=False)[:, None]
    for board in range(boards):
        across = np.linspace(0, 1, board_width, endpoint=False)[None, :]
        # Rings cut along the trunk: lines that wander slowly, all alike within one board.
        wander = sum(
            rng.uniform(0.02, 0.06) / k * np.sin(2 * np.pi * (k * rows + rng.uniform()))
            for k in (1, 2, 3)
        )
        rings = np.sin(2 * np.pi * rng.uniform(5, 9) * (across + wander))
        fibres = (
            rng.normal(size=(1, board_width)) * 0.5 + rng.normal(size=(size, board_width)) * 0.15
        )
        tone = 1 + rng.uniform(-0.08, 0.08) + 0.06 * rings + 0.03 * fibres
        tone[:, :2] *= 0.72  # the joint between two boards
        part = slice(board * board_width, (board + 1) * board_width)
        image[:, part] = tone[:, :, None] * np.array(colour)
    return _as_image(image)


def tiles(rng: np.random.Generator, size: int = 128) -> np.ndarray:
    """Return one glazed tile with its grout, uint8 (size, size, 3)."""
    tint = np.array([0.86, 0.90, 0.89]) + rng.uniform(-0.04, 0.04, 3)
    image = np.ones((size, size, 3)) * tint
    image += rng.normal(scale=0.006, size=(size, size, 1))
    grout = max(size // 32, 1)
    image[:grout] = image[:, :grout] = 0.72
    return _as_image(image)


def _as_image(image: np.ndarray) -> np.ndarray:
    return (np.clip(image, 0, 1) * 255).astype(np.uint8)
