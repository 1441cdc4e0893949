"""Sizes of a GR00T N1.5, as its `config.json` tells them, and presets.

Source of the published numbers: config.json of nvidia/GR00T-N1.5-3B, and the config of the Eagle
2.5 backbone that its `eagle_path` names. That one does not travel with the checkpoint, so it
stands here; a checkpoint of another size carries its own as `backbone_cfg.eagle_config`.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from chefmate_core.errors import ConfigurationError

EAGLE_PATH = 'NVEagle/eagle_er-qwen3_1_7B-Siglip2_400M_stage1_5_128gpu_er_v7_1mlp_nops'

_Part = TypeVar('_Part')


@dataclass(frozen=True)
class VisionConfig:
    """SigLIP's vision tower."""

    hidden_size: int = 1152
    num_hidden_layers: int = 27
    num_attention_heads: int = 16
    intermediate_size: int = 4304
    patch_size: int = 14
    image_size: int = 224
    layer_norm_eps: float = 1e-6


@dataclass(frozen=True)
class LanguageConfig:
    """Qwen3. `num_hidden_layers` is what was published; `select_layer` of them are kept."""

    hidden_size: int = 2048
    num_hidden_layers: int = 28
    num_attention_heads: int = 16
    num_key_value_heads: int = 8
    head_dim: int = 128
    intermediate_size: int = 6144
    vocab_size: int = 151680
    rms_norm_eps: float = 1e-6
    rope_theta: float = 1e6
    max_position_embeddings: int = 40960


