"""From a name, a path or a hub id to a model that can be opened."""

import difflib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.modality import SO101_GROUPS, Modality
from chefmate_core.policy.model_folder import models_folder, user_models
from chefmate_policy.checkpoint.adapter import read_base
from chefmate_policy.checkpoint.checkpoint import BYTE_TOKENS, Checkpoint
from chefmate_policy.checkpoint.embodiment import SLOTS, choose_embodiment
from chefmate_policy.checkpoint.layout import Layout, detect, find_folder
from chefmate_policy.checkpoint.opening import open_adapted, open_checkpoint, open_weights
from chefmate_policy.checkpoint.weights import RandomWeights, Weights
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.models.hub import (
    HubId,
    cached_folder,
    fetch,
    folder_of,
    read_provenance,
)
from chefmate_policy.models.known import known_models
from chefmate_policy.models.manifest import ModelEntry
from chefmate_policy.processing.statistics import DatasetStatistics, Statistics

TOKENIZER = 'eagle-tokenizer'  # the manifest's entry
# LeRobot's range_m100_100: of each joint of an arm, and of a gripper.
RANGES = {'single_arm': (-100.0, 100.0), 'gripper': (0.0, 100.0)}


@dataclass(frozen=True)
class ModelSource:
    """A model that is here: files in a folder, or a preset with random weights."""

    name: str
    folder: Path | None  # None: random weights
    entry: ModelEntry | None = None  # the manifest's, where it has one
    models: Path = Path()  # where other models live: an adapter's base, the tokenizer

    def open(
        self,
        embodiment: str | None = None,
        *,
        cameras: Sequence[str] | None = None,
        base: str | None = None,
    ) -> Checkpoint:
        """Read everything but the weights.

        Args:
            embodiment: its tag; None: the manifest's, else the only one with statistics.
            cameras: which, and in which order; None: as the files have them.
            base: of an adapter, the model that it was trained on; None: as the adapter says.

        Raises:
            CheckpointError: the files are damaged or of another model, or the tag is wrong.
        """
        tag = embodiment or (self.entry.embodiment if self.entry else None)
        if self.folder is None:
            assert self.entry is not None
            return _random(self.entry, tag).with_cameras(cameras)
        folder = find_folder(self.folder)
        origin, revision = read_provenance(self.folder)
        if detect(folder) is Layout.ADAPTER:
            below = find_model(base or read_base(folder), models=self.models)
            checkpoint = open_adapted(folder, *below.weights(), tag)
        else:
            checkpoint = open_checkpoint(self.folder, tag, origin=origin or '', revision=revision)
        folders = (*checkpoint.tokenizer_folders, *_shared_tokenizers(self.models))
        return replace(checkpoint, tokenizer_folders=folders).with_cameras(cameras)

    def weights(self) -> tuple[GrootConfig, Weights]:
        """Return sizes and weights alone: a base model needs no statistics of the SO-101.

        Raises:
            CheckpointError: the files are damaged, or of another model.
        """
        if self.folder is None:
            assert self.entry is not None
            return _config(self.entry), RandomWeights(self.entry.seed)
        return open_weights(self.folder)


def find_model(name_or_path: str, *, models: Path | None = None) -> ModelSource:
    """Return a model by the name of its folder, a path, a manifest's name, or a hub id.

    A hub id that names its revision (`org/name@revision`) is downloaded where it is not here.

    Args:
        name_or_path: what the user wrote.
        models: the folder of models; None: see `models_folder`.

    Raises:
        ConfigurationError: there is no such model; the message lists those that there are, or
            says how to get it.
    """
    models = models or models_folder()
    manifest = known_models(models)
    path = Path(name_or_path).expanduser()
    if path.is_dir() and (path.is_absolute() or path.name != name_or_path):
        return ModelSource(name_or_path, path, None, models)
    if _is_name(name_or_path) and (models / name_or_path).is_dir():
        folder = models / name_or_path
        return ModelSource(name_or_path, folder, manifest.get(name_or_path), models)
    entry = manifest.get(name_or_path)
    if entry is not None and entry.is_random:
        return ModelSource(name_or_path, None, entry, models)
    if entry is not None:
        cached = cached_folder(HubId(entry.origin, entry.revision))
        if cached is not None:
            return ModelSource(name_or_path, cached, entry, models)
        raise ConfigurationError(
            f'{entry.name} ({entry.origin}) is not in {models}. Licence: {entry.licence}. '
            f'Next: chefmate models fetch {entry.name}'
            + ('' if entry.revision else '@REVISION, the commit to fetch')
        )
    if HubId.is_one(name_or_path):
        return _from_hub(HubId.parse(name_or_path), manifest, models)
    if path.is_dir():  # a bare name in the working directory, where nothing else has it
        return ModelSource(name_or_path, path, None, models)
    raise ConfigurationError(_unknown(name_or_path, manifest, models))


def _from_hub(hub: HubId, manifest: dict[str, ModelEntry], models: Path) -> ModelSource:
    entry = next((entry for entry in manifest.values() if entry.origin == hub.name), None)
    if entry is not None and hub.revision in (None, entry.revision):
        return find_model(entry.name, models=models)
    pinned = hub.pinned()
    folder = cached_folder(pinned) or folder_of(pinned, models)
    if not folder.is_dir():
        fetch(pinned, folder)
    return ModelSource(str(pinned), folder, None, models)


def _random(entry: ModelEntry, embodiment: str | None) -> Checkpoint:
    config = _config(entry)
    tag = embodiment or str(entry.embodiment)
    chosen = choose_embodiment(tag, list(SLOTS), entry.name)
    table = {
        part: {
            group.name: Statistics(
                f'{part}.{group.name}',
                {
                    name: np.full(group.stop - group.start, limit)
                    for name, limit in zip(('min', 'max'), RANGES[group.name], strict=True)
                },
            )
            for group in SO101_GROUPS
        }
        for part in ('state', 'action')
    }
    return Checkpoint(
        config=config,
        modality=Modality(cameras=entry.cameras, horizon=config.head.action_horizon),
        statistics=DatasetStatistics(table['state'], table['action']),
        embodiment=chosen,
        profile='isaac',
        weights=RandomWeights(entry.seed),
        origin=entry.name,
        revision=None,
        byte_tokens=True,
        notes=(f'random weights, seed {entry.seed}: it was trained on nothing',),
    )


def _config(entry: ModelEntry) -> GrootConfig:
    key, value = BYTE_TOKENS
    return replace(GrootConfig.preset(entry.preset), extra={key: value})


def _shared_tokenizers(models: Path) -> tuple[Path, ...]:
    """Where the tokenizer of every N1.5 may be: ours, and where LeRobot's trainer puts it."""
    home = os.environ.get('HF_HOME', '~/.cache/huggingface')
    lerobot = Path(os.environ.get('HF_LEROBOT_HOME', f'{home}/lerobot')).expanduser()
    return models / TOKENIZER, lerobot / 'lerobot' / 'eagle2hg-processor-groot-n1p5'


def _is_name(text: str) -> bool:
    return re.fullmatch(r'\w[\w.@+-]*', text) is not None


def _unknown(text: str, manifest: dict[str, ModelEntry], models: Path) -> str:
    names = sorted({*manifest, *user_models(models)})
    close = difflib.get_close_matches(text, names, n=1)
    hint = f' Did you mean {close[0]!r}?' if close else ''
    return (
        f'no model {text!r}: expected a name, the path of a folder, or org/name@revision.{hint} '
        f'Known: {", ".join(names)} (in {models}). Next: see chefmate models list'
    )
