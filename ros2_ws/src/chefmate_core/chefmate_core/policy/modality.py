"""What a vision-language-action model sees and says: cameras, joint groups, horizon.

The names are those of the data set that it was trained on (GR00T's `meta/modality.json`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chefmate_core.errors import PolicyError
from chefmate_core.policy.protocol import HORIZON, PERIOD_S

INSTRUCTION_KEY = 'annotation.human.task_description'


@dataclass(frozen=True)
class JointGroup:
    """A named slice of the state's or the action's vector: elements `start` to `stop` - 1."""

    name: str
    start: int
    stop: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise PolicyError(
                f'joint group {self.name!r}: expected 0 <= start < stop; '
                f'found {self.start}, {self.stop}'
            )

    @property
    def columns(self) -> slice:
        """Where the group stands in the vector."""
        return slice(self.start, self.stop)


SO101_GROUPS = (JointGroup('single_arm', 0, 5), JointGroup('gripper', 5, 6))


@dataclass(frozen=True)
class Modality:
    """The inputs and outputs of one model, for one embodiment."""

    cameras: tuple[str, ...]  # in the order in which the model sees them
    state: tuple[JointGroup, ...] = SO101_GROUPS
    action: tuple[JointGroup, ...] = SO101_GROUPS
    instruction_key: str = INSTRUCTION_KEY
    horizon: int = HORIZON
    period_s: float = PERIOD_S  # of one row of the action: the data set's frame period

    def __post_init__(self) -> None:
        if not 1e-3 <= self.period_s <= 10.0:  # False for NaN
            raise PolicyError(f'modality: period_s: expected 0.001 to 10 s; found {self.period_s}')

    @property
    def state_size(self) -> int:
        """Length of the state's vector."""
        return max(group.stop for group in self.state)

    @property
    def action_size(self) -> int:
        """Length of one row of the action."""
        return max(group.stop for group in self.action)

    def to_dict(self) -> dict[str, Any]:
        """Return it as GR00T servers answer `get_modality_config`: keys with their prefix."""

        def part(keys: list[str], deltas: list[int]) -> dict[str, Any]:
            return {'delta_indices': deltas, 'modality_keys': keys}

        return {
            'video': part([f'video.{name}' for name in self.cameras], [0]),
            'state': part([f'state.{group.name}' for group in self.state], [0]),
            'action': part(
                [f'action.{group.name}' for group in self.action], list(range(self.horizon))
            ),
            'language': part([self.instruction_key], [0]),
        }


def groups_from(table: Mapping[str, Mapping[str, int]]) -> tuple[JointGroup, ...]:
    """Return joint groups from a table of `meta/modality.json`: name -> {start, end}.

    Raises:
        PolicyError: a start or an end is missing, or a group is empty.
    """
    try:
        return tuple(
            JointGroup(name, int(entry['start']), int(entry['end']))
            for name, entry in table.items()
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PolicyError(
            f'modality: expected name -> {{start, end}}; found {dict(table)}'
        ) from error
