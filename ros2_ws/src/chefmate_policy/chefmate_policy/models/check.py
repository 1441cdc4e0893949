"""Whether a model is what it should be: files, digests, tensors, shapes, statistics."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from chefmate_core.errors import ChefMateError, ConfigurationError
from chefmate_policy.checkpoint import isaac, lerobot
from chefmate_policy.checkpoint.embodiment import SLOTS
from chefmate_policy.checkpoint.errors import CheckpointError
from chefmate_policy.checkpoint.jsonfile import at, read_json
from chefmate_policy.checkpoint.layout import Layout, detect, find_folder
from chefmate_policy.checkpoint.loading import shapes
from chefmate_policy.checkpoint.weights import FileWeights
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.model.groot import Groot
from chefmate_policy.models.hub import PROVENANCE, digest_of
from chefmate_policy.models.manifest import ModelEntry
from chefmate_policy.models.source import ModelSource

Progress = Callable[[str, int], None]  # what is read, bytes since the last call


@dataclass
class Report:
    """What was found. `problems` is empty where all is well."""

    name: str
    keys: int = 0  # tensors that the model stores
    parameters: int = 0
    weights: str = 'not here'  # files, random, not here
    folder: str | None = None
    layout: str | None = None
    origin: str | None = None
    revision: str | None = None
    licence: str | None = None
    dtypes: dict[str, int] = field(default_factory=dict)  # dtype -> tensors
    size_bytes: int = 0
    files: dict[str, dict[str, Any]] = field(default_factory=dict)  # name -> bytes, sha256
    embodiments: dict[str, dict[str, Any]] = field(default_factory=dict)  # tag -> slot, ...
    problems: list[str] = field(default_factory=list)


def check_sizes(entry: ModelEntry) -> Report:
    """Return what a model of the manifest will be: from its preset, without any weights."""
    report = Report(entry.name, origin=entry.origin, revision=entry.revision)
    report.licence = entry.licence
    report.weights = 'random' if entry.is_random else 'not here'
    if entry.kind == 'model':
        _count(report, GrootConfig.preset(entry.preset))
    return report


def check_model(
    source: ModelSource, embodiment: str | None = None, progress: Progress | None = None
) -> Report:
    """Read all of a model and report; nothing is raised for what is wrong with it.

    Args:
        source: of `find_model`.
        embodiment: must be one that it can run; None: any.
        progress: called while files are read.
    """
    entry = source.entry
    report = Report(source.name) if entry is None else check_sizes(entry)
    if source.folder is None:
        return _with_checkpoint(report, source, embodiment)
    report.folder, report.weights = str(source.folder), 'files'
    try:
        folder = find_folder(source.folder)
        report.layout = str(detect(folder))
        known = _known_digests(source.folder, entry)
    except ChefMateError as error:
        report.problems.append(str(error))
        return report
    _check_files(report, source.folder, known, progress)
    try:
        config, weights = _weights(source, folder)
        _count(report, config)
        weights.check(config)
        if isinstance(weights, FileWeights):
            report.dtypes = dict(
                Counter(str(s.dtype).removeprefix('torch.') for s in weights.files.specs.values())
            )
            _check_numbers(report, weights, progress)
    except ChefMateError as error:
        report.problems.append(str(error))
    _list_embodiments(report, folder)
    return _with_checkpoint(report, source, embodiment)


def _weights(source: ModelSource, folder: Path) -> tuple[GrootConfig, Any]:
    if detect(folder) is Layout.ADAPTER:
        checkpoint = source.open()
        return checkpoint.config, checkpoint.weights
    return source.weights()


def _count(report: Report, config: GrootConfig) -> None:
    stored = shapes(Groot.on_meta(config))
    report.keys = len(stored)
    report.parameters = sum(torch.Size(shape).numel() for shape in stored.values())


def _known_digests(folder: Path, entry: ModelEntry | None) -> dict[str, str]:
    known: dict[str, str] = {}
    path = folder / PROVENANCE
    if path.is_file():
        files = read_json(path).get('files')
        if not isinstance(files, Mapping):
            raise CheckpointError(f'{path}: expected files: name -> bytes, sha256')
        known = {name: at(path, files, name, 'sha256', kind=str) for name in files}
    return known | dict(entry.sha256 if entry else {})


def _check_files(
    report: Report, folder: Path, known: Mapping[str, str], progress: Progress | None
) -> None:
    names = {
        str(path.relative_to(folder))
        for path in folder.rglob('*')
        if path.is_file() and path.name != PROVENANCE
    }
    for name in sorted(names | set(known)):
        path = folder / name
        if name not in names:
            report.problems.append(f'{path} is missing')
            continue
        digest = None
        if name in known:  # a digest that nothing is compared with is not worth reading 5 GB
            digest = digest_of(path, partial(progress, name) if progress else None)
            if digest != known[name]:
                report.problems.append(
                    f'{path}: sha256: expected {known[name]}; found {digest}: the file changed '
                    f'since it was fetched'
                )
        report.files[name] = {'bytes': path.stat().st_size, 'sha256': digest}
    report.size_bytes = sum(file['bytes'] for file in report.files.values())


def _check_numbers(report: Report, weights: FileWeights, progress: Progress | None) -> None:
    wrong = []
    specs = weights.files.specs
    for name, tensor in weights.files.read(list(specs)):
        if not bool(torch.isfinite(tensor).all()):
            wrong.append(name)
        if progress is not None:
            progress('weights', specs[name].size_bytes)
    if wrong:
        report.problems.append(
            f'{len(wrong)} tensors hold NaN or inf: {", ".join(wrong[:6])}'
            f'{" ..." if len(wrong) > 6 else ""}'
        )


def _list_embodiments(report: Report, folder: Path) -> None:
    try:
        if report.layout == Layout.LEROBOT:
            files = lerobot.read_files(folder)
            tags, slots = [str(files.pack.get('embodiment_tag'))], lerobot.slots(files)
        else:
            tags, slots = isaac.tags_with_statistics(isaac.read_metadata(folder)), dict(SLOTS)
    except ChefMateError as error:
        report.problems.append(str(error))
        return
    report.embodiments = {tag: {'slot': slots.get(tag)} for tag in tags}


def _with_checkpoint(report: Report, source: ModelSource, embodiment: str | None) -> Report:
    """Open it for each embodiment (or for the one asked for), as running it would.

    Of several embodiments, some may be no robot of ours: a base model has humanoids. What keeps
    one from running is a problem of the whole only where none runs.
    """
    tags: list[str | None] = [embodiment] if embodiment else [*report.embodiments] or [None]
    refused: list[str] = []
    for tag in tags:
        try:
            checkpoint = source.open(tag)
            checkpoint.processor()
        except ConfigurationError as error:
            refused.append(str(error))
            if tag is not None:
                report.embodiments.setdefault(tag, {'slot': None})['refused'] = str(error)
            continue
        modality = checkpoint.modality
        report.embodiments[checkpoint.embodiment.tag] = {
            'slot': checkpoint.embodiment.slot,
            'profile': checkpoint.profile,
            'cameras': list(modality.cameras),
            'state': {group.name: group.stop - group.start for group in modality.state},
            'action': {group.name: group.stop - group.start for group in modality.action},
            'horizon': modality.horizon,
        }
        report.origin, report.revision = checkpoint.origin, checkpoint.revision
    if len(refused) == len(tags):
        report.problems += [text for text in refused if text not in report.problems]
    return report
