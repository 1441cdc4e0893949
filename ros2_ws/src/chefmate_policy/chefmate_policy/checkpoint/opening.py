"""From a folder to a `Checkpoint`: layout, embodiment, statistics, modality, sizes."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.modality import JointGroup, Modality
from chefmate_policy.checkpoint import isaac, lerobot
from chefmate_policy.checkpoint.adapter import AdaptedWeights
from chefmate_policy.checkpoint.checkpoint import BYTE_TOKENS, PROFILE, Checkpoint
from chefmate_policy.checkpoint.embodiment import Embodiment, choose_embodiment
from chefmate_policy.checkpoint.errors import CheckpointError
from chefmate_policy.checkpoint.grouping import by_groups, by_vector
from chefmate_policy.checkpoint.layout import CONFIG, Layout, detect, find_folder
from chefmate_policy.checkpoint.sizes import read_sizes
from chefmate_policy.checkpoint.tensors import TensorFiles
from chefmate_policy.checkpoint.weights import FileWeights, Weights
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.processing.statistics import (
    DatasetStatistics,
    Statistics,
    isaac_statistics,
    lerobot_statistics,
)


def open_checkpoint(
    path: Path,
    embodiment: str | None = None,
    *,
    origin: str = '',
    revision: str | None = None,
) -> Checkpoint:
    """Read what a checkpoint's folder says; the layout is detected, weights are not read yet.

    Args:
        path: the folder, or the trainer's folder around it.
        embodiment: its tag; None: the only one with statistics.
        origin: where it came from; empty: the folder.
        revision: of a hub repository.

    Raises:
        CheckpointError: a file is missing, damaged, or of another model.
        EmbodimentError: the tag is wrong, or there is no single choice.
    """
    folder = find_folder(path)
    layout = detect(folder)
    if layout is Layout.ADAPTER:
        raise CheckpointError(
            f'{folder}: an adapter needs the model that it was trained on. '
            f'Next: open it with chefmate_policy.models.find_model, which finds that model'
        )
    reader = _open_isaac if layout is Layout.ISAAC else _open_lerobot
    checkpoint = reader(folder, embodiment)
    checkpoint = _with_own_profile(checkpoint)
    _check_sizes(checkpoint)
    notes = (checkpoint.embodiment.why,) if checkpoint.embodiment.why else ()
    if folder != path:
        notes = (f'checkpoint: {folder}', *notes)
    return replace(checkpoint, origin=origin or str(folder), revision=revision, notes=notes)


def open_weights(folder: Path) -> tuple[GrootConfig, Weights]:
    """Return sizes and weights of a folder of either layout: what an adapter stands on.

    Raises:
        CheckpointError: a file is missing, damaged, or of another model.
    """
    folder = find_folder(folder)
    prefix = lerobot.PREFIX if detect(folder) is Layout.LEROBOT else ''
    return read_config(folder), FileWeights(TensorFiles.in_folder(folder, prefix), str(folder))


def open_adapted(
    folder: Path, config: GrootConfig, base: Weights, embodiment: str | None
) -> Checkpoint:
    """Return a model with an adapter, whose folder has the statistics that it was trained with.

    Raises:
        CheckpointError: statistics are missing, or too large for the model.
        EmbodimentError: the tag is wrong, or there is no single choice.
    """
    chosen, statistics, modality = read_statistics(folder, embodiment, config.head.action_horizon)
    checkpoint = Checkpoint(
        config=config,
        modality=modality,
        statistics=statistics,
        embodiment=chosen,
        profile='isaac',
        weights=AdaptedWeights(base, folder, chosen),
        origin=str(folder),
        tokenizer_folders=_tokenizer_folders(folder),
        byte_tokens=_has_byte_tokens(config),
        notes=(chosen.why,) if chosen.why else (),
    )
    _check_sizes(checkpoint)
    return checkpoint


def read_config(folder: Path) -> GrootConfig:
    """Return the sizes of the model of a folder of either layout.

    Raises:
        CheckpointError: its config is missing, damaged, or of another model.
    """
    if detect(folder) is Layout.LEROBOT:
        return lerobot.model_config(folder)
    return read_sizes(folder / CONFIG)


def read_statistics(
    folder: Path, embodiment: str | None, horizon: int
) -> tuple[Embodiment, DatasetStatistics, Modality]:
    """Return embodiment, statistics and modality of Isaac's `experiment_cfg/metadata.json`."""
    path = folder / isaac.METADATA
    metadata = isaac.read_metadata(folder)
    if not metadata:
        raise CheckpointError(
            f'{path} is missing: without the statistics of the training data no number means '
            f"anything. Next: copy the trainer's experiment_cfg folder beside config.json"
        )
    chosen = choose_embodiment(embodiment, isaac.tags_with_statistics(metadata), str(path))
    try:
        statistics = isaac_statistics(metadata[chosen.tag])
        _need_ranges(statistics)
    except ConfigurationError as error:
        raise CheckpointError(f'{path}: {chosen.tag}: {error}') from error
    modality = isaac.read_modality(folder, metadata[chosen.tag], statistics, horizon)
    return chosen, statistics, modality


