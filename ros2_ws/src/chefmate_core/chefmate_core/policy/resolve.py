"""From what a person writes after `policy:=` to an installed policy and its options.

| written | policy | option |
|---|---|---|
| the name of an installed policy | that one | |
| `zmq://`, `http://`, `https://`, `chefmate://` and host:port | `remote` | `url` |
| a name in the models' folder, or in its manifest | `groot` | `model` |
| the folder of a checkpoint | `groot` | `model` |
| `org/name` or `org/name@revision` of the model hub | `groot` | `model` |
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.registry import available_policies

LOCAL, REMOTE = 'groot', 'remote'
URL_SCHEMES = ('zmq', 'http', 'https', 'chefmate')
CHECKPOINT_FILES = ('config.json', 'adapter_config.json')  # one of them makes a folder a model
MANIFEST = 'manifest.yaml'
FOLDER_VARIABLE = 'CHEFMATE_MODELS'
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
        if not any((folder / name).is_file() for name in CHECKPOINT_FILES):
            raise ConfigurationError(
                f'policy {text!r}: the folder holds no {" or ".join(CHECKPOINT_FILES)}; '
                'expected the folder of a checkpoint'
            )
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
    """Return the models by name: those of the manifest, and every checkpoint in its folder."""
    folder = models_folder()
    if folder is None:
        return ()
    found = {path.parent.name for name in CHECKPOINT_FILES for path in folder.glob(f'*/{name}')}
    return tuple(sorted(found | _manifest_names(folder / MANIFEST)))


def models_folder() -> Path | None:
    """Return where models are: `CHEFMATE_MODELS`, else the folder that the packages installed."""
    if os.environ.get(FOLDER_VARIABLE):
        return Path(os.environ[FOLDER_VARIABLE])
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        folder = Path(prefix, 'share', 'chefmate_policy', 'models')
        if prefix and folder.is_dir():
            return folder.resolve()
    return None


def _manifest_names(path: Path) -> set[str]:
    """Return the names in a manifest: `models:` is a mapping by name, or a list of entries."""
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        return set()
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f'manifest of models {path}: {error}') from error
    models = content.get('models', ()) if isinstance(content, Mapping) else ()
    if isinstance(models, Mapping):
        return {str(name) for name in models}
    return {str(entry['name']) for entry in models if isinstance(entry, Mapping)}


def _with_option(name: str, key: str, value: str, options: Mapping[str, Any]) -> ChosenPolicy:
    if options.get(key, value) != value:
        raise ConfigurationError(
            f'policy {value!r}: the option {key!r} says {options[key]!r}; leave one of them out'
        )
    return ChosenPolicy(name, {**options, key: value})
