"""What the safety gate did: its mode, what it kept back, and what it counted."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from chefmate.bag_plot import theme
from chefmate.bag_plot.drawing import legend, line, over_time, runs, shortened
from chefmate.bag_plot.series import JointSeries, Recording, at_times

_MOST_COUNTERS = 10
_STALE_S = 0.2  # of a command: the gate's command_timeout
_UNREMARKABLE = 'accepted'  # a command that went through


def draw_modes(
    axes: Axes, recording: Recording, applied: JointSeries | None, is_last: bool
) -> None:
    """Draw instruction and mode of the gate as bands."""
    if applied is not None:
        shown = set()
        for mode, from_s, to_s in runs(applied.labels, applied.time_s):
            axes.axvspan(
                from_s,
                to_s,
                0.0,
                0.5,
                color=theme.MODE_COLOURS.get(mode, theme.RULE),
                linewidth=0,
                label=None if mode in shown else mode or '(no mode)',
            )
            shown.add(mode)
    over_time(axes, recording, 'instruction, and mode of the gate', '', is_last)
    marks = [*recording.instructions, (recording.end_s, '')]
    for place, (time_s, text) in enumerate(marks[:-1]):
        if time_s < recording.end_s and marks[place + 1][0] > recording.start_s:
            at_s = max(time_s, recording.start_s)
            axes.annotate(
                shortened(text),
                (at_s, 0.78),
                xycoords=('data', 'axes fraction'),
                xytext=(4, 0),
                textcoords='offset points',
                color=theme.MARK,
                fontsize=8.5,
                va='center',
                annotation_clip=False,
            ).set_clip_on(True)
    axes.set_yticks([])
    axes.grid(visible=False)
    legend(axes, 5)


def draw_held_back(
    axes: Axes,
    recording: Recording,
    requested: JointSeries,
    applied: JointSeries,
    is_last: bool,
) -> None:
    """Draw how far the joint that lags most is from what was asked for."""
    asked_rad = at_times(requested, applied.time_s)
    # Of a command that is too old for the gate nothing is let through: silence, no difference.
    place = np.searchsorted(requested.time_s, applied.time_s, side='right') - 1
    stale = applied.time_s - requested.time_s[np.maximum(place, 0)] > _STALE_S
    gap_rad = np.abs(asked_rad - applied.position_rad)
    gap_rad[stale | (place < 0)] = np.nan
    known = np.isfinite(gap_rad).any(axis=1)
    worst_rad = np.full(len(gap_rad), np.nan)
    worst_rad[known] = np.nanmax(gap_rad[known], axis=1)
    line(axes, applied.time_s, worst_rad, theme.APPLIED, 'worst joint')
    axes.set_ylim(bottom=0)
    over_time(
        axes,
        recording,
        'command asked for against command let through, the joint that differs most',
        'rad',
        is_last,
    )


def grown(recording: Recording) -> Mapping[str, np.ndarray]:
    """Return the growth of each counter that grew, (n,) at the times of the diagnostics."""
    if recording.health is None:
        return {}
    growth = {
        name: np.maximum(np.diff(values, prepend=values[:1]), 0.0)
        for name, values in recording.health.counters.items()
        if name != _UNREMARKABLE
    }
    worst = sorted(growth, key=lambda name: -growth[name].sum())
    return {name: growth[name] for name in worst[:_MOST_COUNTERS] if growth[name].any()}


def draw_counters(
    axes: Axes, recording: Recording, counters: Mapping[str, np.ndarray], is_last: bool
) -> None:
    """Draw a row of dots for each counter: when it grew, the larger the more."""
    assert recording.health is not None  # or there is no such panel
    for row, growth in enumerate(counters.values()):
        events = growth > 0
        axes.scatter(
            recording.health.time_s[events],
            np.full(events.sum(), row),
            s=18.0 + 90.0 * growth[events] / growth.max(),
            color=theme.APPLIED,
            alpha=0.75,
            linewidth=0,
        )
        axes.annotate(
            f'{growth.sum():.0f}',
            (1.0, row),
            xycoords=('axes fraction', 'data'),
            xytext=(6, 0),
            textcoords='offset points',
            va='center',
            color=theme.SOFT,
            fontsize=8.0,
        )
    axes.set_yticks(range(len(counters)), [name.replace('_', ' ') for name in counters])
    axes.set_ylim(max(len(counters), 1) - 0.4, -0.6)
    if not counters:
        axes.annotate(
            'none grew', (0.5, 0.5), xycoords='axes fraction', ha='center', color=theme.SOFT
        )
    over_time(axes, recording, "the gate's counters as they grew", '', is_last)
