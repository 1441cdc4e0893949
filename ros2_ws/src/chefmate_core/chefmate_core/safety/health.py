"""Health of the servos: what is wrong, for how long it has been, and what follows from it.

Each rule compares one quantity of each joint with three thresholds. What lies beyond one for the
rule's time counts: WARN is said, DERATE slows the arm, STOP ends the motion. A quantity that
cannot be read never makes anything better.
"""

from collections import deque
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from chefmate_core.errors import ChefMateError
from chefmate_core.joints import GRIPPER, JOINT_COUNT, JOINT_NAMES
from chefmate_core.safety.health_config import HealthConfig, Levels
from chefmate_core.servo.readings import ArmHealth
from chefmate_core.servo.registers import (
    STATUS_CURRENT,
    STATUS_ENCODER,
    STATUS_OVERLOAD,
    status_names,
)

_GRIP_BITS = STATUS_OVERLOAD | STATUS_CURRENT
_ARM = np.arange(JOINT_COUNT) != GRIPPER


class StopPersistsError(ChefMateError):
    """The stop cannot be released: its cause is still there."""


class Severity(IntEnum):
    """What a finding asks for."""

    OK = 0
    WARN = 1
    DERATE = 2
    STOP = 3


@dataclass(frozen=True)
class Finding:
    """One rule at one joint."""

    rule: str
    joint: str
    severity: Severity
    what: str  # value and threshold, for people

    def __str__(self) -> str:
        return f'{self.joint} {self.what}'


