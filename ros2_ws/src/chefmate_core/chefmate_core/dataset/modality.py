"""GR00T's `meta/modality.json`: which columns are cameras, joint groups and instructions.

Source: NVIDIA/Isaac-GR00T (N1.5), `getting_started/LeRobot_compatible_data_schema.md` and
`examples/SO-100/so100_dualcam__modality.json`.
"""

from dataclasses import replace
from typing import Any

from chefmate_core.dataset.errors import DatasetRequestError
from chefmate_core.dataset.features import ACTION, CAMERA_PREFIX, STATE, Feature, image_size
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


def images_as_videos(dataset: Dataset) -> Dataset:
    """Return the data set as if images in rows were in videos, which is all that GR00T reads.

    A modality file of its own gets the cameras that it does not name yet.

    Raises:
        DatasetRequestError: H.264 cannot hold images of that size.
    """
    cameras = [key for key, feature in dataset.features.items() if feature.dtype == 'image']
    if not cameras:
        return dataset
    features = dict(dataset.features)
    for key in cameras:
        height, width = image_size(features[key])
        if height % 2 or width % 2:
            raise DatasetRequestError(
                f'{key}: GR00T reads videos only, and H.264 needs an even height and width; these '
                f'images are {width}x{height}'
            )
        features[key] = Feature('video', (height, width, 3), ['height', 'width', 'channels'])
    modality = dataset.modality
    if modality is not None:
        video = dict(modality.get('video') or {})
        named = {(entry or {}).get('original_key') or name for name, entry in video.items()}
        for key in cameras:
            if key not in named:
                video[key.removeprefix(CAMERA_PREFIX)] = {'original_key': key}
        modality = {**modality, 'video': video}
    return replace(dataset, features=features, modality=modality)


def _groups(feature: Feature) -> dict[str, dict[str, int]]:
    if feature.size == JOINT_COUNT:
        return {group.name: {'start': group.start, 'end': group.stop} for group in SO101_GROUPS}
    return {'joints': {'start': 0, 'end': feature.size}}
