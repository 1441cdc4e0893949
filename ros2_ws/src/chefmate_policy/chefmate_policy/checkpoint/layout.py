"""Which published layout a folder has: detected from what is in it, never asked."""

from enum import StrEnum
from pathlib import Path
from typing import Any

from chefmate_policy.checkpoint.errors import CheckpointError
from chefmate_policy.checkpoint.jsonfile import read_json

CONFIG = 'config.json'
ADAPTER_CONFIG = 'adapter_config.json'
ISAAC_MODEL_TYPE = 'gr00t_n1_5'
LEROBOT_TYPE = 'groot'
WHAT_N15_IS = (
    f"expected GR00T N1.5: model_type '{ISAAC_MODEL_TYPE}' (Isaac-GR00T) or type "
    f"'{LEROBOT_TYPE}' (LeRobot up to 0.5.1)"
)


class Layout(StrEnum):
    """Who wrote the files."""

    ISAAC = 'isaac'
    LEROBOT = 'lerobot'
    ADAPTER = 'adapter'  # a PEFT adapter: it needs the model that it was trained on


def find_folder(path: Path) -> Path:
    """Return the folder that holds the checkpoint: `path`, or where trainers put it below.

    LeRobot's trainer writes `checkpoints/<step>/pretrained_model` and `checkpoints/last`.

    Raises:
        CheckpointError: there is none; where there are several, the message lists them.
    """
    if not path.is_dir():
        found = 'a file' if path.exists() else 'nothing'
        raise CheckpointError(f'{path}: expected the folder of a checkpoint; found {found}')
    below = Path('pretrained_model')
    for folder in (path, path / below, path / 'last' / below, path / 'checkpoints/last' / below):
        if (folder / CONFIG).is_file() or (folder / ADAPTER_CONFIG).is_file():
            return folder
    inside = sorted(
        entry.parent.relative_to(path)
        for pattern in (CONFIG, ADAPTER_CONFIG)
        for depth in ('*', '*/*', '*/*/*')
        for entry in path.glob(f'{depth}/{pattern}')
        if entry.parent.name != 'experiment_cfg'
    )
    if inside:
        raise CheckpointError(
            f'{path}: no {CONFIG} here, but checkpoints below. '
            f'Next: name one of {", ".join(str(entry) for entry in inside)}'
        )
    there = ', '.join(sorted(entry.name for entry in path.iterdir())[:12])
    raise CheckpointError(
        f'{path}: expected {CONFIG} (a model) or {ADAPTER_CONFIG} (an adapter); '
        f'found {there or "an empty folder"}'
    )


def detect(folder: Path) -> Layout:
    """Return the layout of a checkpoint's folder.

    Raises:
        CheckpointError: it is no GR00T N1.5.
    """
    # Isaac-GR00T's trainer may leave a config.json beside an adapter; weights decide.
    if (folder / ADAPTER_CONFIG).is_file() and not any(folder.glob('model*.safetensors')):
        return Layout.ADAPTER
    config = read_json(folder / CONFIG)
    if config.get('type') == LEROBOT_TYPE:
        _refuse_later_versions(folder / CONFIG, config)
        return Layout.LEROBOT
    if config.get('model_type') == ISAAC_MODEL_TYPE:
        return Layout.ISAAC
    names = {
        key: config[key] for key in ('type', 'model_type', 'architectures') if config.get(key)
    }
    raise CheckpointError(f'{folder / CONFIG}: {WHAT_N15_IS}; found {names or "neither"}')


def _refuse_later_versions(path: Path, config: dict[str, Any]) -> None:
    """LeRobot kept the type's name when it went over to N1.7."""
    version = str(config.get('model_version', 'n1.5')).lower()
    if version not in ('n1.5', 'n1_5', 'n15', '1.5'):
        raise CheckpointError(f'{path}: {WHAT_N15_IS}; found model_version {version!r}')
