"""LeRobot's layout: one `model.safetensors` with a prefix, a flat config, processor steps.

Source: LeRobot 0.4, policies/groot/processor_groot.py and processor/pipeline.py: each pipeline is
a JSON file with its steps; a step's tensors are in the file that its `state_file` names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from chefmate_core.joints import JOINT_COUNT
from chefmate_core.policy.modality import SO101_GROUPS, JointGroup, Modality
from chefmate_policy.checkpoint.embodiment import SLOTS
from chefmate_policy.checkpoint.errors import CheckpointError
from chefmate_policy.checkpoint.jsonfile import at, read_json, write_json
from chefmate_policy.checkpoint.layout import CONFIG, LEROBOT_TYPE
from chefmate_policy.checkpoint.sizes import read_sizes
from chefmate_policy.checkpoint.tensors import read_small
from chefmate_policy.checkpoint.writing import write_tensors
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.processing.statistics import LEROBOT_ACTION, LEROBOT_STATE

PREFIX = '_groot_model.'
PREPROCESSOR, POSTPROCESSOR = 'policy_preprocessor', 'policy_postprocessor'
PACK, UNPACK = 'groot_pack_inputs_v3', 'groot_action_unpack_unnormalize_v1'
IMAGES = 'observation.images.'
# LeRobot does not store the sizes of the model: they are those of its base model, which is the
# published one. A model of other sizes carries Isaac's config.json under this name.
MODEL_CONFIG = 'groot_config.json'
PUBLISHED = 'n1.5-3b'
BASE = 'nvidia/GR00T-N1.5-3B'  # LeRobot builds it before it loads the weights
STATE, ACTION = LEROBOT_STATE, LEROBOT_ACTION


@dataclass(frozen=True)
class LeRobotFiles:
    """What LeRobot's JSON files say."""

    config: Mapping[str, Any]
    pack: Mapping[str, Any]  # the step's config
    statistics: Mapping[str, torch.Tensor]  # flat: 'action.min' -> (D,)
    where: Path  # the file with the statistics
    path: Path  # the file with the steps


def read_files(folder: Path) -> LeRobotFiles:
    """Read config and statistics.

    Raises:
        CheckpointError: a file or a step is missing, or asks for processing that is not ours.
    """
    path = folder / f'{PREPROCESSOR}.json'
    step = _step(path, at(path, read_json(path), 'steps', kind=list), PACK)
    pack = at(path, step, 'config', kind=dict)
    if not pack.get('normalize_min_max', True) or pack.get('formalize_language', False):
        raise CheckpointError(
            f'{path}: {PACK}: expected normalize_min_max true and formalize_language false, '
            f'as LeRobot writes them; found {pack}'
        )
    if 'state_file' not in step:
        raise CheckpointError(
            f'{path}: {PACK} has no state_file, so no statistics: the policy was saved without '
            f"those of its data set. Next: save it again with the data set's statistics"
        )
    where = folder / Path(at(path, step, 'state_file', kind=str)).name
    return LeRobotFiles(read_json(folder / CONFIG), pack, read_small(where), where, path)


def model_config(folder: Path) -> GrootConfig:
    """Return the sizes of the model."""
    own = folder / MODEL_CONFIG
    return read_sizes(own) if own.is_file() else GrootConfig.preset(PUBLISHED)


def slots(files: LeRobotFiles) -> dict[str, int]:
    """Return tag -> slot, as the checkpoint has it."""
    where = files.path
    if not files.pack.get('embodiment_mapping'):
        return dict(SLOTS)
    mapping = at(where, files.pack, 'embodiment_mapping', kind=dict)
    return {tag: at(where, mapping, tag, kind=int) for tag in mapping}


def read_modality(
    folder: Path, files: LeRobotFiles, horizon: int, profile: str | None = None
) -> Modality:
    """Return what the policy sees and says; cameras by name, as LeRobot orders them.

    Args:
        folder: of the checkpoint.
        files: what its JSON files say.
        horizon: rows of the model's action; the policy may use fewer of them.
        profile: where the model was trained with another: its cameras stay in their order.

    Raises:
        CheckpointError: a feature is missing, or has another size than its statistics.
    """
    path = folder / CONFIG
    inputs = at(path, files.config, 'input_features', kind=dict)
    outputs = at(path, files.config, 'output_features', kind=dict)
    cameras = [
        name.removeprefix(IMAGES) for name in inputs if name.startswith('observation.image')
    ]
    if profile is None:
        cameras.sort()
    if not cameras:
        raise CheckpointError(f'{path}: expected {IMAGES}<camera>; found {", ".join(inputs)}')
    sizes = {}
    for vector, features in ((STATE, inputs), (ACTION, outputs)):
        shape = at(path, features, vector, 'shape', kind=list)
        found = tuple(
            files.statistics[key].numel()
            for name in ('min', 'max')
            if (key := f'{vector}.{name}') in files.statistics
        )
        if list(found) != shape * 2:
            raise CheckpointError(
                f'{files.where}: {vector}: expected min and max of {shape} each, '
                f'as config.json says; found {found or "none"}'
            )
        sizes[vector] = found[0]
    return Modality(
        cameras=tuple(cameras),
        state=_groups(sizes[STATE]),
        action=_groups(sizes[ACTION]),
        horizon=min(at(path, files.config, 'chunk_size', kind=int), horizon),
    )


