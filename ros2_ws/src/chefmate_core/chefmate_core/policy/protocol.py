"""The policy protocol: an observation goes in, a chunk of joint goals comes out.

Everything that can steer the arm by itself speaks this: the scripted expert (`chefmate_sim`),
GR00T (`chefmate_policy`), remote clients (core). The policy node knows nothing else about them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from chefmate_core.errors import PolicyError
from chefmate_core.geometry import Pose
from chefmate_core.joints import JOINT_COUNT

HORIZON = 16  # steps of one chunk
PERIOD_S = 1.0 / 30.0  # of one step: the data set's frame period


@dataclass(frozen=True)
class Observation:
    """What a policy sees at one instant. Stamps: seconds of the node's clock at acquisition."""

    stamp_s: float
    instruction: str
    joint_position_rad: np.ndarray  # (6,) measured
    joint_velocity_rad_s: np.ndarray  # (6,) measured
    images: Mapping[str, np.ndarray] = field(default_factory=dict)  # uint8 rgb (H, W, 3)
    image_stamps_s: Mapping[str, float] = field(default_factory=dict)
    objects: Mapping[str, Pose] = field(default_factory=dict)  # privileged; simulation only
    # Seconds of a chunk that the arm plays in a second: below 1 while a servo must be spared. A
    # policy that plans from what it sees need not care; one that runs by the clock must.
    speed: float = 1.0
    # What will be played whatever the answer: row i is the goal for `stamp_s + i * period_s`, in
    # the chunk's own time and with its period. (K, 6), or None while nothing is played.
    committed_rad: np.ndarray | None = None


@dataclass(frozen=True)
class ActionChunk:
    """Goals for the joints: row i is the goal for `stamp_s + i * period_s`."""

    stamp_s: float  # stamp of the observation this chunk answers
    positions_rad: np.ndarray  # (T, 6)
    period_s: float = PERIOD_S
    phase: str = ''  # what the policy is doing, for people
    done: bool = False  # the policy considers its task finished
    timings_s: Mapping[str, float] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)  # more about it, for diagnostics

    def __post_init__(self) -> None:
        shape = np.shape(self.positions_rad)
        if len(shape) != 2 or shape[0] < 1 or shape[1] != JOINT_COUNT:
            raise PolicyError(
                f'a chunk holds positions of shape (T, {JOINT_COUNT}), T >= 1; found {shape}'
            )
        if not np.all(np.isfinite(self.positions_rad)):
            raise PolicyError('a chunk holds finite positions only; found NaN or inf')
        if not self.period_s > 0:
            raise PolicyError(f'a chunk has a period above 0 s; found {self.period_s}')


@dataclass(frozen=True)
class PolicySpec:
    """What a policy needs in order to run."""

    name: str
    cameras: tuple[str, ...] = ()  # names of the images it looks at
    needs_objects: bool = False  # privileged object poses: simulation only
    replan_period_s: float = 0.2  # how often a new chunk is wanted
    horizon: int = HORIZON  # rows of a chunk
    period_s: float = PERIOD_S  # of one row
    # Whether its chunks tell when the task is done; else someone has to end the task.
    says_done: bool = True
    known_instructions: tuple[str, ...] = ()  # examples, for error messages and for the viewer


@runtime_checkable
class Policy(Protocol):
    """A policy. One thread calls it; a call may take as long as it needs, the arm never waits."""

    @property
    def spec(self) -> PolicySpec:
        """What this policy needs."""

    def reset(self, instruction: str) -> None:
        """Begin a task, or change the running one's instruction.

        Raises:
            UnknownInstructionError: it is not understood.
            PolicyError: it cannot be used. Either way a running task stays as it was.
        """

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next chunk; raise PolicyError if there can be none.

        EngineBusyError and EngineTimeoutError mean that asking again may help.
        """

    def close(self) -> None:
        """Release what the policy holds."""
