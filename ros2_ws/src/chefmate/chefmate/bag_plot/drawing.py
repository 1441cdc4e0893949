"""Lines over time, as every panel draws them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from chefmate.bag_plot import theme
from chefmate.bag_plot.decimation import decimated, with_gaps
from chefmate.bag_plot.series import Recording

COLUMNS = 600  # of pixels that a panel is wide, about
MOST_RATE_BINS = 300
SHORTEST_RATE_S = 1.0  # of a recording, for rates to mean something
_EDGE_SHARE = 0.005  # what is marked so near the beginning is no change


def line(
    axes: Axes,
    time_s: np.ndarray,
    values: np.ndarray,
    colour: str,
    label: str,
    width: float = 1.3,
    style: str = '-',
    columns: int = COLUMNS,
) -> None:
    """Draw values over time, (n,) each; thinned so that extremes stay, broken at gaps."""
    x, y = decimated(*with_gaps(time_s, values), columns)
    axes.plot(x, y, color=colour, label=label, linewidth=width, linestyle=style)


def over_time(axes: Axes, recording: Recording, title: str, unit: str, is_last: bool) -> None:
    """Give axes their title, their span of time, and a line at each new instruction."""
    axes.set_title(f'{title} · {unit}' if unit else title)
    axes.set_xlim(recording.start_s, max(recording.end_s, recording.start_s + 1e-3))
    axes.tick_params(length=0)
    if is_last:
        axes.set_xlabel('s')
    else:
        axes.tick_params(labelbottom=False)
    first_s = recording.start_s + _EDGE_SHARE * (recording.end_s - recording.start_s)
    for time_s, _ in recording.instructions:
        if first_s < time_s < recording.end_s:
            axes.axvline(time_s, color=theme.MARK, linewidth=0.9, linestyle=(0, (4, 3)))


def at_least(axes: Axes, span: float) -> None:
    """Widen the vertical axis to a span, about its middle."""
    low, high = axes.get_ylim()
    if high - low < span:
        middle = (low + high) / 2
        axes.set_ylim(middle - span / 2, middle + span / 2)


def legend(axes: Axes, columns: int, above: float = 1.0) -> None:
    """Put the names of the lines over the panel, at its right; `above` in heights of it."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            handles,
            labels,
            loc='lower right',
            bbox_to_anchor=(1.0, above),
            ncols=columns,
            borderaxespad=0.1,
            handlelength=1.6,
            columnspacing=1.2,
        )


def rate_over_time(
    times_s: np.ndarray, start_s: float, end_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return middles of stretches of a second or more, and the messages a second in each."""
    span_s = end_s - start_s
    count = int(min(max(span_s / SHORTEST_RATE_S, 1.0), MOST_RATE_BINS))
    edges_s = np.linspace(start_s, end_s, count + 1)
    counts, _ = np.histogram(times_s, edges_s)
    return (edges_s[:-1] + edges_s[1:]) / 2, counts / (span_s / count)


def worst_over_time(
    times_s: np.ndarray, values: np.ndarray, start_s: float, end_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return middles of stretches, and the greatest value in each; NaN where there is none."""
    count = MOST_RATE_BINS
    edges_s = np.linspace(start_s, end_s, count + 1)
    column = np.searchsorted(edges_s, times_s, side='right') - 1
    known = np.isfinite(values) & (column >= 0) & (column < count)
    worst = np.full(count, -np.inf)
    np.maximum.at(worst, column[known], values[known])
    filled = np.isfinite(worst)
    middles_s = (edges_s[:-1] + edges_s[1:]) / 2
    return middles_s[filled], worst[filled]


def runs(labels: Sequence[str], time_s: np.ndarray) -> list[tuple[str, float, float]]:
    """Return stretches of one label: (label, from, to); the last ends with the last message."""
    found: list[tuple[str, float, float]] = []
    for label, now_s in zip(labels, time_s.tolist(), strict=True):
        if found and found[-1][0] == label:
            found[-1] = (label, found[-1][1], now_s)
        else:
            if found:
                found[-1] = (found[-1][0], found[-1][1], now_s)
            found.append((label, now_s, now_s))
    return found


def shortened(text: str, most: int = 90) -> str:
    """Return a text as one line that is not too long for a picture."""
    one_line = ' '.join(text.split())
    return one_line if len(one_line) <= most else one_line[: most - 1] + '…'