@dataclass(frozen=True)
class EagleConfig:
    """Eagle 2.5: vision tower, connector, language model."""

    vision: VisionConfig = field(default_factory=VisionConfig)
    language: LanguageConfig = field(default_factory=LanguageConfig)
    select_layer: int = 12  # language layers that are kept; features come after the final norm
    project_to_dim: int | None = None  # None: the features keep the language model's width
    image_token_index: int = 151669
    use_pixel_shuffle: bool = False
    downsample_ratio: float = 0.5  # of pixel shuffle
    mlp_connector_layers: int = 1

    def __post_init__(self) -> None:
        _expect('mlp_connector_layers', self.mlp_connector_layers, (1, 2))
        if not 1 <= self.select_layer <= self.language.num_hidden_layers:
            raise ConfigurationError(
                f'select_layer: expected 1 to {self.language.num_hidden_layers}, the layers of '
                f'the language model; found {self.select_layer}'
            )

    @property
    def tokens_per_image(self) -> int:
        """Image tokens that one camera image becomes."""
        tokens = (self.vision.image_size // self.vision.patch_size) ** 2
        return int(tokens * self.downsample_ratio**2) if self.use_pixel_shuffle else tokens

    @property
    def feature_size(self) -> int:
        """Width of the backbone's features."""
        return self.project_to_dim or self.language.hidden_size


@dataclass(frozen=True)
class TransformerConfig:
    """A stack of attention blocks: the DiT, or the self-attention over VL features."""

    num_layers: int
    num_attention_heads: int
    attention_head_dim: int
    dropout: float = 0.2  # in training only
    final_dropout: bool = True

    @property
    def inner_size(self) -> int:
        """Width of the stack."""
        return self.num_attention_heads * self.attention_head_dim


@dataclass(frozen=True)
class DitConfig(TransformerConfig):
    """The diffusion transformer: even blocks look at the VL features, odd ones at themselves."""

    cross_attention_dim: int = 2048
    output_dim: int = 1024
    interleave_self_attention: bool = True
    norm_eps: float = 1e-5


@dataclass(frozen=True)
class HeadConfig:
    """The flow-matching action head."""

    diffusion_model: DitConfig
    vl_self_attention: TransformerConfig
    action_dim: int = 32
    action_horizon: int = 16
    max_state_dim: int = 64
    max_num_embodiments: int = 32
    max_seq_len: int = 1024
    hidden_size: int = 1024
    input_embedding_dim: int = 1536
    backbone_embedding_dim: int = 2048
    num_target_vision_tokens: int = 32
    add_pos_embed: bool = True
    use_vlln: bool = True
    noise_beta_alpha: float = 1.5
    noise_beta_beta: float = 1.0
    noise_s: float = 0.999
    num_inference_timesteps: int = 4
    num_timestep_buckets: int = 1000

    def __post_init__(self) -> None:
        width = self.diffusion_model.inner_size
        if width != self.input_embedding_dim:
            raise ConfigurationError(
                f'input_embedding_dim: expected the width of the DiT, {width} '
                f'(heads x head_dim); found {self.input_embedding_dim}'
            )

    @property
    def buckets(self) -> tuple[int, ...]:
        """Time buckets of the Euler steps: 0, 250, 500, 750 for four steps."""
        steps = self.num_inference_timesteps
        return tuple(int(step / steps * self.num_timestep_buckets) for step in range(steps))


@dataclass(frozen=True)
class GrootConfig:
    """A whole GR00T N1.5."""

    eagle: EagleConfig
    head: HeadConfig
    compute_dtype: str = 'bfloat16'
    # What config.json holds besides: written back as it was read.
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for name, size in (
            ('action_head_cfg.backbone_embedding_dim', self.head.backbone_embedding_dim),
            (
                'diffusion_model_cfg.cross_attention_dim',
                self.head.diffusion_model.cross_attention_dim,
            ),
        ):
            _expect(name, size, (self.eagle.feature_size,))

    @classmethod
    def preset(cls, name: str) -> 'GrootConfig':
        """Return a preset by name.

        Raises:
            ConfigurationError: no preset has that name; the message lists those that exist.
        """
        if name not in PRESETS:
            raise ConfigurationError(f'unknown preset {name!r}; there are: {", ".join(PRESETS)}')
        return PRESETS[name]

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> 'GrootConfig':
        """Read the content of a `config.json`.

        Keys that say nothing about sizes (what is trained, which library wrote it) are kept for
        `to_dict` and otherwise left alone.

        Raises:
            ConfigurationError: a part is missing, or asks for a variant that N1.5 never had.
        """
        try:
            backbone, head = dict(config['backbone_cfg']), dict(config['action_head_cfg'])
            dit, vl = dict(head['diffusion_model_cfg']), dict(head['vl_self_attention_cfg'])
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f'config.json of a GR00T N1.5 holds backbone_cfg and action_head_cfg with '
                f'diffusion_model_cfg and vl_self_attention_cfg; missing or malformed: {error}; '
                f'found model_type {config.get("model_type")!r}'
            ) from error
        _expect('reproject_vision', backbone.get('reproject_vision', False), (False,))
        _expect('norm_type', dit.get('norm_type', 'ada_norm'), ('ada_norm',))
        for name, part in (('diffusion_model_cfg', dit), ('vl_self_attention_cfg', vl)):
            _expect(f'{name}.positional_embeddings', part.get('positional_embeddings'), (None,))
        return cls(
            eagle=_eagle(backbone),
            head=_read(
                HeadConfig,
                head,
                diffusion_model=_read(DitConfig, dit),
                vl_self_attention=_read(TransformerConfig, vl),
            ),
            compute_dtype=config.get('compute_dtype', 'bfloat16'),
            extra=dict(config),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the content of a `config.json` that `from_dict` and published readers take."""
        head = dataclasses.asdict(self.head)
        eagle = dataclasses.asdict(self.eagle)
        read = {
            name: dict(self.extra.get(name, {})) for name in ('backbone_cfg', 'action_head_cfg')
        }
        dit, vl = head.pop('diffusion_model'), head.pop('vl_self_attention')
        dit_read = dict(read['action_head_cfg'].get('diffusion_model_cfg', {}))
        vl_read = dict(read['action_head_cfg'].get('vl_self_attention_cfg', {}))
        common = {'positional_embeddings': None, 'attention_bias': True}
        fixed = {
            **common,
            'norm_type': 'ada_norm',
            'norm_elementwise_affine': False,
            'activation_fn': 'gelu-approximate',
        }
        backbone = {
            'eagle_path': EAGLE_PATH,
            'reproject_vision': False,
            'tune_llm': False,
            'tune_visual': True,
            **read['backbone_cfg'],
            'select_layer': eagle.pop('select_layer'),
            'project_to_dim': eagle.pop('project_to_dim'),
        }
        if self.eagle != dataclasses.replace(
            EagleConfig(),
            select_layer=self.eagle.select_layer,
            project_to_dim=self.eagle.project_to_dim,
        ):
            backbone['eagle_config'] = eagle
        return {
            'architectures': ['GR00T_N1_5'],
            'model_type': 'gr00t_n1_5',
            'hidden_size': self.eagle.language.hidden_size,
            **self.extra,
            'action_dim': self.head.action_dim,
            'action_horizon': self.head.action_horizon,
            'compute_dtype': self.compute_dtype,
            'backbone_cfg': backbone,
            'action_head_cfg': {
                'model_dtype': 'float32',
                'tune_projector': True,
                'tune_diffusion_model': True,
                **read['action_head_cfg'],
                **head,
                'diffusion_model_cfg': {**dit_read, **fixed, **dit},
                'vl_self_attention_cfg': {**vl_read, **common, **vl},
            },
        }


def _eagle(backbone: Mapping[str, Any]) -> EagleConfig:
    """The backbone's sizes: the published Eagle's, unless the checkpoint carries its own."""
    own = dict(backbone.get('eagle_config') or {})
    select_layer = int(backbone.get('select_layer', 12))
    return _read(
        EagleConfig,
        own,
        vision=_read(VisionConfig, own.get('vision', {})),
        language=_read(LanguageConfig, own.get('language', {})),
        select_layer=select_layer,
        project_to_dim=backbone.get('project_to_dim'),
    )


def _read(kind: type[_Part], values: Mapping[str, Any], **given: Any) -> _Part:
    """Build `kind` from those of `values` that are its fields; `given` has the last word."""
    names = {item.name for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    try:
        return kind(**{**{name: values[name] for name in names & set(values)}, **given})
    except TypeError as error:
        raise ConfigurationError(f'config.json: {kind.__name__}: {error}') from error


def _expect(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise ConfigurationError(
            f'config.json: {name}: expected {" or ".join(map(repr, allowed))}; found {value!r}'
        )


PRESETS: Mapping[str, GrootConfig] = {
    'n1.5-3b': GrootConfig(
        eagle=EagleConfig(),
        head=HeadConfig(
            diffusion_model=DitConfig(
                num_layers=16, num_attention_heads=32, attention_head_dim=48
            ),
            vl_self_attention=TransformerConfig(
                num_layers=4, num_attention_heads=32, attention_head_dim=64
            ),
        ),
    ),
    # The same code path in 2.9 million parameters: for tests, and for machines without a GPU.
    'tiny': GrootConfig(
        eagle=EagleConfig(
            vision=VisionConfig(
                hidden_size=64,
                num_hidden_layers=3,
                num_attention_heads=4,
                intermediate_size=128,
                patch_size=28,
            ),
            language=LanguageConfig(
                hidden_size=96,
                num_hidden_layers=4,
                num_attention_heads=4,
                num_key_value_heads=2,
                head_dim=24,
                intermediate_size=192,
                vocab_size=320,
                max_position_embeddings=4096,
            ),
            select_layer=3,
            image_token_index=259,
        ),
        head=HeadConfig(
            diffusion_model=DitConfig(
                num_layers=4,
                num_attention_heads=4,
                attention_head_dim=24,
                cross_attention_dim=96,
                output_dim=64,
            ),
            vl_self_attention=TransformerConfig(
                num_layers=2, num_attention_heads=4, attention_head_dim=24
            ),
            max_seq_len=64,
            hidden_size=64,
            input_embedding_dim=96,
            backbone_embedding_dim=96,
            num_target_vision_tokens=8,
        ),
        compute_dtype='float32',
    ),
}  # fmt: skip
