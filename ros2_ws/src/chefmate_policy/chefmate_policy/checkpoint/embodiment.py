"""Embodiment tags, and the slots of the category-specific weights that they stand for.

Source: Isaac-GR00T n1.5, gr00t/data/embodiment_tags.py; LeRobot 0.4, GrootPackInputsStep.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from chefmate_policy.checkpoint.errors import EmbodimentError

SLOTS: Mapping[str, int] = {
    'new_embodiment': 31,
    'agibot_genie1': 26,
    'gr1': 24,
    'oxe_droid': 17,
    'unitree_g1': 3,  # LeRobot only
    'so100': 2,  # LeRobot only
}


@dataclass(frozen=True)
class Embodiment:
    """A tag, its slot, and, where nobody asked for it, why it was chosen."""

    tag: str
    slot: int
    why: str = ''


def choose_embodiment(
    asked: str | None,
    with_statistics: Collection[str],
    where: str,
    slots: Mapping[str, int] = SLOTS,
) -> Embodiment:
    """Return the embodiment to run.

    Args:
        asked: the tag that somebody named; None: the only one with statistics.
        with_statistics: the tags that the checkpoint has statistics for.
        where: the file that holds them, for messages.
        slots: tag -> slot.

    Raises:
        EmbodimentError: the tag is unknown or has no statistics, or there is no single choice.
    """
    usable = [tag for tag in with_statistics if tag in slots]
    if asked is not None and asked not in slots:
        raise EmbodimentError(
            f'unknown embodiment {asked!r}. {_choices(usable, with_statistics, where, slots)}'
        )
    if asked is not None and asked not in usable:
        raise EmbodimentError(
            f'no statistics for embodiment {asked!r}. '
            f'{_choices(usable, with_statistics, where, slots)}'
        )
    if asked is not None:
        return Embodiment(asked, slots[asked])
    if len(usable) == 1:
        return Embodiment(
            usable[0], slots[usable[0]], f'embodiment {usable[0]}: the only one with statistics'
        )
    problem = 'which embodiment?' if usable else 'no known embodiment has statistics.'
    raise EmbodimentError(f'{problem} {_choices(usable, with_statistics, where, slots)}')


def _choices(
    usable: list[str], with_statistics: Collection[str], where: str, slots: Mapping[str, int]
) -> str:
    known = ', '.join(f'{tag} (slot {slot})' for tag, slot in slots.items())
    foreign = [tag for tag in with_statistics if tag not in slots]
    return (
        f'The model knows {known}. {where} has statistics for '
        f'{", ".join(usable) or "none of them"}'
        + (f' and, which no slot belongs to, {", ".join(foreign)}' if foreign else '')
        + '. Next: '
        + (f'name one: embodiment {usable[0]!r}' if usable else 'use a fine-tuned checkpoint')
    )
