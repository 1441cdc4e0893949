"""The sections of the picture: what the arm did, what it was told, what the gate made of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from chefmate.bag_plot import theme
from chefmate.bag_plot.drawing import (
    COLUMNS,
    SHORTEST_RATE_S,
    at_least,
    legend,
    line,
    over_time,
    rate_over_time,
    worst_over_time,
)
from chefmate.bag_plot.gate_panels import draw_counters, draw_held_back, draw_modes, grown
from chefmate.bag_plot.paper import ABOVE_IN, BELOW_IN, Paper
from chefmate.bag_plot.series import JointSeries, Recording, at_times
from chefmate_core.joints import JOINT_NAMES

MEASURED_TOPIC = 'follower/joint_states'
APPLIED_TOPIC = 'follower/joint_commands_applied'
REQUESTED_TOPIC = 'follower/joint_commands'
LEADER_TOPIC = 'leader/joint_states'
TWIN_ERROR_TOPIC = 'twin/joint_error'
# In the order of drawing: what is measured lies on top.
_POSITIONS = (
    (LEADER_TOPIC, 'leader', theme.LEADER, 1.0, ':'),
    (REQUESTED_TOPIC, 'command asked for', theme.REQUESTED, 2.4, '-'),
    (APPLIED_TOPIC, 'command after the gate', theme.APPLIED, 1.6, '-'),
    (MEASURED_TOPIC, 'measured', theme.MEASURED, 1.1, '-'),
)
# A row: how high, without title and numbers, and what draws it into axes (last: numbers the time).
Row = tuple[float, Callable[[Axes, bool], None]]
_ROW_IN = 1.3
_KEY_IN = 0.15  # above six panels, for the names of their lines
_LEAST_SPAN_RAD = 0.02  # a joint that stands still must not look as if it shook
_IMAGES = '/image_raw/compressed'


@dataclass(frozen=True)
class Section:
    """One part of the picture."""

    title: str
    height_in: float
    draw: Callable[[Paper], None]


def sections(recording: Recording) -> list[Section]:
    """Return the sections that the recording has something for, in their order."""
    found = []
    if any(topic in recording.joints for topic, *_ in _POSITIONS):
        found.append(_positions(recording))
    for title, rows in (
        ('What the safety gate did', _gate_rows(recording)),
        ('Motion', _motion_rows(recording)),
        ('Rates and ages', _timing_rows(recording)),
        ('Servos', _servo_rows(recording)),
    ):
        if rows:
            found.append(_stacked(title, rows))
    return found


def _stacked(title: str, rows: list[Row]) -> Section:
    """Return a section of rows over one another, with one axis of time under the last."""

    def draw(paper: Paper) -> None:
        top_in = ABOVE_IN
        for place, (height_in, draw_row) in enumerate(rows):
            draw_row(paper.panel(top_in, height_in), place == len(rows) - 1)
            top_in += height_in + ABOVE_IN

    return Section(title, sum(height + ABOVE_IN for height, _ in rows) + BELOW_IN, draw)


def _positions(recording: Recording) -> Section:
    height_in = 1.45
    row_in = height_in + ABOVE_IN

    def draw(paper: Paper) -> None:
        for index, name in enumerate(JOINT_NAMES):
            row, column = divmod(index, 2)
            axes = paper.panel(_KEY_IN + ABOVE_IN + row * row_in, height_in, column, 2)
            for topic, label, colour, width, style in _POSITIONS:
                series = recording.joints.get(topic)
                if series is not None:
                    values = series.position_rad[:, index]
                    line(axes, series.time_s, values, colour, label, width, style, COLUMNS // 2)
            at_least(axes, _LEAST_SPAN_RAD)
            over_time(axes, recording, name, 'rad', row == 2)
            if index == 1:
                legend(axes, 4, 1.0 + ABOVE_IN / height_in * 0.75)

    return Section(
        'Joint positions: measured against commanded', _KEY_IN + 3 * row_in + BELOW_IN, draw
    )


def _gate_rows(recording: Recording) -> list[Row]:
    rows: list[Row] = []
    applied = recording.joints.get(APPLIED_TOPIC)
    requested = recording.joints.get(REQUESTED_TOPIC)
    if applied is not None or recording.instructions:
        rows.append((0.62, lambda axes, last: draw_modes(axes, recording, applied, last)))
    if applied is not None and requested is not None:
        rows.append(
            (1.1, lambda axes, last: draw_held_back(axes, recording, requested, applied, last))
        )
    counters = grown(recording)
    if recording.health is not None and applied is not None:
        height_in = 0.15 + 0.22 * max(len(counters), 1)
        rows.append((height_in, lambda axes, last: draw_counters(axes, recording, counters, last)))
    return rows


def _motion_rows(recording: Recording) -> list[Row]:
    rows: list[Row] = []
    measured = recording.joints.get(MEASURED_TOPIC)
    applied = recording.joints.get(APPLIED_TOPIC)
    twin = recording.joints.get(TWIN_ERROR_TOPIC)
    if measured is not None and np.isfinite(measured.velocity_rad_s).any():
        rows.append(
            _six(recording, 'velocity, measured', 'rad/s', measured, measured.velocity_rad_s)
        )
    if measured is not None and applied is not None:
        error_rad = measured.position_rad - at_times(applied, measured.time_s)
        rows.append(
            _six(recording, 'measured less commanded after the gate', 'rad', measured, error_rad)
        )
    if twin is not None:
        rows.append(_six(recording, 'real arm less its twin', 'rad', twin, twin.position_rad))
    return rows


def _six(
    recording: Recording, title: str, unit: str, series: JointSeries, values: np.ndarray
) -> Row:
    """Return a row with one line for each joint; values (n, 6)."""

    def draw(axes: Axes, is_last: bool) -> None:
        for index, name in enumerate(JOINT_NAMES):
            line(axes, series.time_s, values[:, index], theme.JOINT_COLOURS[index], name, 1.1)
        # The least lies on top: in a long recording a line is a band that hides what is under it.
        reach = np.nan_to_num(np.abs(values)).max(axis=0, initial=0.0)
        for index, place in enumerate(np.argsort(-reach)):
            axes.lines[place].set_zorder(2.0 + 0.1 * index)
        over_time(axes, recording, title, unit, is_last)
        legend(axes, 6)

    return _ROW_IN, draw


def _timing_rows(recording: Recording) -> list[Row]:
    arrivals = recording.arrivals
    if not arrivals:
        return []
    colours = dict(
        zip(sorted(arrivals), theme.JOINT_COLOURS * (len(arrivals) // 6 + 1), strict=False)
    )

    def rates(axes: Axes, is_last: bool) -> None:
        for topic in sorted(arrivals):
            middles_s, rate_hz = rate_over_time(
                arrivals[topic].received_s, recording.start_s, recording.end_s
            )
            line(axes, middles_s, rate_hz, colours[topic], topic.replace(_IMAGES, ' camera'))
        axes.set_ylim(bottom=0)
        over_time(axes, recording, 'messages received', '1/s', is_last)
        legend(axes, 3)

    def ages(axes: Axes, is_last: bool) -> None:
        for topic in sorted(arrivals):
            worst = worst_over_time(
                arrivals[topic].time_s,
                np.maximum(arrivals[topic].age_s * 1e3, 0.01),  # for the logarithm
                recording.start_s,
                recording.end_s,
            )
            line(axes, *worst, colours[topic], topic, 1.1)
        axes.set_yscale('log')
        axes.yaxis.set_major_formatter(lambda value, _: f'{value:g}')
        axes.yaxis.set_minor_formatter(lambda value, _: '')
        over_time(axes, recording, 'age at reception, the worst of each stretch', 'ms', is_last)

    rows: list[Row] = []
    if recording.end_s - recording.start_s >= SHORTEST_RATE_S:
        rows.append((_ROW_IN, rates))
    if any(np.isfinite(arrival.age_s).any() for arrival in arrivals.values()):
        rows.append((_ROW_IN, ages))
    return rows


def _servo_rows(recording: Recording) -> list[Row]:
    health = recording.health
    if health is None or not np.isfinite(health.temperature_c).any():
        return []

    def draw(axes: Axes, is_last: bool) -> None:
        for index, name in enumerate(JOINT_NAMES):
            values = health.temperature_c[:, index]
            line(axes, health.time_s, values, theme.JOINT_COLOURS[index], name)
        at_least(axes, 6.0)
        over_time(axes, recording, 'temperature', '°C', is_last)
        legend(axes, 6)

    return [(_ROW_IN, draw)]
