"""Models from the Hugging Face hub: at a revision that is named, whole, or not at all."""

import fnmatch
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chefmate_core.errors import ConfigurationError
from chefmate_policy.checkpoint.errors import CheckpointError
from chefmate_policy.checkpoint.jsonfile import read_json, write_json

PROVENANCE = 'provenance.json'  # written by `fetch` beside the files
# Weights, configs, tokenizers, licences; nothing that could be run.
WANTED = (
    '*.json', '*.safetensors', '*.jinja', 'merges.txt', '*.md', 'LICENSE*', 'NOTICE*',
    '*.model', '*.yaml',
)  # fmt: skip
_CHUNK = 1 << 22


@dataclass(frozen=True)
class HubId:
    """A repository of the hub, `org/name`, at a revision."""

    name: str
    revision: str | None = None

    @staticmethod
    def is_one(text: str) -> bool:
        """Whether `text` could be `org/name` or `org/name@revision`."""
        return re.fullmatch(r'[\w-][\w.-]*/[\w-][\w.-]*(@[\w./-]+)?', text) is not None

    @classmethod
    def parse(cls, text: str) -> 'HubId':
        """Read `org/name[@revision]`."""
        if not cls.is_one(text):
            raise ConfigurationError(f'expected org/name@revision; found {text!r}')
        name, _, revision = text.partition('@')
        return cls(name, revision or None)

    def pinned(self) -> 'HubId':
        """Return it, if it has a revision.

        Raises:
            ConfigurationError: it has none.
        """
        if self.revision is None:
            raise ConfigurationError(
                f'{self.name}: no revision: what a hub repository holds changes, and a robot '
                f'must not. Next: name one, {self.name}@REVISION (the commit, from "History" on '
                f'https://huggingface.co/{self.name}/commits/main)'
            )
        return self

    def __str__(self) -> str:
        return f'{self.name}@{self.revision}' if self.revision else self.name


def folder_of(hub: HubId, models: Path) -> Path:
    """Return where a repository that the manifest does not name is fetched to."""
    revision = re.sub(r'[^\w.-]', '-', str(hub.revision))
    return models / f'{hub.name.replace("/", "--")}@{revision[:12]}'


def cached_folder(hub: HubId) -> Path | None:
    """Return the hub client's cache of a revision, where another program fetched it before.

    It needs no network. What is missing in it is said when it is opened.
    """
    from huggingface_hub import constants

    cache = Path(constants.HF_HUB_CACHE) / f'models--{hub.name.replace("/", "--")}'
    if hub.revision is None:
        return None
    ref = cache / 'refs' / hub.revision
    commit = ref.read_text().strip() if ref.is_file() else hub.revision
    folder = cache / 'snapshots' / commit
    return folder if folder.is_dir() and any(folder.iterdir()) else None


def fetch(hub: HubId, target: Path, sha256: Mapping[str, str] | None = None) -> None:
    """Download a repository to `target`; an interrupted download is resumed by the next one.

    Shows a progress bar. Sizes and, for large files, digests are compared with the hub's.

    Args:
        hub: the repository, with a revision.
        target: the folder to make.
        sha256: file -> digest that it must have.

    Raises:
        ConfigurationError: offline, no such repository or revision, no access, no room.
        CheckpointError: a file is not what the hub says, or not what `sha256` says.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    # Whatever library the hub's client uses for HTTP, its errors are this one's bases.
    failures: tuple[type[BaseException], ...] = (OSError, *HfHubHTTPError.__bases__)
    hub = hub.pinned()
    if target.exists():
        raise ConfigurationError(f'{target} exists. Next: remove it to fetch it again')
    partial = target.with_name(f'.partial-{target.name}')
    try:
        info = HfApi().model_info(hub.name, revision=hub.revision, files_metadata=True)
        wanted = {
            file.rfilename: file for file in info.siblings or () if _is_wanted(file.rfilename)
        }
        if not wanted:
            raise ConfigurationError(f'{hub}: holds nothing of {", ".join(WANTED)}')
        _check_room(sum(file.size or 0 for file in wanted.values()), partial, target)
        # By commit: a branch may move between these two calls.
        snapshot_download(
            hub.name, revision=info.sha, local_dir=partial, allow_patterns=sorted(wanted)
        )
    except failures as error:
        raise ConfigurationError(_why(hub, target, error)) from error
    files = {}
    for name, file in wanted.items():
        path = partial / name
        digest = digest_of(path) if path.is_file() else 'nothing'
        lfs: Any = file.lfs
        for expected in ((sha256 or {}).get(name), lfs.sha256 if lfs else None):
            if expected is not None and digest != expected:
                raise CheckpointError(
                    f'{path}: sha256: expected {expected}; found {digest}. '
                    f'Next: remove {partial} and fetch again'
                )
        if not path.is_file() or (file.size is not None and path.stat().st_size != file.size):
            raise CheckpointError(f'{path}: expected {file.size} bytes; fetch again')
        files[name] = {'bytes': path.stat().st_size, 'sha256': digest}
    shutil.rmtree(partial / '.cache', ignore_errors=True)
    write_json(
        partial / PROVENANCE,
        {'origin': hub.name, 'revision': info.sha, 'asked': hub.revision, 'files': files},
    )
    partial.rename(target)


def read_provenance(folder: Path) -> tuple[str | None, str | None]:
    """Return origin and revision of a fetched folder; None where nobody wrote them down."""
    path = folder / PROVENANCE
    if not path.is_file():
        return None, None
    content = read_json(path)
    origin, revision = content.get('origin'), content.get('revision')
    return origin and str(origin), revision and str(revision)


def digest_of(path: Path, progress: Callable[[int], None] | None = None) -> str:
    """Return a file's sha256; `progress` is called with bytes read since the last call."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            if progress is not None:
                progress(len(chunk))
    return digest.hexdigest()


def _is_wanted(name: str) -> bool:
    inside = not Path(name).is_absolute() and '..' not in Path(name).parts
    return inside and any(fnmatch.fnmatch(Path(name).name, pattern) for pattern in WANTED)


def _check_room(size: int, partial: Path, target: Path) -> None:
    there = sum(path.stat().st_size for path in partial.rglob('*') if path.is_file())
    free = shutil.disk_usage(target.parent).free
    if size - there > free:
        raise ConfigurationError(
            f'{target.parent}: expected {(size - there) / 1e9:.1f} GB of room; found '
            f'{free / 1e9:.1f} GB. Next: make room, or set CHEFMATE_MODELS to a larger disk'
        )


def _why(hub: HubId, target: Path, error: BaseException) -> str:
    kind = type(error).__name__
    if kind == 'OfflineModeIsEnabled' or os.environ.get('HF_HUB_OFFLINE') in ('1', 'true', 'yes'):
        why, what = 'offline (HF_HUB_OFFLINE is set)', 'unset it'
    elif kind == 'RevisionNotFoundError':
        why, what = f'no revision {hub.revision}', 'name a commit of its history'
    elif kind == 'GatedRepoError':
        why, what = (
            'its licence must be accepted first',
            (f'accept it on https://huggingface.co/{hub.name} and log in (hf auth login)'),
        )
    elif kind == 'RepositoryNotFoundError':
        why, what = 'no such repository, or no access', 'check the name, or log in (hf auth login)'
    else:
        why, what = f'{kind}: {error}', 'check the network'
    return (
        f'cannot fetch {hub}: {why}. Next: {what}; or copy the folder from a machine that has '
        f'it to {target}'
    )
