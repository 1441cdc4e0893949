"""PEFT adapters: LoRA beside a model, trained, saved, loaded, merged.

The parts and their layers follow `wrap_backbone_lora` and `wrap_llm_lora` of Eagle 2.5 and, for
the action head, Isaac-GR00T n1.5, gr00t/utils/peft.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from chefmate_policy.checkpoint.checkpoint import Checkpoint
from chefmate_policy.checkpoint.compare import compare
from chefmate_policy.checkpoint.embodiment import Embodiment
from chefmate_policy.checkpoint.errors import CheckpointError
from chefmate_policy.checkpoint.grouping import by_groups
from chefmate_policy.checkpoint.isaac import metadata_of, write_metadata
from chefmate_policy.checkpoint.jsonfile import at, read_json
from chefmate_policy.checkpoint.layout import ADAPTER_CONFIG
from chefmate_policy.checkpoint.loading import Progress, target_dtype
from chefmate_policy.checkpoint.sizes import skeleton
from chefmate_policy.checkpoint.slot import FILE as SLOT_FILE
from chefmate_policy.checkpoint.slot import load_slot, save_slot
from chefmate_policy.checkpoint.tensors import TensorFiles
from chefmate_policy.checkpoint.weights import Weights
from chefmate_policy.checkpoint.writing import new_folder
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.model.groot import Groot

if TYPE_CHECKING:  # importing PEFT takes a second: only where there is an adapter
    from peft import PeftModel

ADAPTER_WEIGHTS = 'adapter_model.safetensors'
PREFIX = 'base_model.model.'  # PEFT's, of every name

# part -> its linear layers
PARTS: Mapping[str, str] = {
    'vision': r'.*\.vision_model\.encoder\.layers\.\d+\.'
    r'(self_attn\.(q_proj|k_proj|v_proj|out_proj)|mlp\.(fc1|fc2))',
    'llm': r'.*\.language_model\.model\.layers\.\d+\.'
    r'(self_attn\.(q_proj|k_proj|v_proj|o_proj)|mlp\.(gate_proj|up_proj|down_proj))',
    'dit': r'action_head\.model\.transformer_blocks\.\d+\.attn1\.(to_q|to_k|to_v)',
    'vl_self_attention': r'action_head\.vl_self_attention\.transformer_blocks\.\d+\.'
    r'attn1\.(to_q|to_k|to_v)',
}


@dataclass(frozen=True)
class LoraSettings:
    """What is trained beside the model. The update of a layer is alpha / rank * B A."""

    rank: int = 32
    alpha: float = 64.0
    dropout: float = 0.05
    parts: tuple[str, ...] = ('llm', 'dit', 'vl_self_attention')

    def __post_init__(self) -> None:
        unknown = [part for part in self.parts if part not in PARTS]
        if unknown or not self.parts:
            raise CheckpointError(
                f'LoRA parts: expected some of {", ".join(PARTS)}; found '
                f'{", ".join(self.parts) or "none"}'
            )
        if self.rank < 1 or not self.alpha > 0 or not 0 <= self.dropout < 1:
            raise CheckpointError(
                f'LoRA: expected rank >= 1, alpha > 0, dropout of 0 to below 1; found {self}'
            )


def target_layers(model: Groot, parts: tuple[str, ...]) -> list[str]:
    """Return the names of the linear layers of `parts`."""
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear)
        and any(re.fullmatch(PARTS[part], name) for part in parts)
    ]


def add_adapter(model: Groot, settings: LoraSettings) -> 'PeftModel':
    """Wrap a model: what it says is unchanged until the adapter is trained.

    The model's own weights are frozen; those of the adapter are not.
    """
    from peft import LoraConfig, get_peft_model

    layers = target_layers(model, settings.parts)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,  # type: ignore[arg-type]  # PEFT divides it, whole or not
        lora_dropout=settings.dropout,
        target_modules=layers,
        bias='none',
    )
    return get_peft_model(model, config)  # it takes any module


def save_adapter(
    folder: Path, adapter: 'PeftModel', checkpoint: Checkpoint, overwrite: bool = False
) -> None:
    """Write adapter, embodiment slot, statistics: what training made, not the model below.

    Args:
        folder: to make. PEFT reads it; so do Isaac-GR00T's scripts.
        adapter: of `add_adapter`.
        checkpoint: the model below, with the statistics and the embodiment that were trained.
        overwrite: an existing folder is replaced in the end.

    Raises:
        CheckpointError: the folder exists or cannot be written.
    """
    config = adapter.peft_config['default']
    origin = checkpoint.origin
    config.base_model_name_or_path = (
        f'{origin}@{checkpoint.revision}' if checkpoint.revision else origin
    )
    embodiment, modality = checkpoint.embodiment, checkpoint.modality
    with new_folder(folder, overwrite) as work:
        adapter.save_pretrained(str(work), save_embedding_layers=False)
        save_slot(work, adapter, embodiment)
        statistics = by_groups(checkpoint.statistics, modality)
        write_metadata(work, metadata_of(embodiment.tag, modality, statistics))


def load_adapter(
    model: Groot, folder: Path, embodiment: Embodiment | None = None, trainable: bool = False
) -> 'PeftModel':
    """Wrap a model with a saved adapter and, where there is one, put its slot into the model.

    Args:
        model: the one that the adapter was trained on.
        folder: of the adapter.
        embodiment: whose slot; None: the slot's file is left alone.
        trainable: train it further.

    Raises:
        CheckpointError: the adapter is damaged, or of a model of other sizes.
        EmbodimentError: the slot is another's.
    """
    from peft import PeftModel

    _check(model, folder)
    adapter = PeftModel.from_pretrained(
        model,  # it takes any module
        str(folder),
        is_trainable=trainable,
        autocast_adapter_dtype=False,
    )
    if embodiment is not None and (folder / SLOT_FILE).is_file():
        load_slot(folder, adapter, embodiment)
    return adapter.train(trainable)


def merge_adapter(adapter: 'PeftModel') -> Groot:
    """Return the model with the adapter's update in its weights, and nothing of PEFT."""
    merged: Any = adapter.merge_and_unload()
    return merged.requires_grad_(False).eval()


