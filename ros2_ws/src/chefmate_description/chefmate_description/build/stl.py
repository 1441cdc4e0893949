"""Binary STL files in and out, as indexed triangles."""

from pathlib import Path

import numpy as np

from chefmate_description.build import BuildError

_HEADER_BYTES = 80
_FACE = np.dtype([('normal', '<f4', 3), ('corners', '<f4', (3, 3)), ('attribute', '<u2')])
MERGE_DISTANCE_M = 1e-6  # the CAD export repeats each corner in every face


def read_stl(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices, float32 (V, 3), merged within a micrometre, and faces, uint32 (F, 3)."""
    raw = path.read_bytes()
    count = int.from_bytes(raw[_HEADER_BYTES : _HEADER_BYTES + 4], 'little')
    expected = _HEADER_BYTES + 4 + count * _FACE.itemsize
    if len(raw) != expected:
        raise BuildError(
            f'{path} is no binary STL: {count} faces need {expected} bytes, found {len(raw)}'
        )
    corners = np.frombuffer(raw, _FACE, count, _HEADER_BYTES + 4)['corners'].reshape(-1, 3)
    grid = np.round(corners.astype(np.float64) / MERGE_DISTANCE_M).astype(np.int64)
    cells, index = np.unique(grid, axis=0, return_inverse=True)
    vertices = (cells * MERGE_DISTANCE_M).astype(np.float32)
    return vertices, index.reshape(-1, 3).astype(np.uint32)


def write_stl(path: Path, vertices: np.ndarray, faces: np.ndarray) -> None:
    """Write vertices (V, 3) in metres and faces (F, 3), with the faces' normals."""
    corners = vertices[faces].astype(np.float32)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    table = np.zeros(len(faces), _FACE)
    table['corners'] = corners
    table['normal'] = np.divide(normals, lengths, out=np.zeros_like(normals), where=lengths > 0)
    header = b'ChefMate: decimated SO-101 part'.ljust(_HEADER_BYTES)
    path.write_bytes(header + len(faces).to_bytes(4, 'little') + table.tobytes())
