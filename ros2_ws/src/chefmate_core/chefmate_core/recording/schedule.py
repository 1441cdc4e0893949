"""When episodes begin and end by themselves: the episode's timer, the pause to reset the scene."""

from dataclasses import dataclass
from enum import Enum

from chefmate_core.errors import ConfigurationError


class Step(Enum):
    """What is to be done now."""

    NOTHING = 'nothing'
    START = 'start'
    FINISH = 'finish'


@dataclass(frozen=True)
class ScheduleConfig:
    """How a session runs.

    Attributes:
        episodes: how many to save; 0 for no end.
        episode_time_s: after which an episode is finished; 0 for never.
        reset_time_s: pause after an episode before the next begins by itself; 0 for never.
        autostart: begin the first one as soon as all is there.
    """

    episodes: int = 0
    episode_time_s: float = 0.0
    reset_time_s: float = 0.0
    autostart: bool = False

    def __post_init__(self) -> None:
        for name in ('episodes', 'episode_time_s', 'reset_time_s'):
            if not getattr(self, name) >= 0:  # NaN fails this too
                raise ConfigurationError(f'{name} is {getattr(self, name)}; 0 or more')


class Schedule:
    """Says what is due. All times are of the steady clock, seconds."""

    def __init__(self, config: ScheduleConfig) -> None:
        self.config = config
        self._reset_until_s: float | None = 0.0 if config.autostart else None

    def complete(self, saved: int) -> bool:
        """Return whether all episodes are there."""
        return 0 < self.config.episodes <= saved

    def ended(self, now_s: float) -> None:
        """An episode has ended, however: the pause begins."""
        if self.config.reset_time_s > 0:
            self._reset_until_s = now_s + self.config.reset_time_s

    def started(self) -> None:
        """An episode has begun."""
        self._reset_until_s = None

    def reset_left_s(self, now_s: float) -> float | None:
        """Return how long the pause still is; None without one."""
        if self._reset_until_s is None:
            return None
        return max(0.0, self._reset_until_s - now_s)

    def due(self, now_s: float, recording: bool, elapsed_s: float, saved: int) -> Step:
        """Return what to do now."""
        if recording:
            over = 0 < self.config.episode_time_s <= elapsed_s
            return Step.FINISH if over else Step.NOTHING
        if self.complete(saved) or self._reset_until_s is None or now_s < self._reset_until_s:
            return Step.NOTHING
        return Step.START
