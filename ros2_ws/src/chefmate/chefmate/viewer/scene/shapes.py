"""Triangle meshes of simple shapes, and how several become one."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from chefmate_core.geometry import rotation_matrix
from chefmate_description.shapes import OrientedBox, Vector

# Corners of a box of edge 1 by their signs, and its faces with the outside on the right hand.
_BOX_CORNERS = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
_BOX_FACES = np.array([
    [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
    [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3],
])  # fmt: skip


@dataclass(frozen=True)
class Mesh:
    """Triangles: vertices in metres, shape (V, 3), and their indices by face, shape (F, 3)."""

    vertices_m: np.ndarray
    faces: np.ndarray

    def moved(self, position_m: Vector | np.ndarray) -> 'Mesh':
        """Return the mesh at another place."""
        return Mesh(self.vertices_m + np.asarray(position_m), self.faces)


def joined(meshes: Iterable[Mesh]) -> Mesh:
    """Return several meshes as one."""
    meshes = list(meshes)
    starts = np.cumsum([0] + [len(mesh.vertices_m) for mesh in meshes[:-1]])
    return Mesh(
        np.concatenate([mesh.vertices_m for mesh in meshes]),
        np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)]),
    )


def box(part: OrientedBox) -> Mesh:
    """Return a box where its description puts it."""
    turn = rotation_matrix(part.quaternion_wxyz)
    vertices = (_BOX_CORNERS * np.array(part.size_m)) @ turn.T + np.array(part.centre_m)
    return Mesh(vertices, _BOX_FACES)


def prism(outline_m: np.ndarray, height_m: float) -> Mesh:
    """Return a convex outline, shape (n, 2), counter-clockwise, drawn out along z about 0."""
    count = len(outline_m)
    bottom = np.column_stack([outline_m, np.full(count, -height_m / 2)])
    top = np.column_stack([outline_m, np.full(count, height_m / 2)])
    here, fan = np.arange(count), np.arange(1, count - 1)
    after = (here + 1) % count
    first = np.zeros_like(fan)
    return Mesh(
        np.concatenate([bottom, top]),
        np.concatenate([
            np.column_stack([here, after, after + count]),
            np.column_stack([here, after + count, here + count]),
            np.column_stack([first, fan + 1, fan]),
            np.column_stack([first + count, fan + count, fan + 1 + count]),
        ]),
    )  # fmt: skip


def circle(radius_m: float, corners: int = 40) -> np.ndarray:
    """Return an outline, shape (corners, 2)."""
    angle = np.arange(corners) * (2 * math.pi / corners)
    return radius_m * np.column_stack([np.cos(angle), np.sin(angle)])


def rounded_square(width_m: float, corner_radius_m: float, steps: int = 5) -> np.ndarray:
    """Return an outline with round corners, shape (4 (steps + 1), 2)."""
    inner = width_m / 2 - corner_radius_m
    quarter = np.arange(steps + 1) * (math.pi / 2 / steps)
    corners = []
    for index, (x, y) in enumerate(((inner, inner), (-inner, inner), (-inner, -inner),
                                    (inner, -inner))):  # fmt: skip
        angle = quarter + index * math.pi / 2
        corners.append(
            np.column_stack([
                x + corner_radius_m * np.cos(angle), y + corner_radius_m * np.sin(angle),
            ])
        )  # fmt: skip
    return np.concatenate(corners)
