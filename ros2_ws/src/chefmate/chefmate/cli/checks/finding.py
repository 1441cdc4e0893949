"""What a check looks at, and what it says."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Status = Literal['ok', 'warn', 'broken', 'skipped']


@dataclass(frozen=True)
class Machine:
    """The machine to look at. Tests hand in a root folder and an environment of their own."""

    hardware: Literal['sim', 'real'] = 'sim'  # what it is to be used for
    root: Path = Path('/')
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    calibration_dir: Path | None = None  # None: the installed one, or the user's (real)

    @property
    def is_real(self) -> bool:
        """Whether a real arm is to be driven."""
        return self.hardware == 'real'


@dataclass(frozen=True)
class Finding:
    """One line of the doctor."""

    name: str
    status: Status
    found: str
    advice: str = ''  # what to do; empty where nothing is to be done


def needs_real(machine: Machine, name: str, found: str, advice: str) -> Finding:
    """Return what is wrong with a thing that only a real arm needs."""
    if machine.is_real:
        return Finding(name, 'broken', found, advice)
    return Finding(name, 'skipped', f'{found} (not needed in simulation)')
