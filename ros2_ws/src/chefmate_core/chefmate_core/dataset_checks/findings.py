"""What can be wrong with a data set or a session: names, and how each finding is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How bad a finding is."""

    ERROR = 'error'  # training fails, or learns what is not so
    WARNING = 'warning'  # training runs, and may learn worse


# Stable names; docs/dataset-checks.md explains each, and a test holds the two together.
CATALOGUE: Mapping[str, Severity] = {
    'not-a-data-set': Severity.ERROR,
    'missing-file': Severity.ERROR,
    'unreadable-file': Severity.ERROR,
    'missing-key': Severity.ERROR,
    'count-mismatch': Severity.ERROR,
    'wrong-fps': Severity.ERROR,
    'timestamps-off': Severity.ERROR,
    'wrong-index': Severity.ERROR,
    'unknown-task': Severity.ERROR,
    'empty-instruction': Severity.ERROR,
    'not-finite': Severity.ERROR,
    'wrong-units': Severity.ERROR,
    'joint-outside-calibration': Severity.ERROR,
    'idle-head': Severity.WARNING,
    'no-motion': Severity.WARNING,
    'unreadable-video': Severity.ERROR,
    'refused-codec': Severity.ERROR,
    'wrong-image-size': Severity.ERROR,
    'frozen-camera': Severity.ERROR,
    'black-camera': Severity.ERROR,
    'swapped-cameras': Severity.ERROR,
    'modality-missing': Severity.ERROR,
    'modality-range': Severity.ERROR,
    'modality-overlap': Severity.ERROR,
    'modality-gap': Severity.WARNING,
    'modality-camera': Severity.ERROR,
    'wrong-annotation-key': Severity.ERROR,
    'missing-statistics': Severity.ERROR,
    'stale-statistics': Severity.ERROR,
    'unfinished-episode': Severity.WARNING,
    'instruction-mismatch': Severity.WARNING,
    'late-frames': Severity.WARNING,
    'repeated-frames': Severity.WARNING,
    'bad-stamps': Severity.WARNING,
    'unreadable-images': Severity.WARNING,
    'recorder-finding': Severity.WARNING,
}


SESSION = 'session'  # the format of a session, in `Repairs`


@dataclass(frozen=True)
class Where:
    """The place of a finding; what does not apply is None."""

    file: str  # relative to the data set
    episode: int | None = None
    row: int | None = None

    def __str__(self) -> str:
        parts = [self.file]
        if self.episode is not None:
            parts.append(f'episode {self.episode}')
        if self.row is not None:
            parts.append(f'row {self.row}')
        return ', '.join(part for part in parts if part)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: where, what was found, what is expected, how to repair it."""

    name: str
    where: Where
    found: str
    expected: str
    repair: str

    def __post_init__(self) -> None:
        if self.name not in CATALOGUE:
            raise ValueError(f'{self.name!r} is not in the catalogue of findings')

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return CATALOGUE[self.name]

    def __str__(self) -> str:
        return (
            f'{self.severity.value} {self.name}: {self.where}: found {self.found}; '
            f'expected {self.expected}. Repair: {self.repair}'
        )


@dataclass(frozen=True)
class Repairs:
    """The commands that repair a data set or a session at `path`."""

    path: str
    format: str  # as `chefmate dataset convert --to` takes it

    def rewrite(self, more: str = '') -> str:
        """Write it anew: numbering, statistics and tables are made from rows and videos."""
        source, target = self.path, f'{self.path}-repaired'
        return f'chefmate dataset convert {source} {target} --to {self.format}{more}'

    def delete(self, episode: int) -> str:
        """Leave an episode out."""
        if self.format == SESSION:
            name = f'{self.path}/episode_{episode:06d}'
            return f'rm -r {name} {name}.json'
        return f'chefmate dataset delete {self.path} {self.path}-repaired --episodes {episode}'

    def relabel(self, episode: int) -> str:
        """Give an episode its instruction."""
        if self.format == SESSION:
            return f'correct the instruction in {self.path}/episode_{episode:06d}.json'
        return (
            f'chefmate dataset relabel {self.path} {self.path}-repaired --episodes {episode} '
            "--task 'WHAT TO DO'"
        )

    def swap(self, episode: int, one: str, other: str) -> str:
        """Exchange two cameras in one episode."""
        if self.format == SESSION:
            return (
                'convert it; then chefmate dataset rename-camera DATASET FIXED '
                f'{one}={other} {other}={one} --episodes (its place there)'
            )
        return (
            f'chefmate dataset rename-camera {self.path} {self.path}-repaired '
            f'{one}={other} {other}={one} --episodes {episode}'
        )

    def session(self) -> str:
        """Repair what a crash left of a session."""
        return f'chefmate dataset repair {self.path}'