def _open_isaac(folder: Path, embodiment: str | None) -> Checkpoint:
    config = read_config(folder)
    chosen, statistics, modality = read_statistics(folder, embodiment, config.head.action_horizon)
    return Checkpoint(
        config=config,
        modality=modality,
        statistics=statistics,
        embodiment=chosen,
        profile='isaac',
        weights=FileWeights(TensorFiles.in_folder(folder), str(folder)),
        origin=str(folder),
        tokenizer_folders=_tokenizer_folders(folder),
        byte_tokens=_has_byte_tokens(config),
    )


def _open_lerobot(folder: Path, embodiment: str | None) -> Checkpoint:
    config = read_config(folder)
    files = lerobot.read_files(folder)
    trained = str(files.pack.get('embodiment_tag') or files.config.get('embodiment_tag'))
    chosen = choose_embodiment(embodiment, [trained], str(files.where), lerobot.slots(files))
    try:
        statistics = lerobot_statistics(files.statistics)
        _need_ranges(statistics)
    except ConfigurationError as error:
        raise CheckpointError(f'{files.where}: {error}') from error
    return Checkpoint(
        config=config,
        modality=lerobot.read_modality(
            folder, files, config.head.action_horizon, config.extra.get(PROFILE)
        ),
        statistics=statistics,
        embodiment=chosen,
        profile='lerobot',
        weights=FileWeights(TensorFiles.in_folder(folder, lerobot.PREFIX), str(folder)),
        origin=str(folder),
        tokenizer_folders=_tokenizer_folders(folder),
        byte_tokens=_has_byte_tokens(config),
    )


def _with_own_profile(checkpoint: Checkpoint) -> Checkpoint:
    """A checkpoint that was converted is processed as it was trained, not as its files look."""
    profile = checkpoint.config.extra.get(PROFILE, checkpoint.profile)
    if profile == checkpoint.profile:
        return checkpoint
    convert = by_groups if profile == Layout.ISAAC else by_vector
    return replace(
        checkpoint,
        profile=str(profile),
        statistics=convert(checkpoint.statistics, checkpoint.modality),
    )


def _check_sizes(checkpoint: Checkpoint) -> None:
    head = checkpoint.config.head
    modality = checkpoint.modality
    for part, groups, room in (
        ('state', modality.state, head.max_state_dim),
        ('action', modality.action, head.action_dim),
    ):
        size = sum(group.stop - group.start for group in groups)
        if size > room:
            raise CheckpointError(
                f'{checkpoint.origin}: the {part} of {checkpoint.embodiment.tag} has {size} '
                f'elements ({_named(groups)}); the model has room for {room}. Its data config '
                f'chose among them; ChefMate, for the SO-101, does not'
            )
    if not 0 <= checkpoint.embodiment.slot < head.max_num_embodiments:
        raise CheckpointError(
            f'{checkpoint.origin}: slot {checkpoint.embodiment.slot} of '
            f'{checkpoint.embodiment.tag}: the model has {head.max_num_embodiments} slots'
        )


def _need_ranges(statistics: DatasetStatistics) -> None:
    """Both profiles normalise by min and max: missing ones are said now, not in the first step."""
    for table in (statistics.state, statistics.action):
        for entry in table.values():
            _need_range(entry)


def _need_range(entry: Statistics) -> None:
    missing = [name for name in ('min', 'max') if name not in entry.values]
    if missing:
        raise ConfigurationError(
            f'statistics of {entry.name}: expected min and max; missing {", ".join(missing)}'
        )


def _tokenizer_folders(folder: Path) -> tuple[Path, ...]:
    return (folder, folder / 'tokenizer')


def _has_byte_tokens(config: GrootConfig) -> bool:
    key, value = BYTE_TOKENS
    return config.extra.get(key) == value


def _named(groups: Sequence[JointGroup]) -> str:
    return ', '.join(f'{group.name} {group.stop - group.start}' for group in groups)
