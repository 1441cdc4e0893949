"""A model as a folder in either published layout."""

import shutil
from dataclasses import replace
from pathlib import Path

import torch

from chefmate_policy.checkpoint import isaac, lerobot
from chefmate_policy.checkpoint.checkpoint import PROFILE, Checkpoint
from chefmate_policy.checkpoint.errors import CheckpointError
from chefmate_policy.checkpoint.grouping import by_groups, by_vector
from chefmate_policy.checkpoint.jsonfile import write_json
from chefmate_policy.checkpoint.layout import CONFIG, Layout
from chefmate_policy.checkpoint.loading import check, shapes
from chefmate_policy.checkpoint.sizes import skeleton
from chefmate_policy.checkpoint.tensors import TensorSource
from chefmate_policy.checkpoint.writing import SHARD_BYTES, new_folder, write_weights
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.processing.statistics import WHOLE

TOKENIZER_FILES = (
    'tokenizer.json', 'tokenizer_config.json', 'vocab.json', 'merges.txt', 'added_tokens.json',
    'special_tokens_map.json', 'chat_template.json', 'chat_template.jinja',
)  # fmt: skip


def save_checkpoint(
    folder: Path,
    checkpoint: Checkpoint,
    source: TensorSource,
    layout: Layout | str,
    *,
    shard_bytes: int = SHARD_BYTES,
    overwrite: bool = False,
) -> None:
    """Write a whole checkpoint; readers see all of it or nothing.

    Args:
        folder: to make.
        checkpoint: what goes beside the weights: config, statistics, modality, embodiment.
        source: the weights, bit for bit as given: `ModelTensors(model.state_dict())`, or the
            `TensorFiles` of another checkpoint (its prefix is taken off and put on).
        layout: `isaac` or `lerobot`.
        shard_bytes: of one file; LeRobot's is always one.
        overwrite: an existing folder is replaced in the end.

    Raises:
        CheckpointError: tensors are missing or too many, or the folder exists or cannot be made.
    """
    if layout not in (Layout.ISAAC, Layout.LEROBOT):
        raise CheckpointError(f'layout: expected isaac or lerobot; found {layout!r}')
    check(source, shapes(skeleton(checkpoint.config, 'config')), f'what is saved to {folder}')
    config = _config(checkpoint, layout)
    with new_folder(folder, overwrite) as work:
        if layout == Layout.ISAAC:
            write_json(work / CONFIG, config.to_dict())
            statistics = by_groups(checkpoint.statistics, checkpoint.modality)
            isaac.write_metadata(
                work,
                isaac.metadata_of(checkpoint.embodiment.tag, checkpoint.modality, statistics),
            )
            write_weights(work, source, shard_bytes=shard_bytes)
        else:
            lerobot.write_files(
                work,
                config,
                checkpoint.modality,
                _flat(checkpoint),
                checkpoint.embodiment.tag,
            )
            write_weights(work, source, prefix=lerobot.PREFIX, shard_bytes=None)
        for name in TOKENIZER_FILES:
            for there in reversed(checkpoint.tokenizer_folders):
                if (there / name).is_file():
                    shutil.copyfile(there / name, work / name)


def _flat(checkpoint: Checkpoint) -> dict[str, torch.Tensor]:
    """Statistics as LeRobot stores them: 'action.min' -> (D,), the data set's order."""
    vectors = by_vector(checkpoint.statistics, checkpoint.modality)
    return {
        f'{vector}.{name}': torch.from_numpy(values.copy())
        for vector, part in ((lerobot.STATE, 'state'), (lerobot.ACTION, 'action'))
        for name, values in vectors.of(part, WHOLE).values.items()
    }


def _config(checkpoint: Checkpoint, layout: Layout | str) -> GrootConfig:
    """The config that is written: it says how inputs are made where the layout would not."""
    extra = {key: value for key, value in checkpoint.config.extra.items() if key != PROFILE}
    if checkpoint.profile != layout:
        extra[PROFILE] = checkpoint.profile
    return replace(checkpoint.config, extra=extra)
