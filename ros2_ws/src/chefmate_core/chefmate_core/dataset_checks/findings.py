"""What can be wrong with a data set or a session: names, and how each finding is told."""

import shlex
from collections.abc import Mapping, Sequence
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
    'incomplete-statistics': Severity.WARNING,
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
    episodes: tuple[int, ...] = ()  # where it concerns several

    def __str__(self) -> str:
        parts = [self.file]
        if self.episode is not None:
            parts.append(f'episode {self.episode}')
        if self.episodes:
            parts.append(f'episodes {listed(self.episodes)}')
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
    """The commands that repair a data set or a session at `path`, quoted for a shell."""

    path: str
    format: str  # as `chefmate dataset convert --to` takes it
    episodes: int | None = None  # how many there are; None: not known

    def rewrite(self, more: str = '') -> str:
        """Write it anew: numbering, statistics and tables are made from rows and videos."""
        return f'chefmate dataset convert {self._from_to} --to {self.format}{more}'

    def delete(self, *episodes: int) -> str:
        """Leave episodes out."""
        if self.format == SESSION:
            names = [f'{self.path}/episode_{episode:06d}' for episode in episodes]
            return shlex.join(['rm', '-r', *(f'{name}{end}' for name in names for end in _ENDS)])
        if self.episodes is not None and len(set(episodes)) >= self.episodes:
            return 'record again: it holds no other episode'
        return f'chefmate dataset delete {self._from_to} --episodes {listed(episodes)}'

    def relabel(self, episode: int) -> str:
        """Give an episode its instruction."""
        if self.format == SESSION:
            return f'correct the instruction in {self.path}/episode_{episode:06d}.json'
        return f"chefmate dataset relabel {self._from_to} --episodes {episode} --task 'WHAT TO DO'"

    def swap(self, episode: int, one: str, other: str) -> str:
        """Exchange two cameras in one episode."""
        names = shlex.join([f'{one}={other}', f'{other}={one}'])
        if self.format == SESSION:
            return (
                f'convert it; then chefmate dataset rename-camera DATASET FIXED {names} '
                f'--episodes (its place there)'
            )
        return f'chefmate dataset rename-camera {self._from_to} {names} --episodes {episode}'

    def session(self) -> str:
        """Repair what a crash left of a session."""
        return f'chefmate dataset repair {shlex.quote(self.path)}'

    @property
    def _from_to(self) -> str:
        return shlex.join([self.path, f'{self.path}-repaired'])


_ENDS = ('', '.json')  # of an episode's folder and file in a session


def listed(episodes: Sequence[int]) -> str:
    """Return episodes as `--episodes` takes them: `2,5-7`."""
    runs: list[list[int]] = []
    for episode in sorted(set(episodes)):
        if runs and episode == runs[-1][1] + 1:
            runs[-1][1] = episode
        else:
            runs.append([episode, episode])
    return ','.join(f'{first}' if first == last else f'{first}-{last}' for first, last in runs)
