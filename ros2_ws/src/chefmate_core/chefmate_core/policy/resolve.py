"""From what a person writes after `policy:=` to an installed policy and its options.

| written | policy | option |
|---|---|---|
| the name of an installed policy | that one | |
| `zmq://`, `http://`, `https://`, `chefmate://` and host:port | `remote` | `url` |
| a name in the models' folder, or in its manifest | `groot` | `model` |
| the path of a checkpoint's folder | `groot` | `model` |
| `org/name` or `org/name@revision` of the model hub | `groot` | `model` |
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.model_folder import (
    MANIFEST,
    models_folder,
    shared_manifest,
    user_models,
)
from chefmate_core.policy.registry import available_policies

LOCAL, REMOTE = 'groot', 'remote'
URL_SCHEMES = ('zmq', 'http', 'https', 'chefmate')
_HUB_ID = re.compile(r'[\w.-]+/[\w.-]+(@[\w.-]+)?')


@dataclass(frozen=True)
class ChosenPolicy:
    """What `load_policy` is to be asked for."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


def choose_policy(text: str, options: Mapping[str, Any] | None = None) -> ChosenPolicy:
    """Return the policy that `text` means, with `options` added to its own. Imports none.

    Raises:
        ConfigurationError: it means nothing; the message lists what there is.
    """
    options = dict(options or {})
    installed = available_policies()
    if '://' in text:
        scheme = text.split('://')[0]
        if scheme not in URL_SCHEMES:
            known = ', '.join(f'{known}://' for known in URL_SCHEMES)
            raise ConfigurationError(
                f'policy {text!r}: unknown kind of address {scheme}://; expected one of: {known}'
            )
        return _with_option(REMOTE, 'url', text, options)
    if text in installed:
        return ChosenPolicy(text, options)
    models = model_names()
    if text in models:
        return _with_option(LOCAL, 'model', text, options)
    folder = Path(text).expanduser()
    if text and folder.is_dir():
        return _with_option(LOCAL, 'model', str(folder.absolute()), options)
    if _HUB_ID.fullmatch(text):
        return _with_option(LOCAL, 'model', text, options)
    raise ConfigurationError(
        f'unknown policy {text!r}; installed policies: '
        f'{", ".join(installed) or "none (is the workspace sourced?)"}; '
        f'models: {", ".join(models) or "none"}. Or give the folder of a checkpoint, org/name of '
        'the model hub, or the address of a server, as zmq://host:5555'
    )


def model_names() -> tuple[str, ...]:
    """Return the models by name: those of the manifests, and every folder of the models' folder.

    Raises:
        ConfigurationError: there is no folder, or a manifest cannot be read.
    """
    folder = models_folder()
    names = set(user_models(folder))
    for manifest in {shared_manifest(), folder / MANIFEST}:
        names |= _manifest_names(manifest)
    return tuple(sorted(names))


def _manifest_names(path: Path) -> set[str]:
    """Return the names of a manifest's models; not all of its entries are models."""
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        return set()
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f'manifest of models {path}: {error}') from error
    if not isinstance(content, Mapping):
        raise ConfigurationError(f'manifest of models {path}: expected name: entry')
    return {
        str(name)
        for name, entry in content.items()
        if isinstance(entry, Mapping) and entry.get('kind', 'model') == 'model'
    }


def _with_option(name: str, key: str, value: str, options: Mapping[str, Any]) -> ChosenPolicy:
    if options.get(key, value) != value:
        raise ConfigurationError(
            f'policy {value!r}: the option {key!r} says {options[key]!r}; leave one of them out'
        )
    return ChosenPolicy(name, {**options, key: value})