def read_base(folder: Path) -> str:
    """Return what an adapter was trained on: a path, or a hub id with its revision.

    Raises:
        CheckpointError: it does not say.
    """
    path = folder / ADAPTER_CONFIG
    base = read_json(path).get('base_model_name_or_path')
    if not base or not isinstance(base, str):
        raise CheckpointError(
            f'{path}: base_model_name_or_path: expected the model that it was trained on; found '
            f'{base!r}. Next: say it (base), or write it there'
        )
    cached = re.search(r'models--([^/]+)--([^/]+)/snapshots/(\w+)', base)
    return '{}/{}@{}'.format(*cached.groups()) if cached else base


@dataclass(frozen=True)
class AdaptedWeights:
    """Weights of a model with an adapter merged into them."""

    base: Weights
    folder: Path
    embodiment: Embodiment

    def build(
        self,
        config: GrootConfig,
        *,
        device: torch.device | str,
        dtype: torch.dtype | str | None,
        progress: Progress | None,
    ) -> Groot:
        """Load the model below, merge at its own precision, then take the dtype asked for."""
        model = self.base.build(config, device=device, dtype=None, progress=progress)
        merged = merge_adapter(load_adapter(model, self.folder, self.embodiment))
        return merged if dtype is None else merged.to(dtype=target_dtype(dtype))

    def check(self, config: GrootConfig) -> None:
        """Compare the model below, and the adapter, with the config's sizes."""
        self.base.check(config)
        _check(skeleton(config, str(self.folder)), self.folder)


def _check(model: Groot, folder: Path) -> None:
    """Compare names and shapes before PEFT, which only warns, sees them."""
    path = folder / ADAPTER_CONFIG
    config = read_json(path)
    if str(config.get('peft_type')).upper() != 'LORA':
        raise CheckpointError(f'{path}: expected peft_type LORA; found {config.get("peft_type")}')
    rank = at(path, config, 'r', kind=int)
    patterns = at(path, config, 'rank_pattern', kind=dict) if config.get('rank_pattern') else {}
    found = {
        name: spec.shape
        for name, spec in TensorFiles([folder / ADAPTER_WEIGHTS], PREFIX).specs.items()
    }
    expected: dict[str, tuple[int, ...]] = {}
    layers = {name.rpartition('.lora_')[0] for name in found}
    for name, module in model.named_modules():
        if name in layers and isinstance(module, torch.nn.Linear):
            size = next((r for key, r in patterns.items() if name.endswith(key)), rank)
            expected[f'{name}.lora_A.weight'] = (size, module.in_features)
            expected[f'{name}.lora_B.weight'] = (module.out_features, size)
    differences = compare(found, expected)
    if differences or not expected:
        base = config.get('base_model_name_or_path') or 'a model that it does not name'
        raise CheckpointError(
            f'{folder}: this adapter was trained on another model ({base}): it does not fit.\n'
            f'{differences}\nNext: name the model that it was trained on'
        )
