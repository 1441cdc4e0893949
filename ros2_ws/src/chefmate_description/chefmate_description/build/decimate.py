"""Reduces the CAD meshes to what software rendering can draw: 398,884 faces become about 7,400.

The tessellation is all slivers, at which quadric tools with a flip test give up; meshoptimizer's
does not. At these targets front and wrist views look the same as the original (screw holes go).
"""

from collections.abc import Mapping
from types import ModuleType

import numpy as np

from chefmate_description.build import BuildError

# Faces per file. The motor sts3215_03a_v1 is drawn five times.
TARGET_FACES: Mapping[str, int] = {
    'base_so101_v2': 900,
    'wrist_roll_follower_so101_v1': 800,
    'moving_jaw_so101_v1': 600,
    'rotation_pitch_so101_v1': 600,
    'upper_arm_so101_v1': 500,
    'under_arm_so101_v1': 500,
    'wrist_roll_pitch_so101_v2': 500,
    'base_motor_holder_so101_v1': 400,
    'motor_holder_so101_base_v1': 350,
    'motor_holder_so101_wrist_v1': 350,
    'sts3215_03a_v1': 300,
    'sts3215_03a_no_horn_v1': 300,
    'waveshare_mounting_plate_so101_v2': 200,
}
PIP_COMMAND = 'python -m pip install meshoptimizer==0.2.30a0'
# How far beyond its target a part may stay before we call the tool stalled.
TOLERANCE = 1.10


def find_meshoptimizer() -> ModuleType:
    """Return the module; raise BuildError with the pip command if it is not installed."""
    try:
        import meshoptimizer
    except ImportError:
        raise BuildError(
            'the Python package meshoptimizer, which decimates the meshes, is not installed. '
            f'Install it and build again:\n  {PIP_COMMAND}'
        ) from None
    return meshoptimizer


def simplified(
    name: str, vertices: np.ndarray, faces: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the part `name` with its target number of faces: vertices (V, 3), faces (F, 3)."""
    meshoptimizer = find_meshoptimizer()
    target = TARGET_FACES[name]
    indices = np.ascontiguousarray(faces.reshape(-1), dtype=np.uint32)
    kept = np.zeros_like(indices)
    # target_error is relative to the part's size: 1 means that the count alone decides.
    count = meshoptimizer.simplify(
        kept, indices, vertices, target_index_count=3 * target, target_error=1.0
    )
    if not 0 < count <= 3 * target * TOLERANCE:
        raise BuildError(
            f'{name}: asked for {target} faces, meshoptimizer left {count // 3}; '
            f'use version 0.2.30a0 ({PIP_COMMAND})'
        )
    used, compact = np.unique(kept[:count], return_inverse=True)
    return vertices[used], compact.reshape(-1, 3).astype(np.uint32)