class HealthMonitor:
    """See the module's docstring. One thread calls it; times are seconds of the steady clock."""

    def __init__(self, config: HealthConfig) -> None:
        self.config = config
        self.gripper_is_stalled = False
        self.is_pressing = np.ones(JOINT_COUNT, dtype=bool)  # joints that something may block
        self._rules = {
            'temperature': _Rule('temperature', 'C', config.temperature_c),
            'voltage': _Rule('voltage', 'V', config.voltage_v, is_low=True),
            'current': _Rule('current', 'mA', config.current_ma),
            'stall': _Rule('load at rest', '', config.stall_load),
            'following': self._following_rule(),
        }
        self._forecast = _Forecast(config)
        self._telemetry_severity = Severity.OK
        self._status = np.zeros(JOINT_COUNT, dtype=int)
        self._encoder_reads = np.zeros(JOINT_COUNT, dtype=int)
        self._age_s = np.full(JOINT_COUNT, np.inf)
        self._observed_s = -np.inf
        self._first_s = np.inf
        self._begun_s = np.inf  # when the arm was first driven
        self._now_s = -np.inf
        self._gripper_stalled_since_s = np.inf

    def observe(self, health: ArmHealth, velocity_rad_s: np.ndarray, now_s: float) -> None:
        """Take one telemetry block and the joints' measured velocities, rad/s, shape (6,)."""
        self._observed_s = now_s
        self._first_s = min(self._first_s, now_s)
        self._age_s = np.minimum(health.age_s, now_s - self._first_s)  # never read: since then
        # Of a servo that did not answer in time nothing is known: NaN, which improves nothing.
        known = self._age_s <= self.config.telemetry_age_s
        load = np.where(known, np.abs(health.load_fraction), np.nan)
        self._rules['temperature'].update(np.where(known, health.temperature_c, np.nan), now_s)
        self._rules['voltage'].update(np.where(known, health.voltage_v, np.nan), now_s)
        self._rules['current'].update(np.where(known, np.abs(health.current_ma), np.nan), now_s)
        at_rest = np.abs(velocity_rad_s) < self.config.rest_velocity_rad_s
        self._rules['stall'].update(np.where(_ARM, load * at_rest, 0.0), now_s)
        self.is_pressing = ~(load < self.config.stall_load.warn)  # an unknown load may press
        self._forecast.update(health.temperature_c, now_s)
        self._status = health.status_bits
        has_encoder_error = (health.status_bits & STATUS_ENCODER) != 0
        self._encoder_reads = np.where(has_encoder_error, self._encoder_reads + 1, 0)
        holds = abs(velocity_rad_s[GRIPPER]) < self.config.grip_rest_velocity_rad_s
        self._watch_gripper(float(load[GRIPPER]), bool(holds), now_s)
        self._telemetry_severity = max(
            *(rule.severity for name, rule in self._rules.items() if name != 'following'),
            *(finding.severity for finding in self._status_findings()),
            *(finding.severity for finding in self._forecast.findings()),
            Severity.DERATE if not known.all() else Severity.OK,
        )

    def follow(self, error_rad: np.ndarray, setpoint_velocity: np.ndarray, now_s: float) -> None:
        """Take this cycle's distance between setpoint and measurement, shape (6,).

        A moving arm lags behind by its servos' delay; that much is allowed. The gripper's error
        is its grip: no rule.
        """
        self._begun_s = min(self._begun_s, now_s)
        self._now_s = now_s
        lag = self.config.following_lag_s * np.abs(setpoint_velocity)
        excess = np.where(_ARM, np.maximum(np.abs(error_rad) - lag, 0.0), 0.0)
        self._rules['following'].update(
            np.where(np.isnan(error_rad) & _ARM, np.nan, excess), now_s
        )

    def forget_following(self) -> None:
        """Forget the following error: the setpoint was put somewhere else, or stands."""
        self._rules['following'] = self._following_rule()

    def _following_rule(self) -> '_Rule':
        return _Rule('following error', 'rad', self.config.following_error_rad)

    @property
    def severity(self) -> Severity:
        """What the findings ask for: cheap enough for every cycle."""
        is_silent = not self._silent_s <= self.config.telemetry_age_s
        return max(
            self._telemetry_severity,
            self._rules['following'].severity,
            Severity.DERATE if is_silent else Severity.OK,
        )

    def findings(self) -> list[Finding]:
        """Return what is wrong now, the gravest first."""
        found = [finding for rule in self._rules.values() for finding in rule.findings()]
        found += self._forecast.findings()
        found += self._status_findings()
        if self.gripper_is_stalled:
            what = f'has a firm grip: it presses less hard after {self.config.grip_stall_s:g} s'
            found.append(Finding('grip', JOINT_NAMES[GRIPPER], Severity.OK, what))
        found += self._silence_findings()
        return sorted(found, key=lambda finding: -finding.severity)

    @property
    def _silent_s(self) -> float:
        """How long there has been no telemetry while the arm is driven; -inf before that."""
        return self._now_s - max(self._observed_s, self._begun_s)

    def _silence_findings(self) -> list[Finding]:
        limit_s = self.config.telemetry_age_s
        if not self._silent_s <= limit_s:
            what = f'has no telemetry for {self._silent_s:.1f} s'
            return [Finding('telemetry', 'arm', Severity.DERATE, what)]
        if np.isinf(self._observed_s):
            return []  # nothing was read yet: it has just begun
        return [
            Finding('telemetry', name, Severity.DERATE, f'has no telemetry for {age_s:.1f} s')
            for name, age_s in zip(JOINT_NAMES, self._age_s, strict=True)
            if not age_s <= limit_s
        ]

    def _status_findings(self) -> list[Finding]:
        found = []
        for index, bits in enumerate(self._status):
            names = ', '.join(status_names(int(bits)))
            if names:
                severity = Severity.DERATE
                if self._encoder_reads[index] >= self.config.encoder_error_reads:
                    severity = Severity.STOP  # nobody knows where the joint is
                elif index == GRIPPER and not bits & ~_GRIP_BITS:
                    severity = Severity.WARN  # its grip protects itself; the arm has no part in it
                found.append(Finding('status', JOINT_NAMES[index], severity, f'reports {names}'))
        return found

    def _watch_gripper(self, load: float, holds: bool, now_s: float) -> None:
        """A gripper that presses as hard as it may, without moving, for a while, is eased."""
        if np.isnan(load):
            return
        if not (load >= self.config.grip_load and holds):
            self._gripper_stalled_since_s = np.inf
            # Eased, its load is lower: it stays eased until it moves.
            self.gripper_is_stalled = self.gripper_is_stalled and holds
        elif np.isinf(self._gripper_stalled_since_s):
            self._gripper_stalled_since_s = now_s
        elif now_s - self._gripper_stalled_since_s >= self.config.grip_stall_s:
            self.gripper_is_stalled = True


