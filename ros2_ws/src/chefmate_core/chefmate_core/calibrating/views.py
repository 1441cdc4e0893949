"""What a front end shows of a calibration, and what is asked of the hand."""

from dataclasses import dataclass
from enum import Enum


class Step(Enum):
    """Where a calibration is. `confirm` leads from each to the next."""

    SUPPORT = 'support'  # the arm has torque and would fall
    MIDDLE = 'middle'
    RANGE = 'range'
    GRIPPER = 'gripper'
    REVIEW = 'review'
    DONE = 'done'
    CANCELLED = 'cancelled'


# What the hand is to do: a title and a sentence.
ASKED: dict[Step, tuple[str, str]] = {
    Step.SUPPORT: (
        'Hold the arm',
        'The arm holds itself up. Take it in your hand: on confirming, all torque goes off.',
    ),
    Step.MIDDLE: (
        'Move every joint to the middle of its range',
        'Halfway between its two stops, the gripper half open. Near is good enough for all but '
        'wrist_roll, whose zero it becomes.',
    ),
    Step.RANGE: (
        'Move every joint to both of its stops',
        'One after the other, slowly, as far as it goes. The middle of what is seen becomes zero.',
    ),
    Step.GRIPPER: ('Close the gripper', 'All the way, and keep it closed while you confirm.'),
    Step.REVIEW: (
        'Look at the result',
        'Confirm to write it to the servos and to the file. Nothing has been written so far.',
    ),
    Step.DONE: ('Calibrated', 'Servos and file hold the new calibration.'),
    Step.CANCELLED: ('Cancelled', 'Nothing was written. The arm is limp.'),
}


class Severity(Enum):
    """What a finding does."""

    BLOCKS = 'blocks'  # the step cannot be left
    WARNS = 'warns'  # it can, if the person accepts it


@dataclass(frozen=True)
class Finding:
    """Something that is not right with a joint, and what to do about it."""

    joint: str
    severity: Severity
    found: str
    advice: str

    def __str__(self) -> str:
        return f'{self.joint}: {self.found}. {self.advice}'


@dataclass(frozen=True)
class JointView:
    """One joint, live. Ticks as the servo will report them after this calibration, 0..4095."""

    name: str
    servo_id: int
    tick: int | None  # None: no answer yet
    minimum: int | None  # of what was seen so far; None: nothing recorded
    maximum: int | None
    age_s: float  # since it last answered
    expected_span: int  # ticks that an SO-101's joint usually moves
    is_full_turn: bool  # its range is not recorded
    finding: Finding | None  # the worst of this joint

    @property
    def span(self) -> int:
        """Ticks between the ends that were seen."""
        if self.minimum is None or self.maximum is None:
            return 0
        return self.maximum - self.minimum


@dataclass(frozen=True)
class View:
    """A calibration at one instant."""

    step: Step
    title: str
    asked: str
    joints: tuple[JointView, ...]
    findings: tuple[Finding, ...]
    problem: str  # of the port; empty when all is well
