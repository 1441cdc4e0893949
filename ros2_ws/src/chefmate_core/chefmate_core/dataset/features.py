"""The columns of a data set: names, types, shapes, and the names of their elements."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from chefmate_core.dataset.errors import DatasetError
from chefmate_core.joints import JOINT_NAMES

STATE = 'observation.state'
ACTION = 'action'
CAMERA_PREFIX = 'observation.images.'
GROOT_ANNOTATION_PREFIX = 'annotation.'

# Source: huggingface/lerobot, `datasets/utils.py`, DEFAULT_FEATURES (the same in 0.3 and 0.4).
DEFAULTS = {
    'timestamp': 'float32',
    'frame_index': 'int64',
    'episode_index': 'int64',
    'index': 'int64',
    'task_index': 'int64',
}
_KNOWN_FIELDS = ('dtype', 'shape', 'names')


@dataclass(frozen=True)
class Feature:
    """One column, or the camera whose images are in videos."""

    dtype: str  # a numpy type, `string`, `image` or `video`
    shape: tuple[int, ...]
    names: Any = None  # of the elements: a list, or a table of lists
    extra: Mapping[str, Any] = field(default_factory=dict)  # what else the file says, such as info

    @property
    def is_video(self) -> bool:
        """Whether its images are in video files."""
        return self.dtype == 'video'

    @property
    def is_numeric(self) -> bool:
        """Whether statistics of its values make sense."""
        return self.dtype not in ('video', 'image', 'string')

    @property
    def size(self) -> int:
        """How many numbers one row holds."""
        size = 1
        for length in self.shape:
            size *= length
        return size

    def arrow_type(self) -> pa.DataType:
        """Return the type of the column in parquet files."""
        value = pa.string() if self.dtype == 'string' else pa.from_numpy_dtype(self.dtype)
        if self.shape == (1,):
            return value
        for length in reversed(self.shape):
            value = pa.list_(value, length)
        return value

    def to_dict(self) -> dict[str, Any]:
        """Return what `info.json` says of it."""
        return {
            'dtype': self.dtype,
            'shape': list(self.shape),
            'names': self.names,
            **self.extra,
        }

    @classmethod
    def from_dict(cls, content: Any, where: str) -> 'Feature':
        """Build from `info.json`.

        Raises:
            DatasetError: type or shape is missing or wrong.
        """
        try:
            dtype, shape = content['dtype'], tuple(content['shape'])
            if not isinstance(dtype, str) or not all(
                type(length) is int and length >= 0 for length in shape
            ):
                raise TypeError
        except (KeyError, TypeError):
            raise DatasetError(
                f'{where}: found {content!r}; expected an object with dtype (text), shape (whole '
                f'numbers) and names'
            ) from None
        extra = {key: value for key, value in content.items() if key not in _KNOWN_FIELDS}
        return cls(dtype, shape, content.get('names'), extra)


Features = Mapping[str, Feature]


def default_features() -> dict[str, Feature]:
    """Return the columns that every data set has."""
    return {name: Feature(dtype, (1,)) for name, dtype in DEFAULTS.items()}


def arm_features(cameras: Mapping[str, tuple[int, int]]) -> dict[str, Feature]:
    """Return the columns of a recording of the arm; `cameras`: name -> (height, width).

    Names of the joints as LeRobot's robots spell them: `shoulder_pan.pos`.
    """
    joints = [f'{name}.pos' for name in JOINT_NAMES]
    features = {
        ACTION: Feature('float32', (len(joints),), list(joints)),
        STATE: Feature('float32', (len(joints),), list(joints)),
    }
    for name, (height, width) in cameras.items():
        features[f'{CAMERA_PREFIX}{name}'] = Feature(
            'video', (height, width, 3), ['height', 'width', 'channels']
        )
    return features | default_features()


def video_keys(features: Features) -> tuple[str, ...]:
    """Return the cameras whose images are in videos."""
    return tuple(key for key, feature in features.items() if feature.is_video)


def camera_keys(features: Features) -> tuple[str, ...]:
    """Return all cameras, whether their images are in videos or in the parquet files."""
    return tuple(key for key, feature in features.items() if feature.dtype in ('video', 'image'))


def image_size(feature: Feature) -> tuple[int, int]:
    """Return (height, width) of a camera, whether its shape begins or ends with the channels.

    Raises:
        DatasetError: the shape is not one of an image.
    """
    if len(feature.shape) != 3:
        raise DatasetError(f'an image has the shape {feature.shape}; expected three numbers')
    names = [str(name) for name in feature.names] if isinstance(feature.names, list) else []
    first = names[0] in ('channel', 'channels') if names else feature.shape[2] not in (1, 3, 4)
    height, width = feature.shape[1:] if first else feature.shape[:2]
    return height, width


def task_columns(features: Features) -> tuple[str, ...]:
    """Return the columns whose numbers name a row of the table of tasks.

    GR00T's annotation columns do, besides `task_index`.
    """
    return tuple(
        key
        for key, feature in features.items()
        if key == 'task_index'
        or (key.startswith(GROOT_ANNOTATION_PREFIX) and feature.dtype.startswith('int'))
    )


def with_video_info(feature: Feature, info: Mapping[str, Any]) -> Feature:
    """Return the feature with what `info` says of its videos."""
    return replace(feature, extra={**feature.extra, 'info': dict(info)})


def common_differences(left: Features, right: Features) -> list[str]:
    """Return what keeps two data sets from being one: columns, types, shapes, element names."""
    found = [f'{key}: only in one of them' for key in sorted(set(left) ^ set(right))]
    for key in left:
        if key in right:
            for part in ('dtype', 'shape', 'names'):
                one, other = getattr(left[key], part), getattr(right[key], part)
                if one != other:
                    found.append(f'{key}: {part} {one} and {other}')
    return found
