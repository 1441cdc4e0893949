"""Plots of the last seconds: where the joints are, what was asked for, what the gate did."""

import numpy as np
import viser
from viser import uplot

from chefmate.viewer.feeds import Feeds
from chefmate.viewer.history import History
from chefmate_core.joints import JOINT_COUNT, JOINT_NAMES

SECONDS, SAMPLES_PER_S = 20, 10
HEIGHT_PX = 190
PATIENCE_S = 0.5
RANGE_STEP = 10.0  # degrees
COLOURS = ('#4263eb', '#f08c00', '#2f9e44', '#c2255c', '#0c8599', '#7048e8')
ASKED, ALLOWED, MEASURED = '#868e96', '#f08c00', '#4263eb'
TITLES = {name: name.replace('_', ' ').capitalize() for name in JOINT_NAMES}


class PlotsPanel:
    """Three plots; one joint is chosen for all viewers."""

    def __init__(self, gui: viser.GuiApi) -> None:
        self._now_s = 0.0
        self._history = History(3 * JOINT_COUNT, SECONDS * SAMPLES_PER_S)
        everything = [
            _series(TITLES[name], colour)
            for name, colour in zip(JOINT_NAMES, COLOURS, strict=True)
        ]
        self._joints = Plot(gui, f'All joints, degrees, last {SECONDS} s', everything)
        self._chosen = gui.add_dropdown('Joint', tuple(TITLES.values()))
        self._chosen.on_update(lambda _: self.draw(self._now_s))
        self._one = Plot(
            gui,
            'This joint, degrees',
            [_series('asked for', ASKED), _series('let through', ALLOWED),
             _series('measured', MEASURED)],
        )  # fmt: skip
        gui.add_html(
            '<div style="padding:0 12px 6px;font-size:12px;opacity:.7">Every command passes a '
            'safety gate. Below: how far it holds the arm back, the largest of all joints.</div>'
        )
        self._gate = Plot(gui, 'Held back by the gate, degrees', [_series('held back', '#e03131')])

    def sample(self, feeds: Feeds, now_s: float) -> None:
        """Take the newest values into the plots."""
        nothing = np.full(JOINT_COUNT, np.nan)
        applied = feeds.applied.fresh(now_s, PATIENCE_S)
        rows = [
            feeds.asked.fresh(now_s, PATIENCE_S),
            None if applied is None else applied.position_rad,
            feeds.joints.fresh(now_s, PATIENCE_S),
        ]
        self._history.add(
            now_s, np.degrees(np.concatenate([nothing if row is None else row for row in rows]))
        )

    def draw(self, now_s: float) -> None:
        """Show what was sampled."""
        self._now_s = now_s
        times, rows = self._history.before(now_s)
        asked, allowed, measured = np.split(rows, 3, axis=1)
        joint = self._joint
        gap = np.abs(asked - allowed)
        held_back = np.where(np.isnan(gap).all(axis=1), 0.0, np.nanmax(np.nan_to_num(gap), axis=1))
        self._joints.show(times, *measured.T)
        self._one.show(times, asked[:, joint], allowed[:, joint], measured[:, joint])
        self._gate.show(times, held_back)

    @property
    def _joint(self) -> int:
        """Index of the chosen joint; a browser can send words that were never offered."""
        titles, chosen = list(TITLES.values()), self._chosen.value
        return titles.index(chosen) if chosen in titles else 0

    def clear(self) -> None:
        """Begin anew: nobody was watching."""
        self._history.clear()


class Plot:
    """Curves over the last seconds. NaN is a gap.

    The range of the values is ours: uPlot finds none, and draws nothing, where the first value is
    NaN. A new range makes every browser build the chart anew, so it seldom changes.
    """

    def __init__(self, gui: viser.GuiApi, title: str, series: list[uplot.Series]) -> None:
        self._range = (0.0, RANGE_STEP)
        self._handle = gui.add_uplot(
            tuple(np.zeros(1) for _ in range(1 + len(series))),
            (uplot.Series(label='s'), *series),
            title=title,
            height=HEIGHT_PX,
            scales=_scales(self._range),
            legend=uplot.Legend(show=len(series) > 1, live=False),
        )

    def show(self, times_s: np.ndarray, *curves: np.ndarray) -> None:
        """Show curves of shape (n,) at times of shape (n,)."""
        wanted = fitting_range(self._range, np.concatenate(curves))
        if wanted != self._range:
            self._range = wanted
            self._handle.scales = _scales(wanted)
        self._handle.data = (times_s, *(curve.copy() for curve in curves))


def fitting_range(
    shown: tuple[float, float], values: np.ndarray, step: float = RANGE_STEP
) -> tuple[float, float]:
    """Return a range for values of any shape, in multiples of `step`: the one shown if it fits."""
    known = values[np.isfinite(values)]
    if not known.size:
        return shown
    low, high = step * np.floor(known.min() / step), step * np.ceil(known.max() / step)
    high = max(high, low + step)
    fits = shown[0] <= low and high <= shown[1] and shown[1] - shown[0] <= 3.0 * (high - low)
    return shown if fits else (float(low), float(high))


def _scales(values: tuple[float, float]) -> dict[str, uplot.Scale]:
    return {
        'x': uplot.Scale(time=False, range=(-float(SECONDS), 0.0)),
        'y': uplot.Scale(range=values),
    }


def _series(label: str, colour: str) -> uplot.Series:
    return uplot.Series(label=label, stroke=colour, width=1.6)
