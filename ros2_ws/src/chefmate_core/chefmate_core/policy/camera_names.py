"""Which of our cameras is which of the model's: data sets have names of their own for them."""

from collections.abc import Collection, Mapping, Sequence

from chefmate_core.errors import ConfigurationError

# What public SO-101 data sets call the two views; ours are `scene` and `wrist`.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    'scene': ('front', 'webcam', 'top', 'overhead', 'context'),
    'wrist': ('hand', 'gripper', 'wrist_cam'),
}


def match_cameras(
    wanted: Sequence[str], available: Collection[str], explicit: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return {the model's camera: ours} in the model's order.

    What `explicit` says wins, then an equal name, then a well-known synonym. No camera of ours
    stands for two of the model's.

    Raises:
        ConfigurationError: a camera has no counterpart; the message lists both sides.
    """
    explicit = dict(explicit or {})
    unknown = [name for name in explicit if name not in wanted]
    missing = [ours for ours in explicit.values() if ours not in available]
    if unknown or missing:
        raise ConfigurationError(
            f'option cameras: {", ".join(unknown + missing)}: no such camera. '
            f'{_sides(wanted, available)}'
        )
    matches = {name: explicit.get(name) or _counterpart(name, available) for name in wanted}
    lonely = [name for name, ours in matches.items() if ours is None]
    found = {name: ours for name, ours in matches.items() if ours is not None}
    if lonely or len(set(found.values())) < len(found):
        problem = (
            f'nothing stands for {", ".join(lonely)}'
            if lonely
            else f'one camera stands for two: {found}'
        )
        raise ConfigurationError(
            f'cameras: {problem}. {_sides(wanted, available)}. Set the option cameras, as in '
            f'{{"cameras": {{"{wanted[0]}": "{next(iter(available), "scene")}"}}}}'
        )
    return found


def _counterpart(name: str, available: Collection[str]) -> str | None:
    short = name.rsplit('.', 1)[-1]  # LeRobot: observation.images.front
    for candidate in (name, short):
        if candidate in available:
            return candidate
    return next(
        (ours for ours, names in SYNONYMS.items() if short in names and ours in available), None
    )


def _sides(wanted: Sequence[str], available: Collection[str]) -> str:
    return (
        f"The model's cameras: {', '.join(wanted) or 'none'}; "
        f'ours: {", ".join(available) or "none"}'
    )