def write_files(
    folder: Path,
    model: GrootConfig,
    modality: Modality,
    statistics: Mapping[str, torch.Tensor],
    embodiment: str,
) -> None:
    """Write `config.json`, the processors and their tensors, as LeRobot 0.4 reads them.

    Args:
        folder: where to.
        model: its sizes; stored where they are not the published ones.
        modality: features. Image sizes are nominal: LeRobot resizes what it gets.
        statistics: flat, 'observation.state.min' -> (D,).
        embodiment: its tag.
    """
    image = {'type': 'VISUAL', 'shape': [3, 480, 640]}
    state = {'type': 'STATE', 'shape': [modality.state_size]}
    write_json(
        folder / CONFIG,
        {
            'type': LEROBOT_TYPE,
            'n_obs_steps': 1,
            'input_features': {
                **{f'{IMAGES}{name}': image for name in modality.cameras},
                STATE: state,
            },
            'output_features': {ACTION: {'type': 'ACTION', 'shape': [modality.action_size]}},
            'device': 'cuda',
            'chunk_size': modality.horizon,
            'n_action_steps': modality.horizon,
            'max_state_dim': model.head.max_state_dim,
            'max_action_dim': model.head.action_dim,
            'base_model_path': BASE,
            'embodiment_tag': embodiment,
        },
    )
    if model != GrootConfig.preset(PUBLISHED) or model.extra:
        write_json(folder / MODEL_CONFIG, model.to_dict())
    pack = {
        'state_horizon': 1,
        'action_horizon': modality.horizon,
        'max_state_dim': model.head.max_state_dim,
        'max_action_dim': model.head.action_dim,
        'language_key': 'task',
        'formalize_language': False,
        'embodiment_tag': embodiment,
        'embodiment_mapping': dict(SLOTS),
        'normalize_min_max': True,
    }
    eagle = {'tokenizer_assets_repo': 'lerobot/eagle2hg-processor-groot-n1p5'}
    unpack = {'env_action_dim': modality.action_size, 'normalize_min_max': True}
    _write_pipeline(
        folder,
        PREPROCESSOR,
        [
            ('rename_observations_processor', {'rename_map': {}}),
            ('to_batch_processor', {}),
            (PACK, pack),
            ('groot_eagle_encode_v3', eagle),
            ('groot_eagle_collate_v3', eagle),
            ('device_processor', {'device': 'cuda', 'float_dtype': None}),
        ],
        statistics,
    )
    _write_pipeline(
        folder,
        POSTPROCESSOR,
        [(UNPACK, unpack), ('device_processor', {'device': 'cpu', 'float_dtype': None})],
        statistics,
    )


def _write_pipeline(
    folder: Path,
    name: str,
    steps: list[tuple[str, dict[str, Any]]],
    statistics: Mapping[str, torch.Tensor],
) -> None:
    entries = []
    for number, (step, config) in enumerate(steps):
        entry: dict[str, Any] = {'registry_name': step, 'config': config}
        if step in (PACK, UNPACK):
            entry['state_file'] = f'{name}_step_{number}_{step}.safetensors'
            write_tensors(folder / entry['state_file'], statistics)
        entries.append(entry)
    write_json(folder / f'{name}.json', {'name': name, 'steps': entries})


def _step(path: Path, steps: list[Any], wanted: str) -> Mapping[str, Any]:
    """Return the step named `wanted`, whatever its version."""
    stem = wanted.rpartition('_v')[0]
    names = []
    for entry in steps:
        step = at(path, {'step': entry}, 'step', kind=dict)
        name = str(step.get('registry_name') or step.get('class'))
        names.append(name)
        if name.rpartition('_v')[0] == stem:
            return step
    raise CheckpointError(f'{path}: expected a step {wanted}; found {", ".join(names) or "none"}')


def _groups(size: int) -> tuple[JointGroup, ...]:
    """LeRobot has one vector; that of an SO-101 gets the names that GR00T's clients know."""
    return SO101_GROUPS if size == JOINT_COUNT else (JointGroup('joints', 0, size),)
