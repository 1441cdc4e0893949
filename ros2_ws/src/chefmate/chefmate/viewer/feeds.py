"""The newest of everything that the page shows, and how old it is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

from chefmate_core.geometry import Pose
from chefmate_core.kinematics.planned_path import PlannedPath

Value = TypeVar('Value')

CAMERAS = ('wrist', 'scene')
RATE_MEMORY = 0.9  # how much of the last rate is in the next
SANE_DELAY_S = 60.0  # a stamp further off is of another clock and says nothing


@dataclass
class Feed(Generic[Value]):
    """One topic: its newest value, when it came (steady clock), and what was refused of it."""

    value: Value | None = None
    received_s: float = -math.inf
    delay_s: float = 0.0  # from the stamp to the reception
    rate_hz: float = 0.0
    refused: int = 0
    refusal: str = ''  # why the newest message was refused; empty: it was not

    def take(self, value: Value, now_s: float, delay_s: float = 0.0) -> None:
        """Keep a value; `delay_s` is how old it was when it came."""
        gap_s = now_s - self.received_s
        if 0.0 < gap_s < math.inf:
            self.rate_hz = RATE_MEMORY * self.rate_hz + (1.0 - RATE_MEMORY) / gap_s
        sane = 0.0 <= delay_s < SANE_DELAY_S
        self.value, self.received_s, self.refusal = value, now_s, ''
        self.delay_s = delay_s if sane else 0.0

    def refuse(self, why: str) -> None:
        """Count a message that cannot be shown; the last good one stays."""
        self.refused += 1
        self.refusal = why

    def forget(self) -> None:
        """Be as new: nobody listens any more."""
        self.value, self.received_s, self.rate_hz, self.refusal = None, -math.inf, 0.0, ''

    def age_s(self, now_s: float) -> float:
        """How old the value is; inf: there is none."""
        return now_s - self.received_s + self.delay_s

    def fresh(self, now_s: float, patience_s: float) -> Value | None:
        """Return the value if it came within `patience_s`."""
        return self.value if now_s - self.received_s <= patience_s else None


@dataclass(frozen=True)
class Applied:
    """What went to the servos: setpoints, shape (6,), rad, and what the safety gate does."""

    position_rad: np.ndarray
    mode: str


@dataclass(frozen=True)
class Servos:
    """Health of the six servos, arrays of shape (6,) in JOINT_NAMES order."""

    temperature_c: np.ndarray
    voltage_v: np.ndarray
    load: np.ndarray  # fraction of the stall torque
    findings: tuple[str, ...]


@dataclass(frozen=True)
class Progress:
    """What a running task says of itself."""

    phase: str
    elapsed_s: float


@dataclass
class Feeds:
    """Everything that is shown. Joint positions are in JOINT_NAMES order, rad."""

    joints: Feed[np.ndarray] = field(default_factory=Feed)
    asked: Feed[np.ndarray] = field(default_factory=Feed)
    applied: Feed[Applied] = field(default_factory=Feed)
    twin: Feed[np.ndarray] = field(default_factory=Feed)
    twin_error: Feed[np.ndarray] = field(default_factory=Feed)
    things: Feed[Mapping[str, Pose]] = field(default_factory=Feed)
    path: Feed[PlannedPath] = field(default_factory=Feed)
    servos: Feed[Servos] = field(default_factory=Feed)
    progress: Feed[Progress] = field(default_factory=Feed)
    images: dict[str, Feed[bytes]] = field(
        default_factory=lambda: {camera: Feed() for camera in CAMERAS}
    )  # JPEG

    def forget(self) -> None:
        """Forget what was received."""
        feeds: list[Feed[Any]] = [
            *(self.joints, self.asked, self.applied, self.twin, self.twin_error),
            *(self.things, self.path, self.servos, self.progress),
            *self.images.values(),
        ]
        for feed in feeds:
            feed.forget()
