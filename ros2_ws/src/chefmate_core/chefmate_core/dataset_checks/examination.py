"""What an examination of a data set or a session gathers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from chefmate_core.dataset_checks.episode_data import EpisodeData
from chefmate_core.dataset_checks.findings import Finding, Repairs, Where
from chefmate_core.dataset_checks.image_checks import SwapCheck, check_images
from chefmate_core.dataset_checks.motion_checks import RangeCheck, check_idle_head

Visit = Callable[[EpisodeData], None]  # sees each episode once, with its pictures


@dataclass
class Examination:
    """Findings, and what the whole is. Fill it, then call `finish`."""

    path: Path
    repairs: Repairs
    visit: Visit | None = None
    format: str = ''
    fps: int = 0
    robot_type: str = ''
    cameras: tuple[str, ...] = ()
    joint_names: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._swaps = SwapCheck(self.repairs)
        self._ranges = RangeCheck(self.repairs)

    def add(self, findings: Iterable[Finding]) -> None:
        """Take findings."""
        self.findings += findings

    def add_episode(self, episode: EpisodeData, check_ranges: bool) -> None:
        """Take an episode: what does not depend on the format is checked here."""
        if not episode.instruction.strip():
            self.findings.append(
                Finding(
                    'empty-instruction',
                    Where(episode.file, episode.number),
                    repr(episode.instruction),
                    'what is to be done, in plain language',
                    self.repairs.relabel(episode.number),
                )
            )
        self.add(check_idle_head(episode, self.repairs))
        self.add(check_images(episode, self.repairs))
        self._swaps.add(episode)
        if check_ranges:
            self._ranges.add(episode)
        if self.visit is not None:
            self.visit(episode)

    def finish(self) -> None:
        """Add what only all episodes together show; errors come first."""
        self.add(self._swaps.findings())
        self.add(self._ranges.findings())
        self.findings.sort(key=lambda finding: finding.severity.value)