class _Rule:
    """One quantity against its thresholds, for each joint."""

    def __init__(self, name: str, unit: str, levels: Levels, is_low: bool = False) -> None:
        self._name, self._unit, self._is_low = name, unit, is_low
        self._sign = -1.0 if is_low else 1.0
        self._levels = levels
        thresholds = np.array([levels.warn, levels.derate, levels.stop])[:, np.newaxis]
        self._thresholds = self._sign * thresholds
        self._persistence_s = np.array(levels.persistence_s)[:, np.newaxis]
        self._since_s = np.full((3, JOINT_COUNT), np.inf)  # when each threshold was passed
        self._is_active = np.zeros((3, JOINT_COUNT), dtype=bool)
        self._value = np.full(JOINT_COUNT, np.nan)
        self.severity = Severity.OK  # the gravest of all joints

    def update(self, value: np.ndarray, now_s: float) -> None:
        known = ~np.isnan(value)
        self._value = np.where(known, value, self._value)
        signed = self._sign * value
        beyond = signed >= self._thresholds  # NaN: False, and `within` is False too
        within = signed < self._thresholds - self._levels.hysteresis
        self._since_s = np.where(beyond, np.minimum(self._since_s, now_s), self._since_s)
        self._since_s = np.where(known & ~beyond, np.inf, self._since_s)
        lasted = now_s - self._since_s >= self._persistence_s
        self._is_active = (self._is_active | lasted) & ~within
        levels = np.flatnonzero(self._is_active.any(axis=1))
        self.severity = Severity(int(levels[-1]) + 1 if len(levels) else 0)

    def findings(self) -> list[Finding]:
        found = []
        for index in np.flatnonzero(self._is_active.any(axis=0)):
            level = int(np.flatnonzero(self._is_active[:, index]).max())
            what = self._describe(float(self._value[index]), level)
            found.append(Finding(self._name, JOINT_NAMES[index], Severity(level + 1), what))
        return found

    def _describe(self, value: float, level: int) -> str:
        levels = self._levels
        limit = (levels.warn, levels.derate, levels.stop)[level]
        beyond, back = ('below', 'rise above') if self._is_low else ('above', 'fall below')
        seen = f'{self._name} {value:.3g} {self._unit}'.rstrip()
        word = Severity(level + 1).name.lower()
        if self._sign * value >= self._sign * limit:
            return f'{seen}, {beyond} {limit:g}: {word}'
        good = limit - self._sign * levels.hysteresis
        return f'{seen}, was {beyond} {limit:g} and must {back} {good:g}: {word}'


class _Forecast:
    """Says in advance that a servo will be too hot, from how its temperature rose lately."""

    def __init__(self, config: HealthConfig) -> None:
        self._config = config
        self._seen: deque[tuple[float, np.ndarray]] = deque()
        self._due_s = np.full(JOINT_COUNT, np.inf)

    def update(self, temperature_c: np.ndarray, now_s: float) -> None:
        config = self._config
        if self._seen and now_s - self._seen[-1][0] < 1.0:
            return  # degrees change slowly: one value a second will do
        self._seen.append((now_s, temperature_c))
        while now_s - self._seen[0][0] > config.forecast_window_s:
            self._seen.popleft()
        then_s, then_c = self._seen[0]
        rise = temperature_c - then_c
        # One degree is what the register resolves; less than three may be noise.
        is_rising = (rise >= 3.0) & (temperature_c < config.temperature_c.stop)
        per_s = np.where(is_rising, rise / max(now_s - then_s, 1.0), np.nan)
        self._due_s = np.where(
            is_rising, (config.temperature_c.stop - temperature_c) / per_s, np.inf
        )

    def findings(self) -> list[Finding]:
        return [
            Finding('forecast', name, Severity.WARN, f'will be too hot in {due_s:.0f} s like this')
            for name, due_s in zip(JOINT_NAMES, self._due_s, strict=True)
            if due_s < self._config.forecast_s
        ]
