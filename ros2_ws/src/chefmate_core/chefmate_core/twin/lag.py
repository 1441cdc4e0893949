"""How long after the arm its twin does the same: the shift in time under which both agree best.

No message carries the answer: a simulator does not say which command its state shows. So the
twin's motion over some seconds is laid over the arm's, shifted by every lag that can be, and the
lag with the least squared difference is the latency. It holds all of it: the bridge, DDS twice,
the simulator's frame and its servos' own lag. Without motion there is no answer.
"""

import numpy as np

from chefmate_core.twin.history import History

LONGEST_LAG_S = 3.0
# Steps of the search, each around the best of the one before: an arm's motion is slow beside them.
STEPS_S = (0.05, 0.01, 0.0025)
POINTS = 60  # of the twin's motion that are compared
LEAST_MOTION_RAD = 0.05
# The part of the motion's variance that may remain, or the twin does something else.
MOST_UNEXPLAINED = 0.25


def estimate_lag_s(real: History, twin: History, window_s: float = 3.0) -> float | None:
    """Return by how much the twin's newest motion follows the arm's, s; None if none fits."""
    if len(real) < 2 or len(twin) < 2:
        return None
    times_s, simulated_rad = twin.after(twin.times_s[-1] - window_s)
    known = times_s <= real.times_s[-1]
    times_s, simulated_rad = times_s[known], simulated_rad[known]
    if len(times_s) < 10:
        return None
    thinned = slice(None, None, -(-len(times_s) // POINTS))
    times_s, simulated_rad = times_s[thinned], simulated_rad[thinned]
    moved = np.ptp(simulated_rad, axis=0) >= LEAST_MOTION_RAD
    longest_s = min(LONGEST_LAG_S, times_s[0] - real.times_s[0])
    if not moved.any() or longest_s < 0.0:
        return None
    simulated_rad = simulated_rad[:, moved]
    real_times_s, real_rad = real.times_s, real.positions_rad[:, moved].T.copy()

    def unexplained(lag_s: float) -> float:
        there = [np.interp(times_s - lag_s, real_times_s, column) for column in real_rad]
        return float(np.mean((np.stack(there, axis=-1) - simulated_rad) ** 2))

    best_s, reach_s = 0.0, longest_s
    for step_s in STEPS_S:
        around_s = np.arange(best_s - reach_s, best_s + reach_s + 1e-9, step_s)
        best_s = min(np.unique(np.clip(around_s, 0.0, longest_s)), key=unexplained)
        reach_s = step_s
    if unexplained(best_s) > MOST_UNEXPLAINED * float(np.mean(np.var(simulated_rad, axis=0))):
        return None
    return float(best_s)
