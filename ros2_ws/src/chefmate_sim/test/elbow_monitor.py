"""The independent monitor, told of one servo's goals and torque by hand."""

import numpy as np
from driver_rig import CAREFUL
from virtual_arm import CALIBRATION, ELBOW

from chefmate_core.calibration import RAD_PER_TICK
from chefmate_sim.virtual_bus.monitor import BusMonitor

PERIOD_S = 0.01
VELOCITY = CAREFUL.max_velocity_rad_s[ELBOW]
ACCELERATION = CAREFUL.max_acceleration_rad_s2[ELBOW]
BLEND = CAREFUL.blend_velocity_rad_s[ELBOW]
LOWER = CALIBRATION.lower_limits_rad[ELBOW] + CAREFUL.limit_margin_rad
UPPER = CALIBRATION.upper_limits_rad[ELBOW] - CAREFUL.limit_margin_rad


class Servo:
    """The elbow's servo as the monitor sees it; goals are rounded to ticks on the way."""

    def __init__(self, slack_s=0.0):
        self.monitor = BusMonitor(CALIBRATION, CAREFUL, PERIOD_S, slack_s=slack_s)
        self.now_s = 100.0

    def ticks(self, position_rad):
        return round(
            position_rad / CALIBRATION.rad_per_tick[ELBOW] + CALIBRATION.zero_ticks[ELBOW]
        )

    def torque(self, value, goal_rad=0.0, position_rad=None):
        position_rad = goal_rad if position_rad is None else position_rad
        self.monitor.torque_written(ELBOW, self.now_s, value, self.ticks(goal_rad), position_rad)

    def goal(self, position_rad, after_s=PERIOD_S):
        self.now_s += after_s
        self.monitor.goal_written(ELBOW, self.now_s, self.ticks(position_rad))

    def on(self, position_rad=0.0, waited_s=1.0):
        """Torque on in the usual way, so long ago that the first motion is over."""
        self.goal(position_rad)
        self.torque(1, position_rad)
        if waited_s:
            self.goal(position_rad, waited_s)
        return self

    def creep(self, start_rad, ticks):
        """Single steps of a tick or two, so slowly that only the range is judged."""
        return self.play([start_rad + tick * RAD_PER_TICK for tick in ticks], after_s=0.1)

    def rules(self):
        return {violation.rule for violation in self.monitor.violations}

    def play(self, positions_rad, after_s=PERIOD_S):
        for position_rad in positions_rad:
            self.goal(position_rad, after_s)
        return self.rules()


def ramp(velocity, acceleration, seconds, start_rad=0.0, period_s=PERIOD_S):
    """Positions of a speed-up from rest to `velocity`, held then."""
    times = np.arange(period_s, seconds, period_s)
    knee_s = velocity / acceleration
    speeding = np.minimum(times, knee_s)
    return start_rad + acceleration * speeding**2 / 2 + velocity * (times - speeding)
