"""How a checkpoint's inputs were made when it was trained: one profile per origin, as data.

Sources: NVIDIA/Isaac-GR00T at N1.5, `gr00t/data/transform/` and `gr00t/model/transforms.py`;
huggingface/lerobot 0.4.4, `policies/groot/processor_groot.py` and the Eagle image processor there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.modality import Modality


class Mode(StrEnum):
    """How numbers are normalised."""

    MIN_MAX = 'min_max'
    MEAN_STD = 'mean_std'
    Q99 = 'q99'
    SCALE = 'scale'
    BINARY = 'binary'


class Interpolation(StrEnum):
    """Filter of the resize; both widen when they shrink an image (antialiasing)."""

    BILINEAR = 'bilinear'
    BICUBIC = 'bicubic'


class Quantisation(StrEnum):
    """How resized pixels became whole levels again."""

    TRUNCATE = 'truncate'  # downward, once, of a float image of 0 to 1
    NEAREST = 'nearest'  # after each pass of the resize, as for uint8 images


class CameraOrder(StrEnum):
    """In which order the model sees the cameras."""

    AS_CONFIGURED = 'as_configured'
    SORTED = 'sorted'  # by name


class StatisticsLayout(StrEnum):
    """What one set of statistics describes."""

    GROUPS = 'groups'  # each joint group; the vector is their concatenation, in their order
    VECTOR = 'vector'  # the whole vector, as the data set orders it


@dataclass(frozen=True)
class Profile:
    """Everything that differs between origins. Pixels are normalised to -1..1 in all of them."""

    name: str
    crop_fraction: float | None  # of height and width, kept in the centre; None: no crop
    interpolation: Interpolation
    quantisation: Quantisation
    camera_order: CameraOrder
    statistics: StatisticsLayout
    text_as_list: bool  # the prompt says "['pick up']" instead of "pick up"
    image_size: int = 224  # pixels, both ways: the aspect is not kept
    clean_text: bool = False  # lower case, no punctuation
    state_mode: Mode = Mode.MIN_MAX
    action_mode: Mode = Mode.MIN_MAX
    # Joint groups with a mode of their own: 'state.gripper' or 'action.gripper' -> mode.
    group_modes: Mapping[str, Mode] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.crop_fraction is not None and not 0 < self.crop_fraction <= 1:
            raise ConfigurationError(
                f'profile {self.name!r}: crop_fraction: expected above 0, up to 1, or None; '
                f'found {self.crop_fraction}'
            )
        if self.image_size < 1:
            raise ConfigurationError(
                f'profile {self.name!r}: image_size: expected 1 or more; found {self.image_size}'
            )
        for key in self.group_modes:
            if not key.startswith(('state.', 'action.')):
                raise ConfigurationError(
                    f'profile {self.name!r}: group_modes: expected state.<group> or '
                    f'action.<group>; found {key!r}'
                )

    def cameras(self, modality: Modality) -> tuple[str, ...]:
        """Return the cameras in the order in which the model sees them."""
        if self.camera_order is CameraOrder.SORTED:
            return tuple(sorted(modality.cameras))
        return modality.cameras

    def mode(self, part: str, group: str) -> Mode:
        """Return how a joint group of `part`, 'state' or 'action', is normalised."""
        default = self.state_mode if part == 'state' else self.action_mode
        return self.group_modes.get(f'{part}.{group}', default)

    def text(self, instruction: str) -> str:
        """Return an instruction as it stands in the prompt."""
        if self.clean_text:
            instruction = re.sub(r'[^\w\s]', '', instruction.lower())
        return str([instruction]) if self.text_as_list else instruction


ISAAC = Profile(
    name='isaac',
    crop_fraction=0.95,
    interpolation=Interpolation.BILINEAR,
    quantisation=Quantisation.TRUNCATE,
    camera_order=CameraOrder.AS_CONFIGURED,
    statistics=StatisticsLayout.GROUPS,
    text_as_list=False,
)
# No resize of its own: Eagle's image processor does it, which is bicubic.
LEROBOT = Profile(
    name='lerobot',
    crop_fraction=None,
    interpolation=Interpolation.BICUBIC,
    quantisation=Quantisation.NEAREST,
    camera_order=CameraOrder.SORTED,
    statistics=StatisticsLayout.VECTOR,
    text_as_list=True,
)
PROFILES: Mapping[str, Profile] = {profile.name: profile for profile in (ISAAC, LEROBOT)}


def find_profile(name: str) -> Profile:
    """Return a preset by name.

    Raises:
        ConfigurationError: no profile has that name; the message lists those that exist.
    """
    if name not in PROFILES:
        raise ConfigurationError(f'unknown profile {name!r}; there are: {", ".join(PROFILES)}')
    return PROFILES[name]
