"""What is known of an arm and its twin: the error, the latency, and what is wrong with either."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.timing import Rate
from chefmate_core.twin.config import TwinConfig
from chefmate_core.twin.history import History
from chefmate_core.twin.lag import estimate_lag_s
from chefmate_core.twin.mapping import JointMap, TwinMessageError
from chefmate_core.twin.stamps import StampClock, StampReader
from chefmate_core.twin.states import LEVELS, TwinState
from chefmate_core.twin.tracking import ErrorTracker, JointError

LAG_PERIOD_S = 2.0  # between two estimates of the latency
LAG_SHOWN_S = 10.0  # without motion there is no new one: so long the last one counts
REFUSAL_SHOWN_S = 5.0  # how long a refused message is told
_HINT_STATES = 60  # newest ones of the twin that its unit is guessed from


class TwinMonitor:
    """Takes both sides' states; compares them when asked. One thread calls it.

    Times `now_s` are of the steady clock, `clock_s` and stamps of the node's clock.

    Args:
        no_arm: what is said where no arm is heard; what the twin follows may be none.
    """

    def __init__(
        self, joint_map: JointMap, config: TwinConfig | None = None, no_arm: str = TwinState.NO_ARM
    ) -> None:
        self._no_arm = no_arm
        self._map = joint_map
        self._config = config or TwinConfig()
        self._real, self._twin = History(), History()
        self._real_stamps, self._twin_stamps = StampReader(), StampReader()
        self._tracker = ErrorTracker(self._config)
        self._rate = Rate()
        self._heard_arm_s = self._heard_twin_s = self._refused_s = -math.inf
        self._restarts = 0
        self._lag_s: float | None = None
        self._lag_due_s = self._lag_found_s = -math.inf
        self.last_refusal = ''
        self.counters: Counter[str] = Counter()

    # --- both sides ------------------------------------------------------------------------------

    def arm_moved(
        self, stamp_s: float, position_rad: np.ndarray, clock_s: float, now_s: float
    ) -> None:
        """The arm was at a position, shape (6,), at a stamp."""
        self._heard_arm_s = now_s
        time_s = self._real_stamps.read(stamp_s, clock_s, now_s)
        if time_s is not None and np.isfinite(position_rad).all():
            self._real.add(time_s, position_rad)

    def twin_said(
        self,
        stamp_s: float,
        names: Sequence[str],
        positions: Sequence[float],
        clock_s: float,
        now_s: float,
    ) -> np.ndarray | None:
        """Take a message of the twin; return our positions, shape (6,).

        None for a message that is refused or out of order; both are counted.
        """
        try:
            position_rad = self._map.from_twin(names, positions)
        except TwinMessageError as error:
            self.refuse(error, now_s)
            return None
        if now_s - self._heard_twin_s > self._config.silent_s and self._heard_twin_s > 0.0:
            self.counters['silences'] += 1
        time_s = self._twin_stamps.read(stamp_s, clock_s, now_s)
        if time_s is None:
            return None
        self._heard_twin_s = now_s
        self._rate.tick(now_s)
        if self._twin_stamps.counters['restarts'] > self._restarts:
            self._restarts = self._twin_stamps.counters['restarts']
            self._begin_anew()
        self._twin.add(time_s, position_rad)
        return position_rad

    def refuse(self, error: TwinMessageError, now_s: float) -> None:
        """The twin said what cannot be used."""
        self.counters[error.refusal] += 1
        self.last_refusal, self._refused_s = str(error), now_s

    def twin_stamp_s(self, clock_s: float) -> float:
        """Return the node's time of the state that the twin told last."""
        return clock_s - max(self._twin_stamps.age_s, 0.0)

    def begin_anew(self) -> None:
        """The arm's motion is another from now on: nothing is compared with what was before."""
        self._real, self._real_stamps = History(), StampReader()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._twin = History()
        self._tracker = ErrorTracker(self._config)
        self._lag_s = None

    # --- what is known ---------------------------------------------------------------------------

    def compare(self) -> JointError | None:
        """Return the newest error that could be determined since the last call, or None."""
        return self._tracker.compare(self._real, self._twin)

    def lag_s(self, now_s: float) -> float | None:
        """Return how long after the arm the twin does the same, s; None where it is not known.

        That is so without motion for a while, and where one of the two is silent.
        """
        if now_s - min(self._heard_arm_s, self._heard_twin_s) > self._config.silent_s:
            self._lag_s = None
        elif now_s >= self._lag_due_s:
            self._lag_due_s = now_s + LAG_PERIOD_S
            found_s = estimate_lag_s(self._real, self._twin)
            if found_s is not None:
                self._lag_s, self._lag_found_s = found_s, now_s
            elif now_s - self._lag_found_s > LAG_SHOWN_S:
                self._lag_s = None
        return self._lag_s

    def state(self, now_s: float) -> TwinState:
        """Return what is to be said first."""
        if now_s - self._heard_arm_s > self._config.silent_s:
            return TwinState.NO_ARM
        is_refused = now_s - self._refused_s <= REFUSAL_SHOWN_S
        if is_refused and self._refused_s >= self._heard_twin_s - self._config.silent_s:
            return TwinState.REFUSED
        if self._heard_twin_s == -math.inf:
            return TwinState.WAITING
        if now_s - self._heard_twin_s > self._config.silent_s:
            return TwinState.SILENT
        if self._twin_stamps.age_s > self._config.late_s:
            return TwinState.LATE
        if self._tracker.level is Level.ERROR:
            return TwinState.ALARM
        if self._tracker.level is Level.WARN:
            return TwinState.DEVIATING
        for state, clock in (
            (TwinState.FOREIGN_CLOCK, StampClock.FOREIGN),
            (TwinState.UNSTAMPED, StampClock.NONE),
        ):
            if clock in (self._twin_stamps.clock, self._real_stamps.clock):
                return state
        return TwinState.FOLLOWING

    def sentence(self, now_s: float) -> str:
        """Return the state with what explains it, for people."""
        state = self.state(now_s)
        if state is TwinState.NO_ARM:
            return str(self._no_arm)
        if state is TwinState.REFUSED:
            return f'{state}: {self.last_refusal}'
        if state is TwinState.SILENT:
            return f'{state} for {now_s - self._heard_twin_s:.1f} s'
        if state is TwinState.LATE:
            return f'{state}: its states are {self._twin_stamps.age_s:.1f} s old at arrival'
        if state in (TwinState.ALARM, TwinState.DEVIATING):
            return f'{state}: {self._worst()}{self._degrees_hint()}'
        if state is TwinState.FOREIGN_CLOCK:
            return f'{state} (use_sim_time on one side?): compared by time of arrival'
        if state is TwinState.UNSTAMPED:
            return f'{state}: compared by time of arrival'
        return str(state)

    def line(self, now_s: float) -> str:
        """Return one line for a terminal: state, error, latency."""
        parts = [self.sentence(now_s)]
        window = self._tracker.window()
        if window is not None and self.state(now_s) not in (TwinState.WAITING, TwinState.SILENT):
            rms, worst = window
            joint = int(np.argmax(worst))
            parts.append(
                f'error rms {math.sqrt(float(np.mean(rms**2))):.3f} rad, '
                f'max {worst[joint]:.3f} rad ({JOINT_NAMES[joint]}) '
                f'in {self._config.window_s:g} s'
            )
        lag_s = self.lag_s(now_s)
        parts.append('latency unknown' if lag_s is None else f'latency {lag_s * 1e3:.0f} ms')
        return ' · '.join(parts)

    def diagnose(self, now_s: float) -> Diagnosis:
        """Return everything for /diagnostics."""
        lag_s = self.lag_s(now_s)
        values: dict[str, object] = {
            'twin_rate_hz': self._rate.hz(now_s),
            'twin_clock': self._twin_stamps.clock,
            'arm_clock': self._real_stamps.clock,
            'twin_age_ms': self._twin_stamps.age_s * 1e3,
            'latency_ms': '' if lag_s is None else lag_s * 1e3,
        }
        window = self._tracker.window()
        if window is not None:
            for index, name in enumerate(JOINT_NAMES):
                values[f'{name}_error_rad'] = float(self._tracker.newest_rad[index])
                values[f'{name}_error_rms_rad'] = float(window[0][index])
                values[f'{name}_error_max_rad'] = float(window[1][index])
        values |= self.counters
        values |= {f'twin_stamps_{k}': v for k, v in self._twin_stamps.counters.items()}
        values |= self._map.counters
        level = LEVELS.get(self.state(now_s), Level.WARN)
        return Diagnosis(level, self.sentence(now_s), values)

    def _worst(self) -> str:
        error_rad = self._tracker.newest_rad
        joint = int(np.nanargmax(np.abs(error_rad)))
        return f'{JOINT_NAMES[joint]} by {error_rad[joint]:+.2f} rad'

    def _degrees_hint(self) -> str:
        """Numbers 57.3 times those of the arm are degrees, also where they are small."""
        if not (len(self._real) and len(self._twin)):
            return ''
        newest = slice(-_HINT_STATES, None)
        twin = self._twin.positions_rad[newest]
        real = self._real.at(self._twin.times_s[newest])
        factor = np.sum(twin * real) / max(np.sum(real**2), 1e-9)
        if abs(factor / math.degrees(1.0) - 1.0) < 0.15:
            return '. Its numbers are those of the arm in degrees: set unit: deg in the mapping'
        return ''
