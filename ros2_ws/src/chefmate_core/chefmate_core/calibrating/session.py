"""A calibration by hand, step by step: a state machine over a servo bus, without any console.

    with CalibrationSession(port, path) as session:
        session.start()
        while session.step not in (Step.DONE, Step.CANCELLED):
            view = session.poll()         # often: at 20 Hz or more
            ...                           # show it; then, as the person says:
            session.confirm()             # or restart(), cancel()

Positions are read as they are and the homing offset is applied here, so that nothing is written
before the last step: an interruption at any other moment leaves servos and file as they were.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from chefmate_core.calibrating import change, eeprom
from chefmate_core.calibrating.change import Patience
from chefmate_core.calibrating.checks import (
    EXPECTED_SPANS,
    gripper_drive_mode,
    range_findings,
)
from chefmate_core.calibrating.connecting import open_arm, torque_is_on, turn_torque_off
from chefmate_core.calibrating.eeprom import ServoSettings
from chefmate_core.calibrating.errors import NotReadyError
from chefmate_core.calibrating.files import text_of
from chefmate_core.calibrating.live import LivePositions
from chefmate_core.calibrating.recorder import RangeRecorder, homing_offset, reported
from chefmate_core.calibrating.views import ASKED, Finding, JointView, Severity, Step, View
from chefmate_core.calibration import MAX_TICK, ArmCalibration, JointCalibration
from chefmate_core.joints import GRIPPER, JOINT_COUNT, JOINT_NAMES, SERVO_IDS
from chefmate_core.servo.bus import ServoBus
from chefmate_core.servo.config import ServoConfig

_RECORDED_IN = (Step.RANGE, Step.GRIPPER)
_READ_IN = (Step.SUPPORT, Step.MIDDLE, Step.RANGE, Step.GRIPPER, Step.REVIEW)


class CalibrationSession:
    """One calibration of one arm. One thread owns it.

    Args:
        port: of the arm's bus.
        path: LeRobot's JSON to write, with its undo record and backup beside it.
        ids: servo ids, in the order of `JOINT_NAMES`.
        full_turn: joints whose range is the whole turn, as LeRobot takes wrist_roll; its zero is
            then where the hand held it in the middle.
        clock: seconds, steady.
        patience: what to do when the arm is lost while it is written to.
    """

    def __init__(
        self,
        port: str,
        path: Path,
        *,
        ids: tuple[int, ...] = SERVO_IDS,
        full_turn: frozenset[str] = frozenset({'wrist_roll'}),
        config: ServoConfig | None = None,
        clock: Callable[[], float] = time.monotonic,
        patience: Patience | None = None,
    ) -> None:
        self.path = path
        self.ids = ids
        self.full_turn = full_turn
        self.step = Step.SUPPORT
        self.recovered = ''  # what was taken back at the start; empty where nothing was
        self.result: ArmCalibration | None = None  # from REVIEW on
        self._bus = ServoBus(port, config)
        self._patience = patience
        self._live = LivePositions(self._bus, ids, clock)
        self._offsets: list[int] | None = None
        self._recorders: list[RangeRecorder] = []
        self._drive_modes = [0] * JOINT_COUNT

    def __enter__(self) -> 'CalibrationSession':
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Open the port, check the servos, take back what was cut short last time.

        Moves nothing and leaves torque as it is.
        Raises a BusError (port, silent servo) or a CalibrationError (wrong model, another arm).
        """
        open_arm(self._bus, self.ids)
        self._live.learn()
        if torque_is_on(self._bus, self.ids):
            self._read()
        else:
            self._begin()

    @property
    def before(self) -> tuple[ServoSettings, ...]:
        """What the servos held at the beginning."""
        return self._live.settings

    def close(self) -> None:
        """Close the port. Before the last step is confirmed nothing has been written."""
        self._bus.close()

    def poll(self) -> View:
        """Read where the joints are and return what to show. A lost port is opened again.

        Raises CalibrationError if another arm was plugged in instead.
        """
        if self.step in _READ_IN:
            self._read()
        return self._view()

    def confirm(self, accept_warnings: bool = False) -> None:
        """The person did what was asked: go on to the next step.

        Raises:
            NotReadyError: something is not as the step needs it; the step stays.
            UnchangedError, HalfWrittenError: see `change.apply`; the step stays.
        """
        if self.step in (Step.DONE, Step.CANCELLED):
            raise NotReadyError(f'the calibration is over ({self.step.value}); start another one')
        self._read()
        self._check_fresh()
        if self.step is Step.SUPPORT:
            turn_torque_off(self._bus, self.ids)
            self._begin()
        elif self.step is Step.MIDDLE:
            self._offsets = [homing_offset(actual) for actual in self._known()]
            self._recorders = [RangeRecorder() for _ in JOINT_NAMES]
            self._record(range(JOINT_COUNT))
            self.step = Step.RANGE
        elif self.step is Step.RANGE:
            self._check_findings(accept_warnings=True)
            self.step = Step.GRIPPER
        elif self.step is Step.GRIPPER:
            self._check_findings(accept_warnings=True)
            self._judge_gripper()
            self.result = self._calibration()
            self.step = Step.REVIEW
        else:
            self._check_findings(accept_warnings)
            self._write()
            self.step = Step.DONE

    def restart(self) -> None:
        """Begin again from the middle; what was recorded is forgotten."""
        if self.step in (Step.RANGE, Step.GRIPPER, Step.REVIEW):
            self.step = Step.MIDDLE
            self._offsets = None
            self._recorders = []
            self._drive_modes = [0] * JOINT_COUNT
            self.result = None

    def cancel(self) -> None:
        """End without writing. The arm stays limp."""
        if self.step is not Step.DONE:
            self.step = Step.CANCELLED

    def _write(self) -> None:
        assert self.result is not None
        turn_torque_off(self._bus, self.ids)
        after = eeprom.calibrated(self.before, self.result)
        text = text_of(self.result)
        change.apply(self._bus, self.path, self.ids, after, text, self._patience)

    def _calibration(self) -> ArmCalibration:
        assert self._offsets is not None
        joints = []
        for index, name in enumerate(JOINT_NAMES):
            recorder = self._recorders[index]
            low, high = 0, MAX_TICK
            if name not in self.full_turn:
                assert recorder.minimum is not None and recorder.maximum is not None
                low, high = recorder.minimum, recorder.maximum
            joints.append(
                JointCalibration(
                    self.ids[index], self._drive_modes[index], self._offsets[index], low, high
                )
            )
        return ArmCalibration(tuple(joints), str(self.path))

    def _judge_gripper(self) -> None:
        recorder, tick = self._recorders[GRIPPER], self._ticks()[GRIPPER]
        assert tick is not None and recorder.minimum is not None and recorder.maximum is not None
        mode = gripper_drive_mode(tick, recorder.minimum, recorder.maximum)
        if mode is None:
            raise NotReadyError(
                f'the gripper is not closed: it is at tick {tick}, its range is '
                f'{recorder.minimum} to {recorder.maximum}. Close it all the way and confirm again'
            )
        self._drive_modes[GRIPPER] = mode

    def _findings(self) -> tuple[Finding, ...]:
        if self.step not in (Step.RANGE, Step.GRIPPER, Step.REVIEW):
            return ()
        findings = range_findings(self._recorders, self.full_turn)
        if self._drive_modes[GRIPPER]:
            findings += (
                Finding(
                    JOINT_NAMES[GRIPPER],
                    Severity.WARNS,
                    'its ticks fall when it opens; on an SO-101 built by the manual they rise',
                    'If it was really closed, accept: drive_mode 1 is written, as LeRobot reads '
                    'it. Else start again from the middle.',
                ),
            )
        return findings

    def _check_findings(self, accept_warnings: bool) -> None:
        stopping = [
            finding
            for finding in self._findings()
            if finding.severity is Severity.BLOCKS or not accept_warnings
        ]
        if stopping:
            raise NotReadyError(' '.join(str(finding) for finding in stopping))

    def _check_fresh(self) -> None:
        stale = self._live.stale()
        if stale:
            raise NotReadyError(
                f'{self._bus.port}: no answer from {", ".join(stale)}. Check its power and cable; '
                'the calibration goes on when it is back'
            )

    def _begin(self) -> None:
        """The arm is limp: take back what was cut short last time, then begin."""
        self._live.is_limp = True
        self.recovered = change.recover(self._bus, self.path)
        self._live.learn()
        self.step = Step.MIDDLE
        self._read()

    def _read(self) -> None:
        fresh = self._live.read()
        if self.step in _RECORDED_IN:
            self._record(fresh)

    def _record(self, indices: Iterable[int]) -> None:
        ticks = self._ticks()
        for index in indices:
            tick = ticks[index]
            if tick is not None:
                self._recorders[index].add(tick, self._live.read_at_s[index])

    def _known(self) -> list[int]:
        return [actual for actual in self._live.actual if actual is not None]

    def _ticks(self) -> list[int | None]:
        """Return what the servos would report: by the new offsets, once there are any."""
        offsets = self._offsets or [settings.homing_offset for settings in self._live.settings]
        return [
            None if actual is None else reported(actual, offset)
            for actual, offset in zip(self._live.actual, offsets, strict=True)
        ]

    def _view(self) -> View:
        findings = self._findings()
        worst = {finding.joint: finding for finding in reversed(findings)}
        ticks, ages_s = self._ticks(), self._live.ages_s()
        joints = tuple(
            JointView(
                name,
                self.ids[index],
                ticks[index],
                self._recorders[index].minimum if self._recorders else None,
                self._recorders[index].maximum if self._recorders else None,
                ages_s[index],
                EXPECTED_SPANS[index],
                name in self.full_turn,
                worst.get(name),
            )
            for index, name in enumerate(JOINT_NAMES)
        )
        title, asked = ASKED[self.step]
        return View(self.step, title, asked, joints, findings, self._live.problem)
