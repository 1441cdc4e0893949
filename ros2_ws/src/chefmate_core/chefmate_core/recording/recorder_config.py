"""How to record, what the recorder does now, and how an episode ended."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from chefmate_core.errors import ConfigurationError

ON_STALL = ('end', 'continue')


class State(Enum):
    """What the recorder does now."""

    IDLE = 'idle'
    RECORDING = 'recording'
    FINISHING = 'finishing'


@dataclass(frozen=True)
class RecorderConfig:
    """How to record.

    Attributes:
        queue_mb: how much may wait for the disk; what comes then fails the episode.
        warn_free_mb: free disk space below which it warns.
        stop_free_mb: below which the episode is ended and saved, and no other begins.
        stall_timeout_s: silence of a required topic that is a stall.
        on_stall: `end` ends and saves the episode; `continue` goes on. Both name it.
    """

    queue_mb: float = 128.0
    warn_free_mb: float = 5000.0
    stop_free_mb: float = 1000.0
    stall_timeout_s: float = 1.0
    on_stall: str = 'end'

    def __post_init__(self) -> None:
        if self.on_stall not in ON_STALL:
            raise ConfigurationError(
                f'on_stall is {self.on_stall!r}; expected one of: {", ".join(ON_STALL)}'
            )
        for name in ('queue_mb', 'warn_free_mb', 'stop_free_mb', 'stall_timeout_s'):
            if not getattr(self, name) >= 0:  # NaN fails this too
                raise ConfigurationError(f'{name} is {getattr(self, name)}; 0 or more')


@dataclass(frozen=True)
class Ended:
    """How an episode ended: `folder` where it was saved, `failure` where it could not be."""

    index: int
    reason: str
    folder: Path | None = None
    failure: str = ''
    findings: tuple[str, ...] = ()
