"""GR00T's `meta/modality.json`: which columns are cameras, joint groups and instructions.

Source: NVIDIA/Isaac-GR00T (N1.5), `getting_started/LeRobot_compatible_data_schema.md` and
`examples/SO-100/so100_dualcam__modality.json`.
"""

from typing import Any

from chefmate_core.dataset.errors import DatasetRequestError
from chefmate_core.dataset.features import ACTION, CAMERA_PREFIX, STATE, Feature
from chefmate_core.dataset.model import Dataset
from chefmate_core.joints import JOINT_COUNT
from chefmate_core.policy.modality import SO101_GROUPS

ANNOTATION = 'human.task_description'


def modality_of(dataset: Dataset) -> dict[str, Any]:
    """Return the data set's own modality file, or one made from its columns.

    Raises:
        DatasetRequestError: there is no state or action to describe.
    """
    if dataset.modality is not None:
        return dict(dataset.modality)
    missing = [key for key in (STATE, ACTION) if key not in dataset.features]
    if missing:
        raise DatasetRequestError(
            f'GR00T needs the columns {STATE} and {ACTION}; missing: {", ".join(missing)}. '
            f'Found: {", ".join(dataset.features)}'
        )
    return {
        'state': _groups(dataset.features[STATE]),
        'action': _groups(dataset.features[ACTION]),
        'video': {
            key.removeprefix(CAMERA_PREFIX): {'original_key': key} for key in dataset.video_keys
        },
        'annotation': {ANNOTATION: {'original_key': 'task_index'}},
    }


def _groups(feature: Feature) -> dict[str, dict[str, int]]:
    if feature.size == JOINT_COUNT:
        return {group.name: {'start': group.start, 'end': group.stop} for group in SO101_GROUPS}
    return {'joints': {'start': 0, 'end': feature.size}}
