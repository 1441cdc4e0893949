"""A plan: segments on the clock of the observations, and where on it the arm really is."""

from collections.abc import Sequence

import numpy as np

from chefmate_core.joints import GRIPPER
from chefmate_sim.expert.kinematics import ARM_JOINT_COUNT
from chefmate_sim.expert.trajectory import MotionCaps, Segment

_SEARCH_STEP_S = 1.0 / 60.0
_TIE_RAD = 0.01  # of two places on the plan that fit as well as that, the later one counts


class Plan:
    """Segments end to end; before its start and after its end a plan stands still."""

    def __init__(self, start_s: float, start_rad: np.ndarray) -> None:
        """Begin an empty plan at a stamp and at joint positions, shape (6,)."""
        self._start_rad = np.array(start_rad, float)
        self._start_s = start_s
        self._timed: list[tuple[float, Segment]] = []

    @property
    def end_s(self) -> float:
        """Stamp at which the last segment ends."""
        if not self._timed:
            return self._start_s
        start_s, segment = self._timed[-1]
        return start_s + segment.duration_s

    @property
    def end_rad(self) -> np.ndarray:
        """Joint positions at the end, shape (6,)."""
        return self._timed[-1][1].end_rad if self._timed else self._start_rad.copy()

    def append(self, segments: Sequence[Segment], not_before_s: float) -> None:
        """Add segments at the end, or at `not_before_s` if the plan ended earlier."""
        for segment in segments:
            self._timed.append((max(self.end_s, not_before_s), segment))

    def delay(self, by_s: float) -> None:
        """Put the whole plan off, s."""
        self._start_s += by_s
        self._timed = [(start_s + by_s, segment) for start_s, segment in self._timed]

    def forget_before(self, stamp_s: float) -> None:
        """Drop segments that ended before `stamp_s`, but never the last one."""
        while len(self._timed) > 1 and self._timed[1][0] < stamp_s:
            start_s, segment = self._timed.pop(0)
            self._start_s, self._start_rad = start_s + segment.duration_s, segment.end_rad

    def sample(self, stamps_s: np.ndarray) -> np.ndarray:
        """Return joint positions, shape (T, 6), at stamps of shape (T,)."""
        stamps_s = np.asarray(stamps_s, float)
        positions = np.repeat(self._start_rad[None], len(stamps_s), axis=0)
        for start_s, segment in self._timed:
            begun = stamps_s >= start_s
            if np.any(begun):
                positions[begun] = segment.sample(stamps_s[begun] - start_s)
        return positions

    def phase_at(self, stamp_s: float) -> str:
        """Return what happens at a stamp, for people."""
        phase = self._timed[0][1].phase if self._timed else ''
        for start_s, segment in self._timed:
            if start_s <= stamp_s:
                phase = segment.phase
        return phase

    def jaw_moved_s(self, stamp_s: float) -> float:
        """Return when the last motion of the jaw began before `stamp_s`; -inf if there was none.

        The arm goes into a slot and out of it on the same path. What tells the two apart is the
        jaw: from behind its last motion, going on with the plan would drop what it holds.
        """
        for start_s, segment in reversed(self._timed):
            moves = abs(segment.end_rad[GRIPPER] - segment.start_rad[GRIPPER]) > _TIE_RAD
            if start_s <= stamp_s and moves:
                return start_s
        return -np.inf

    def nearest(self, position_rad: np.ndarray, from_s: float, to_s: float) -> tuple[float, float]:
        """Return the latest stamp in a range at which the plan is nearest to the arm's joints.

        Returns:
            The stamp and the largest difference of an arm joint there, rad. The jaw does not
            count: what it holds keeps it from its goal.
        """
        count = max(2, int(np.ceil((to_s - from_s) / _SEARCH_STEP_S)) + 1)
        stamps_s = np.linspace(from_s, to_s, count)
        difference = self.sample(stamps_s)[:, :ARM_JOINT_COUNT] - position_rad[:ARM_JOINT_COUNT]
        error_rad = np.max(np.abs(difference), axis=1)
        index = np.flatnonzero(error_rad <= error_rad.min() + _TIE_RAD)[-1]
        return float(stamps_s[index]), float(error_rad[index])

    def ahead(self, stamp_s: float, step_rad: float) -> float:
        """Return the first stamp after which an arm joint is `step_rad` from where it is now.

        If none gets that far, the first one of the farthest: a stand at the end is not passed.
        """
        stamps_s = np.arange(stamp_s, max(self.end_s, stamp_s) + _SEARCH_STEP_S, _SEARCH_STEP_S)
        positions = self.sample(stamps_s)[:, :ARM_JOINT_COUNT]
        moved_rad = np.max(np.abs(positions - positions[0]), axis=1)
        far_enough = moved_rad >= min(step_rad, moved_rad.max() - 1e-3)
        return float(stamps_s[np.argmax(far_enough)])

    def resumed(self, left_s: float, now_s: float, caps: MotionCaps) -> 'Plan':
        """Return the plan that goes on at `now_s`, from rest, with what came after `left_s`."""
        plan = Plan(now_s, self.sample(np.array([left_s]))[0])
        for start_s, segment in self._timed:
            elapsed_s = left_s - start_s
            if elapsed_s >= segment.duration_s:
                continue
            if elapsed_s > 0.0 and segment.stands:
                segment = segment.lasting(segment.duration_s - elapsed_s)
            elif elapsed_s > 0.0:
                fraction = float(segment.fraction_at(np.array([elapsed_s]))[0])
                segment = segment.tail(fraction, caps)
            plan.append([segment], now_s)
        return plan
