"""`models/manifest.yaml`: the models that are known by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.model_folder import MANIFEST
from chefmate_policy.model.config import GrootConfig

RANDOM = 'random'
KINDS = ('model', 'tokenizer')
STATISTICS = ('checkpoint', 'range_m100_100')


@dataclass(frozen=True)
class ModelEntry:
    """One entry; the file explains the fields."""

    name: str
    origin: str
    licence: str
    kind: str = 'model'
    revision: str | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)  # file -> digest
    commercial: bool | None = None
    preset: str = 'n1.5-3b'
    embodiment: str | None = None
    statistics: str = 'checkpoint'
    cameras: tuple[str, ...] = ()
    seed: int = 0
    note: str = ''

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ('kind', self.kind, KINDS),
            ('statistics', self.statistics, STATISTICS),
        ):
            if value not in allowed:
                raise ConfigurationError(
                    f'{MANIFEST}: {self.name}: {name}: expected {" or ".join(allowed)}; '
                    f'found {value!r}'
                )
        GrootConfig.preset(self.preset)
        if self.is_random and not (self.cameras and self.embodiment):
            raise ConfigurationError(
                f'{MANIFEST}: {self.name}: a random model needs cameras and an embodiment'
            )

    @property
    def is_random(self) -> bool:
        """Whether its weights are drawn, not fetched."""
        return self.origin == RANDOM


def read_manifest(models: Path) -> dict[str, ModelEntry]:
    """Return name -> entry; empty where the folder has no manifest.

    Raises:
        ConfigurationError: the file is no YAML, or an entry is wrong; the message names it.
    """
    path = models / MANIFEST
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f'{path}: expected YAML: {error}') from error
    if not isinstance(content, dict):
        raise ConfigurationError(f'{path}: expected name -> entry; found {content!r}')
    return {str(name): _entry(path, str(name), entry) for name, entry in content.items()}


def _entry(path: Path, name: str, raw: Any) -> ModelEntry:
    known = {item.name for item in fields(ModelEntry)} - {'name'}
    if not isinstance(raw, dict) or set(raw) - known or not {'origin', 'licence'} <= set(raw):
        found = ', '.join(raw) if isinstance(raw, dict) else repr(raw)
        raise ConfigurationError(
            f'{path}: {name}: expected origin and licence, and of {", ".join(sorted(known))} '
            f'what applies; found {found}'
        )
    values = {key: value for key, value in raw.items() if value is not None}
    if 'cameras' in values:
        values['cameras'] = tuple(values['cameras'])
    return ModelEntry(name=name, **values)
