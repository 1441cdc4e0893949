"""Fewer points for the same picture: of each column of pixels the extremes stay."""

import numpy as np

# A pause this many times the usual distance of two messages is a hole in the line.
GAP_PERIODS = 8.0
SHORTEST_GAP_S = 0.15


def with_gaps(time_s: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the series with NaN where messages are missing, so that no line bridges the hole.

    Args:
        time_s: (n,) ascending.
        values: (n,) or (n, k).
    """
    if len(time_s) < 3:
        return time_s, values
    steps_s = np.diff(time_s)
    longest_s = max(GAP_PERIODS * float(np.median(steps_s)), SHORTEST_GAP_S)
    after = np.nonzero(steps_s > longest_s)[0]
    middles_s = (time_s[after] + time_s[after + 1]) / 2
    return np.insert(time_s, after + 1, middles_s), np.insert(
        values.astype(float), after + 1, np.nan, axis=0
    )


def decimated(
    time_s: np.ndarray, values: np.ndarray, columns: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return at most about five points a column: first, last, least, greatest, a gap.

    Args:
        time_s: (n,) ascending.
        values: (n,); NaN is a gap, and stays one.
        columns: of pixels over the whole length.
    """
    span_s = time_s[-1] - time_s[0] if len(time_s) else 0.0
    if len(time_s) <= 5 * columns or span_s <= 0:
        return time_s, values
    column = np.minimum((time_s - time_s[0]) / span_s * columns, columns - 1).astype(int)
    starts = np.nonzero(np.diff(column, prepend=-1))[0]
    ends = np.append(starts[1:], len(column)) - 1
    missing = np.isnan(values)
    kept = [starts, ends]
    for sign in (1.0, -1.0):
        # Sorted by column, then value: the first of each column is its extreme.
        ranked = np.lexsort((np.where(missing, np.inf, sign * values), column))
        kept.append(ranked[starts])
    holes = np.nonzero(missing)[0]
    if len(holes):
        kept.append(holes[np.nonzero(np.diff(column[holes], prepend=-1))[0]])
    places = np.unique(np.concatenate(kept))
    return time_s[places], values[places]
