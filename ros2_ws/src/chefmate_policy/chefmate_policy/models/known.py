"""All models that are known: those of the manifests, and folders that a user put there."""

from dataclasses import dataclass
from pathlib import Path

from chefmate_core.policy.model_folder import shared_manifest, user_models
from chefmate_policy.models.hub import HubId, cached_folder, read_provenance
from chefmate_policy.models.manifest import ModelEntry, read_manifest


@dataclass(frozen=True)
class KnownModel:
    """One line of `chefmate models list`."""

    name: str
    entry: ModelEntry | None  # None: a user's folder
    folder: Path | None  # None: not here, or random
    size_bytes: int  # of its files that are here
    origin: str
    revision: str | None

    @property
    def state(self) -> str:
        """Where it is, for people."""
        if self.folder is not None:
            return 'here'
        return 'made from its seed' if self.entry and self.entry.is_random else 'not fetched'


def known_models(models: Path) -> dict[str, ModelEntry]:
    """Return the entries of the project's manifest and, above them, of the folder's own."""
    return read_manifest(shared_manifest().parent) | read_manifest(models)


def list_models(models: Path) -> list[KnownModel]:
    """Return every model that is known, in the manifest's order, then the user's by name."""
    entries = known_models(models)
    found = []
    for name in (*entries, *(name for name in user_models(models) if name not in entries)):
        entry = entries.get(name)
        folder: Path | None = models / name
        if entry is not None and not (models / name).is_dir():
            hub = HubId(entry.origin, entry.revision)
            folder = None if entry.is_random else cached_folder(hub)
        origin, revision = read_provenance(folder) if folder else (None, None)
        found.append(
            KnownModel(
                name=name,
                entry=entry,
                folder=folder,
                size_bytes=_size(folder) if folder else 0,
                origin=origin or (entry.origin if entry else 'yours'),
                revision=revision or (entry.revision if entry else None),
            )
        )
    return found


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob('*') if path.is_file())
